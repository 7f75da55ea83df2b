#!/usr/bin/env bash
# Runs the tests of `make test` with other seeds and for longer: `make soak`, or `make soak ROUNDS=20`. Prints the
# command that repeats each failed seed.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${ROUNDS:-3}
step() { printf '\n\033[1m▸ %s\033[0m\n' "$*"; }
failed=()

step "things broken on purpose"
tests/broken/run.sh || failed+=("tests/broken/run.sh")

step "other people's implementations"
tests/interop.sh || failed+=("tests/interop.sh")

step "the HTTP API, held to its document by ${EXAMPLES:-25} examples an operation"
every="PHASES=examples,coverage,fuzzing EXAMPLES=${EXAMPLES:-25}"
env $every tests/documented.sh || failed+=("$every tests/documented.sh")

step "fuzz targets, ${FUZZ:-25} seconds each"
fuzz/run.sh "${FUZZ:-25}" || failed+=("fuzz/run.sh")

part=${MUTANTS:-$((RANDOM % 40))/40}
step "mutations of the domain, part $part"
make --no-print-directory .local/mutants/bin/cargo-mutants
tests/mutants.sh "$part" || failed+=("tests/mutants.sh $part")

for round in $(seq "$rounds"); do
  seed=$((RANDOM * 32768 + RANDOM))

  step "properties, round $round: ${CASES:-20000} cases by the seed $seed"
  PROPTEST_RNG_SEED=$seed PROPTEST_CASES=${CASES:-20000} \
    cargo test --profile local --locked --package carillon-domain --package carillon-catalog --package carillon-templates properties ||
    failed+=("PROPTEST_RNG_SEED=$seed PROPTEST_CASES=${CASES:-20000} cargo test --profile local -p carillon-domain -p carillon-catalog -p carillon-templates properties")

  if [ -d simulation ]; then
    step "simulation, round $round: ${SEEDS:-20000} seeds from $seed"
    cargo run --quiet --profile local --locked --package carillon-simulation -- --seeds "${SEEDS:-20000}" --from "$seed" ||
      failed+=("cargo run --profile local -p carillon-simulation -- --seeds ${SEEDS:-20000} --from $seed")
  fi

  step "faults, round $round: seed $seed"
  CARILLON_SEED=$seed cargo test --profile local --locked --workspace --exclude carillon-simulation --test faults -- --test-threads 1 ||
    failed+=("CARILLON_SEED=$seed cargo test --profile local --workspace --exclude carillon-simulation --test faults -- --test-threads 1")
done

printf '\n'
if [ ${#failed[@]} -gt 0 ]; then
  echo "to repeat what failed:"
  printf '  %s\n' "${failed[@]}"
  exit 1
fi
echo "$rounds rounds, nothing failed"
