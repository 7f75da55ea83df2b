#!/usr/bin/env bash
# Sends the deployed HTTP API requests that functions/api/openapi.yaml allows and forbids, with all checks of
# schemathesis: no 5xx; no undocumented status, type, header or shape; forbidden requests refused and allowed ones
# accepted; authentication required. `tests/run.sh` calls this. EXAMPLES=25 sends more requests per operation, and
# PHASES=examples,coverage,fuzzing tries every boundary of every member. `make soak` does both.
set -euo pipefail
cd "$(dirname "$0")/.."

dev=$PWD/target/local/carillon-dev
of() { $dev --json status | python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
url=$(of tokenUrl)
# Unsubscribe links of e-mails need no credentials.
open_url=$(of httpUrl)
capture=$(of capture)
export TENANT="documented-$$" ID="known-$$"
TOKEN=$($dev token --user "$ID" --tenant "$TENANT" --role admin)
export TOKEN
# The first round has no person and no endpoint; the second has one of each.
put() {
  curl --fail --silent --show-error --output /dev/null -X PUT "$url$1" \
    -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" --data "$2"
}
# Requests are the same every time, and their number per operation is limited. Several processes have one worker each,
# because a second worker fails in Python 3.11's parser.
ask() {
  local name=$1 config=$2 base=$url
  shift 2
  [[ "$name" != *-unsubscribe ]] || base=$open_url
  # Its cache is stored with all other local data.
  local folder=.local/documented/$name
  rm -rf "$folder" && mkdir -p "$folder"
  (cd "$folder" && ../../schemathesis/bin/schemathesis --config-file "../../../tests/$config.toml" run \
    ../../../functions/api/openapi.yaml --url "$base" --checks all \
    --max-examples "${EXAMPLES:-5}" --generation-deterministic --no-shrink --continue-on-failure \
    --request-timeout 30 --suppress-health-check all --warnings off --workers 1 --no-color "$@" > said 2>&1)
}
together() {
  local config=$1 names=() failed=0
  shift
  local parts=("recipients" "endpoints" "inbox,tenants" "unsubscribe" "sockets,events,deliveries") part
  local pids=()
  for part in "${parts[@]}"; do
    local tags=() tag
    for tag in ${part//,/ }; do tags+=(--include-tag "$tag"); done
    names+=("$config-${part%%,*}")
    ask "$config-${part%%,*}" "$config" "${tags[@]}" "$@" &
    pids+=($!)
  done
  for at in "${!pids[@]}"; do
    if wait "${pids[$at]}"; then
      grep -E "passed|generated" ".local/documented/${names[$at]}/said" | tail -2 || true
    else
      failed=1
      tail -n 150 ".local/documented/${names[$at]}/said"
    fi
  done
  return $failed
}

mkdir -p .local/documented
result=0
together documented --phases "${PHASES:-examples,fuzzing}" || result=1
put "/v1/recipients/$ID" '{"name":"Ann"}'
put "/v1/endpoints/$ID" "{\"url\":\"$capture/hooks/documented\"}"
together known --phases fuzzing --exclude-operation-id deleteRecipient --exclude-operation-id deleteEndpoint ||
  result=1
exit $result
