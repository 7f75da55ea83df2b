#!/bin/sh
# Instructions of one rendering, ours beside its peers: the difference between 100 and 200 renderings under Callgrind.
set -eu
cd "$(dirname "$0")"

for tool in cargo valgrind; do
  command -v "$tool" >/dev/null || { echo "render: $tool is missing" >&2; exit 2; }
done
target=${CARGO_TARGET_DIR:-../../target/render}
cargo build --release --locked --quiet --target-dir "$target"

count() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$target/release/render" "$1" "$2" 2>&1 |
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}

printf '%-16s %s\n' engine 'instructions a rendering'
for engine in ours ours-cold ours-scene minijinja minijinja-cold handlebars handlebars-cold askama; do
  few=$(count "$engine" 100)
  many=$(count "$engine" 200)
  printf '%-16s %d\n' "$engine" $(((many - few) / 100))
done
