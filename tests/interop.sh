#!/usr/bin/env bash
# Compares the product with other people's implementations: libphonenumber, Intl, the CloudEvents SDKs and others. Each
# file of tests/interop prints one line, `name: agree N of M`, and fails on a disagreement that it does not justify.
#
#   tests/interop.sh --small     some seconds each: part of `make test`
#   tests/interop.sh             everything: part of `make soak`
#   tests/interop.sh --small phones
set -euo pipefail
cd "$(dirname "$0")/.."

arguments=()
[ "${1-}" != --small ] || { arguments=(--small); shift; }
make --no-print-directory .local/interop/.installed
CARILLON=$PWD/target/local/carillon
export CARILLON
if [ $# -gt 0 ]; then files=("${@/#/tests/interop/}"); files=("${files[@]/%/.py}"); else files=(tests/interop/*.py); fi

failed=()
for file in "${files[@]}"; do
  [ -f "$file" ] || { echo "there is no $file; there are: $(cd tests/interop && ls ./*.py | tr '\n' ' ')"; exit 2; }
  .local/interop/bin/python "$file" "${arguments[@]}" || failed+=("$(basename "$file" .py)")
done
if [ ${#failed[@]} -gt 0 ]; then
  echo "disagrees: ${failed[*]}; to repeat: tests/interop.sh ${arguments[*]} ${failed[*]}"
  exit 1
fi
