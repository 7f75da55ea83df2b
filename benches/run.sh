#!/bin/sh
# Builds what is measured, and measures it: benches/run.sh [--size] [--json]
set -eu
cd "$(dirname "$0")/.."

say() { echo "bench: $*" >&2; }

for tool in cargo cc; do
  command -v "$tool" >/dev/null || { say "$tool is missing"; exit 2; }
done

say "building the functions as released (some minutes when they are not built yet) …"
functions=
for folder in functions/*/; do functions="$functions -p $(basename "$folder")"; done
# shellcheck disable=SC2086 # one word per function
cargo build --release --locked --quiet $functions

case " $* " in
*" --size "*)
  cargo build --profile local --locked --quiet -p benches
  ;;
*)
  say "building the same functions on the SDK's default client (some minutes, once) …"
  cargo build --release --locked --quiet --manifest-path benches/peer/Cargo.toml --target-dir target/peer || {
    say "if its lock file is behind: cp Cargo.lock benches/peer/ && cargo metadata -q --manifest-path benches/peer/Cargo.toml >/dev/null"
    exit 2
  }
  say "compiling the catalog …"
  cargo build --profile local --locked --quiet -p cli -p benches
  target/local/carillon check --out target/bench/catalog.json >/dev/null
  ;;
esac
exec target/local/benches "$@"
