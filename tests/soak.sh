#!/usr/bin/env bash
# What looks at other cases each time, for so many minutes each. `make soak` calls this; what fails says how to repeat it.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes="${1:-10}"
failed=0

step() { printf '\n\033[1m▸ %s\033[0m\n' "$*"; }
fail() { failed=1; printf '\033[1m✗ %s\033[0m\n' "$*"; }

# So long runs what comes next, again and again, until it fails.
again() {
  local end=$((SECONDS + minutes * 60))
  while [ "$SECONDS" -lt "$end" ]; do "$@" || return 1; done
}

# A number that nobody has thought of.
any() { od -An -N4 -tu4 /dev/urandom | tr -d ' '; }

step "simulation: the whole flow in one process, seeds of today"
cargo build -p simulation --profile local --locked --quiet
simulation() { target/local/simulate --seeds 2000 --from "$(any)"; }
again simulation || fail "a run that must not be: the command above repeats it"

exit "$failed"
