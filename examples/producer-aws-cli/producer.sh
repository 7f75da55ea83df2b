#!/usr/bin/env bash
# Publishes order events on Carillon's bus, with the AWS CLI and PutEvents.
#
#   echo '{"orderId":"o-1","userId":"ann","status":"shipped"}' | CARILLON_BUS=carillon-dev ./producer.sh
#
# Reads one order a line from stdin. Prints one JSON line for each event. Exits with 1 if an event was not published.
set -euo pipefail

bus=${CARILLON_BUS:?the name of the bus, such as carillon-dev}
attempts=5
waiting=$(mktemp) refused=$(mktemp) answers=$(mktemp)
trap 'rm -f "$waiting" "$refused" "$answers"' EXIT

# One entry of PutEvents a line. The id names the fact, not the attempt: a repeated event with the same source and id
# notifies no recipient twice. `Source` and `DetailType` must be the event's own `source` and `type`.
jq --compact-output --arg bus "$bus" --arg tenant "${CARILLON_TENANT:-}" --arg now "$(date -u +%Y-%m-%dT%H:%M:%SZ)" '
  { specversion: "1.0", id: "\(.orderId)-\(.status)", source: "shop", type: "order.status.changed", time: $now,
    subject: "order/\(.orderId)", data: { orderId, status, userId } }
  + if $tenant == "" then {} else { tenant: $tenant } end
  | { EventBusName: $bus, Source: .source, DetailType: .type, Detail: tojson }' > "$waiting"

failed=0
for ((attempt = 1; attempt <= attempts; attempt++)); do
  : > "$refused"
  while mapfile -t -n 10 batch && ((${#batch[@]})); do # 10 entries are the limit of one call
    entries=$(printf '%s\n' "${batch[@]}" | jq --slurp --compact-output .)
    # A call that succeeds can refuse some of its entries. The answers have the order of the entries.
    aws events put-events --entries "$entries" --output json | jq --compact-output '.Entries[]' > "$answers"
    index=0
    while IFS= read -r answer; do
      entry=${batch[index++]}
      code=$(jq --raw-output '.ErrorCode // ""' <<< "$answer")
      case $code in
        ThrottlingException | InternalFailure | InternalException)
          if ((attempt < attempts)); then
            echo "$entry" >> "$refused"
            continue
          fi ;;
      esac
      [[ -z $code ]] || failed=1
      jq --compact-output --argjson answer "$answer" \
        '{ id: (.Detail | fromjson).id, busId: $answer.EventId, error: $answer.ErrorCode }' <<< "$entry"
    done < "$answers"
  done < "$waiting"
  [[ -s $refused ]] || break
  cp "$refused" "$waiting"
  sleep "0.$((RANDOM % 10))"
done
exit "$failed"
