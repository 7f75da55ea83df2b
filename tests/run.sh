#!/usr/bin/env bash
# Runs all checks, cheapest first. `make test` calls this.
set -euo pipefail
cd "$(dirname "$0")/.."

step() { printf '\n\033[1m▸ %s\033[0m\n' "$*"; }

step "format"
cargo fmt --all --check
python3 tests/documents.py
python3 tests/runbooks.py
python3 tests/code_blocks.py
python3 tests/github.py
tests/prose.py

step "build"
# Port of the receivers in examples/webhooks. The port of the previous run is reused, which avoids a new deployment.
receiver=$(python3 -c 'import json, socket
try:
    print(json.load(open(".local/cloud.json"))["webhook_allow"][0])
except (OSError, ValueError, LookupError):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        print(f"http://127.0.0.1:{free.getsockname()[1]}")')
# Builds binaries and tests together. Built alone, the binaries have other SDK features, and the SDKs would be built
# twice.
make --no-print-directory up TARGETS=--all-targets WEBHOOK_ALLOW="$receiver" .local/awscli/.installed .local/schemathesis/.installed .local/webhooks/.installed .local/generators/.installed .local/dist/.installed .local/checkov/.installed .local/workflows/.installed
make --no-print-directory .local/producer-node/.installed || echo "SKIPPED what needs Node: it cannot be installed"
python3 tests/documents.py target/local/carillon
.local/awscli/bin/python tests/runbooks.py --aws

step "files for GitHub"
python3 tests/github.py --schemas

step "template"
.local/sam/bin/cfn-lint infra/template.yaml
echo "cfn-lint: nothing to say"
tests/checkov.sh

step "supply chain"
make --no-print-directory deny

step "lints"
cargo clippy --workspace --all-targets --profile local --locked -- -D warnings
cargo clippy --workspace --test faults --profile local --locked -- -D warnings
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet --profile local --locked

step "tests"
results=.local/tests.log
# Runs use the same cases, so that only a change can cause a failure. PROPTEST_RNG_SEED= selects others.
export PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED-20261121}"
[ -n "$PROPTEST_RNG_SEED" ] || unset PROPTEST_RNG_SEED
run() { cargo test --profile local --locked "$@" 2>&1 | tee -a "$results"; }
# Repeats failures at the end, because long logs are often cut in the middle.
again() { [ $? = 0 ] || awk '/^---- .* stdout ----$/ { on = 1 } /^failures:$/ { on = 0 } on' "$results"; }
trap again EXIT
# Selects all packages. One package alone has other SDK features, and the SDKs would be built again.
together() { run --workspace --exclude carillon-simulation "$@"; }
: > "$results"
# Compiles the published crates as crates.io gets them, and their examples.
make --no-print-directory crates
run --doc --package carillon-publish --package carillon-event --package carillon-sdk-error
run --doc --package carillon-domain sensitive
together --all-targets --no-fail-fast
# Runs alone: the push provider is down during the test.
together --test e2e failover:: -- --ignored
# Runs alone too: the faults affect the whole local cloud.
together --test faults -- --test-threads 1

step "simulation: 12,000 seeds, half of them with faults all the time, half with faults that stop"
run --package carillon-simulation --all-targets -- --nocapture

step "the HTTP API, held to its document"
tests/openapi/openapi.sh
tests/documented.sh

step "code blocks of the documents"
.local/sam/bin/python tests/code_blocks.py target/local/carillon

step "other people's implementations"
tests/interop.sh --small

printf '\n'
awk '/^test result:/ { passed += $4; failed += $6; ignored += $8 } /^[0-9]+ runs of the simulation/ { runs += $1 }
     END { printf "%d passed, %d failed, %d skipped; %d runs simulated\n", passed, failed, ignored, runs }' "$results"
