#!/usr/bin/env bash
# Asks the deployed HTTP API what functions/api/openapi.yaml allows, and much that it does not: nothing may be answered
# with 5xx, with a status or a type that is not in the document, or in another shape. `tests/run.sh` calls this.
set -euo pipefail
cd "$(dirname "$0")/.."

carillon=target/local/carillon
url=$($carillon --json local status | python3 -c 'import json, sys; print(json.load(sys.stdin)["tokenUrl"])')
token=$($carillon token --user tester --tenant "documented-$$" --role admin)
# The same requests every time; a bounded number for each route.
exec .local/schemathesis/bin/schemathesis run functions/api/openapi.yaml --url "$url" \
  --header "Authorization: Bearer $token" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases examples,coverage,fuzzing --max-examples "${EXAMPLES:-10}" --generation-deterministic \
  --request-timeout 30 --suppress-health-check all --no-color
