#!/usr/bin/env bash
# Everything that must hold, in the order in which it is cheapest to find out. `make test` calls this.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m▸ %s\033[0m\n' "$*"; }

step "format"
cargo fmt --all --check
python3 tests/documents.py

step "build"
# A port for the receivers of examples/webhooks: the one of the run before, so that nothing is deployed for it again.
receiver=$(python3 -c 'import json, socket
try:
    print(json.load(open(".local/cloud.json"))["webhook_allow"][0])
except (OSError, ValueError, LookupError):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        print(f"http://127.0.0.1:{free.getsockname()[1]}")')
# With the tests: built alone, the binaries have other features of the SDKs, which would be built twice.
make --no-print-directory up TARGETS=--all-targets WEBHOOK_ALLOW="$receiver" .local/awscli/.installed .local/schemathesis/.installed .local/webhooks/.installed .local/generators/.installed .local/checkov/.installed
make --no-print-directory .local/node/.installed || echo "SKIPPED what needs Node: it cannot be installed"
python3 tests/documents.py target/local/carillon

step "template"
.local/sam/bin/cfn-lint infra/template.yaml
echo "cfn-lint: nothing to say"
tests/checkov.sh

step "supply chain"
make --no-print-directory deny

step "lints"
cargo clippy --workspace --all-targets --profile local --locked -- -D warnings
cargo clippy --workspace --test faults --profile local --locked -- -D warnings

step "tests"
results=.local/tests.log
# The same cases every time, so that a change is to blame for what fails; PROPTEST_RNG_SEED= looks at others.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED-20261121}"
[ -n "$PROPTEST_RNG_SEED" ] || unset PROPTEST_RNG_SEED
run() { cargo test --profile local --locked "$@" 2>&1 | tee -a "$results"; }
# What failed and why, once more at the end: a long log is often cut in the middle.
again() { [ $? = 0 ] || awk '/^---- .* stdout ----$/ { on = 1 } /^failures:$/ { on = 0 } on' "$results"; }
trap again EXIT
# Of all packages at once: one package alone has other features of the SDKs, which would be built anew for it.
together() { run --workspace --exclude simulation "$@"; }
: > "$results"
run --doc --package publish
together --all-targets --no-fail-fast
# Alone: for a while nobody gets a note.
together --test it failover:: -- --ignored
# Alone as well: it breaks what all others use.
together --test faults -- --test-threads 1

step "simulation: 12,000 seeds, half of them with faults all the time, half with faults that stop"
run --package simulation --all-targets -- --nocapture

step "the HTTP API, held to its document"
tests/openapi/openapi.sh
tests/documented.sh

step "other people's implementations"
tests/interop.sh --small

printf '\n'
awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 } /^[0-9]+ runs of the simulation/ { runs += $1 }
     END { printf "%d passed, %d failed, %d skipped; %d runs simulated\n", passed, failed, ignored, runs }' "$results"
