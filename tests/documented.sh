#!/usr/bin/env bash
# Asks the deployed HTTP API what functions/api/openapi.yaml allows, and much that it does not: nothing may be answered
# with 5xx, with a status or a type that is not in the document, or in another shape. `tests/run.sh` calls this.
set -euo pipefail
cd "$(dirname "$0")/.."

carillon=target/local/carillon
of() { $carillon --json local status | python3 -c "import json, sys; print(json.load(sys.stdin)['$1'])"; }
url=$(of tokenUrl)
export TENANT="documented-$$" ID="known-$$"
token=$($carillon token --user "$ID" --tenant "$TENANT" --role admin)
# Nobody and nothing is known at first; then somebody and an endpoint are.
put() {
  curl --fail --silent --show-error --output /dev/null -X PUT "$url$1" \
    -H "Authorization: Bearer $token" -H "Content-Type: application/json" --data "$2"
}
# The same requests every time; a bounded number for each route. One worker: Python 3.11's parser trips over a second.
ask() {
  local config=$1
  shift
  # What it keeps for itself lies with everything else that is local.
  (cd .local && schemathesis/bin/schemathesis --config-file "../tests/$config.toml" run \
    ../functions/api/openapi.yaml --url "$url" --header "Authorization: Bearer $token" \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    --max-examples "${EXAMPLES:-5}" --generation-deterministic \
    --request-timeout 30 --suppress-health-check all --warnings off --workers 1 --no-color "$@")
}
ask documented --phases examples,coverage,fuzzing
put "/v1/recipients/$ID" '{"name":"Ann"}'
put "/v1/endpoints/$ID" "{\"url\":\"$(of capture)/hooks/documented\"}"
ask known --phases examples,fuzzing --exclude-operation-id deleteRecipient --exclude-operation-id deleteEndpoint
