#!/usr/bin/env bash
# Runs the fuzz targets for some seconds each and prints the command that repeats a failure.
#
#   fuzz/run.sh                  all targets, 20 seconds each
#   fuzz/run.sh 300 pattern      one target for five minutes
#
# The stable compiler instruments the code by the flags of cargo-fuzz. The found inputs stay in .local/fuzz/<target>,
# so each run continues the last one.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-20}
[ $# = 0 ] || shift
triple=$(rustc -vV | sed -n 's/^host: //p')
passes="-Cpasses=sancov-module"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
  passes="$passes -Cllvm-args=-sanitizer-coverage-$option"
done
# A target triple of its own keeps the flags away from build scripts.
RUSTFLAGS="--cfg fuzzing -Ccodegen-units=1 $passes" \
  cargo build --manifest-path fuzz/Cargo.toml --target-dir target/fuzz --target "$triple" --release --locked --quiet
programs=target/fuzz/$triple/release

if [ $# = 0 ]; then
  mapfile -t targets < <(basename -s .rs fuzz/fuzz_targets/*.rs)
else
  targets=("$@")
fi
failed=()
for target in "${targets[@]}"; do
  [ -x "$programs/$target" ] || { echo "there is no fuzz target $target"; exit 2; }
  corpus=.local/fuzz/$target
  mkdir -p "$corpus" "$corpus.seeds" "$corpus.failures"
  python3 fuzz/seeds.py "$target" "$corpus.seeds"
  words=()
  [ ! -f "fuzz/words/$target.txt" ] || words=("-dict=fuzz/words/$target.txt")
  log=.local/fuzz/$target.log
  if "$programs/$target" -max_total_time="$seconds" -max_len=8192 -timeout=10 -rss_limit_mb=2048 "${words[@]}" \
    -print_final_stats=1 -artifact_prefix="$corpus.failures/" "$corpus" "$corpus.seeds" > "$log" 2>&1; then
    printf 'fuzz %-8s %s runs in %s s, %s inputs\n' "$target" \
      "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$seconds" "$(find "$corpus" -type f | wc -l)"
  else
    input=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
    grep -m1 -A3 "panicked at\|ERROR: libFuzzer" "$log" || tail -n 5 "$log"
    failed+=("$programs/$target $input")
  fi
done
[ ${#failed[@]} = 0 ] || { echo "to repeat what failed:"; printf '  %s\n' "${failed[@]}"; exit 1; }
