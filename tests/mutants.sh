#!/usr/bin/env bash
# Changes the domain in one place at a time and expects that a unit test fails. Lists each change that no test notices
# and that tests/mutants.txt does not name.
#
#   tests/mutants.sh 3/40                                  the fourth of 40 parts of the domain
#   tests/mutants.sh 0/1 'shared/domain/src/time/**'       all changes of some files
#
# Without a part, the run takes one at random. `make .local/mutants/bin/cargo-mutants` installs the tool.
set -euo pipefail
cd "$(dirname "$0")/.."

part=${1:-$((RANDOM % 40))/40}
files=()
for pattern in "${@:2}"; do files+=(--file "$pattern"); done
out=.local/mutants/$$
mkdir -p "$out"
trap 'rm -rf "$out"' EXIT

status=0
PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED-20261121}" .local/mutants/bin/cargo-mutants mutants \
  --package carillon-domain --profile local --shard "$part" "${files[@]}" --output "$out" --colors never \
  --minimum-test-timeout 120 --no-times -- --lib > "$out/log" 2>&1 || status=$?
# 2: a change was not noticed. 3: a test ran for too long, which notices a change.
case $status in
  0 | 2 | 3) ;;
  *) tail -n 20 "$out/log"; exit 1 ;;
esac
tail -n 1 "$out/log"

# Lines move, so the list names file and change only.
unnoticed=$(sed -E 's/:[0-9]+:[0-9]+: /: /' "$out/mutants.out/missed.txt" | sort -u |
  grep -vxFf <(sed -n 's/ *#.*//; /./p' tests/mutants.txt)) || true
[ -z "$unnoticed" ] || {
  echo "no test notices these changes. Write a test, or add the line with a reason to tests/mutants.txt:"
  printf '  %s\n' "$unnoticed"
  exit 1
}
