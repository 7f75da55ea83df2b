#!/usr/bin/env bash
# Are the tests worth anything? Each patch here breaks one thing on purpose, and names the test that must notice.
#
#   tests/broken/run.sh              all that need no local cloud
#   tests/broken/run.sh no-claim     this one
#   tests/broken/run.sh --cloud      those that need one, too: it is deployed to anew for each
#
# A patch begins with `# caught by: cargo test -p <crate> <filter>`. It is applied in a copy of what is committed; there the
# test must pass before, and fail after.
set -euo pipefail
cd "$(dirname "$0")/../.."

here=$PWD
copy=$here/.local/broken
# What others wrote is built once for both; the copy's own crates are told apart by where they lie.
CARGO_TARGET_DIR=$(realpath target)
export CARGO_TARGET_DIR
with_cloud=no
[ "${1-}" != --cloud ] || { with_cloud=yes; shift; }
if [ $# -gt 0 ]; then patches=("${@/#/tests/broken/}"); patches=("${patches[@]/%/.patch}"); else patches=(tests/broken/*.patch); fi

rm -rf "$copy" && git clone --quiet --shared "$here" "$copy"
caught=0 missed=() skipped=0
declare -A fine

run() { (cd "$copy" && PROPTEST_RNG_SEED="${PROPTEST_RNG_SEED-20261121}" cargo test --profile local --locked "$@" 2>&1); }

for patch in "${patches[@]}"; do
  name=$(basename "$patch" .patch)
  [ -f "$patch" ] || { echo "there is no $patch; there are: $(cd tests/broken && ls ./*.patch | sed 's/^..//; s/.patch$//' | tr '\n' ' ')"; exit 2; }
  read -ra test <<< "$(sed -n '1s/^# caught by: cargo test //p' "$patch")"
  [ ${#test[@]} -gt 0 ] || { echo "$patch does not say who catches it"; exit 2; }
  if [[ " ${test[*]} " == *" faults "* && $with_cloud == no ]]; then
    skipped=$((skipped + 1))
    continue
  fi
  key="${test[*]}"
  if [ -z "${fine[$key]-}" ] && [[ " $key " != *" faults "* ]]; then
    said=$(run "${test[@]}") || { echo "$said"; echo "$name: its test fails before anything is broken"; exit 1; }
    grep -q '^test .* ok$' <<< "$said" || { echo "$name: there is no test that fits: $key"; exit 1; }
    fine[$key]=yes
  fi
  git -C "$copy" apply "$here/$patch" || { echo "$name: it does not fit any more; mend the patch"; exit 1; }
  if [[ " $key " == *" faults "* ]]; then (cd "$here" && git apply "$patch" && make --no-print-directory up > /dev/null); fi
  if [[ " $key " == *" faults "* ]]; then
    said=$(cd "$here" && cargo test --profile local "${test[@]}" 2>&1) && failed=no || failed=yes
    git apply --reverse "$patch"
  else
    said=$(run "${test[@]}") && failed=no || failed=yes
  fi
  git -C "$copy" checkout --quiet .
  if grep -q '^error' <<< "$(grep -v 'test failed' <<< "$said")"; then
    echo "$said" | grep -A8 '^error' | head -30
    echo "$name: it does not compile; mend the patch"
    exit 1
  fi
  if [ $failed = yes ]; then
    caught=$((caught + 1))
    printf 'caught  %-22s by %s\n' "$name" "$(sed -n 's/^test \(.*\) \.\.\. FAILED$/\1/p' <<< "$said" | tr '\n' ' ')"
  else
    missed+=("$name")
    printf 'MISSED  %-22s %s\n' "$name" "$(sed -n '2s/^# //p' "$patch")"
  fi
done
rm -rf "$copy"
printf '%d caught, %d missed, %d need a local cloud (--cloud)\n' "$caught" "${#missed[@]}" "$skipped"
[ ${#missed[@]} -eq 0 ]
