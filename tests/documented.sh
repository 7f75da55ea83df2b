#!/usr/bin/env bash
# Asks the deployed HTTP API what functions/api/openapi.yaml allows, and much that it does not: nothing may be answered
# with 5xx, with a status or a type that is not in the document, or in another shape. `tests/run.sh` calls this.
set -euo pipefail
cd "$(dirname "$0")/.."

carillon=target/local/carillon
url=$($carillon --json local status | python3 -c 'import json, sys; print(json.load(sys.stdin)["tokenUrl"])')
export TENANT="documented-$$"
token=$($carillon token --user tester --tenant "$TENANT" --role admin)
# What it keeps for itself lies with everything else that is local.
cd .local
# The same requests every time; a bounded number for each route. One worker: Python 3.11's parser trips over a second.
exec schemathesis/bin/schemathesis --config-file ../tests/documented.toml run ../functions/api/openapi.yaml --url "$url" \
  --header "Authorization: Bearer $token" \
  --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
  --phases examples,coverage,fuzzing --max-examples "${EXAMPLES:-5}" --generation-deterministic \
  --request-timeout 30 --suppress-health-check all --warnings off --workers 1 --no-color
