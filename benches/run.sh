#!/bin/sh
# Builds the measured programs and measures them: benches/run.sh [--size] [--json]
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
  cargo build --profile local --locked --quiet -p carillon-benches
  ;;
*)
  say "building the same functions on the SDK's default client (some minutes, once) …"
  cargo build --release --locked --quiet --manifest-path benches/peer/Cargo.toml --target-dir target/peer || {
    say "if its lock file is behind: cp Cargo.lock benches/peer/ && cargo metadata -q --manifest-path benches/peer/Cargo.toml >/dev/null"
    exit 2
  }
  wanted=benches/powertools/requirements.txt
  if ! command -v python3 >/dev/null; then
    say "python3 is missing: nothing will stand beside dispatch's plain job"
  elif [ ! -e .local/powertools/.installed ] || [ "$wanted" -nt .local/powertools/.installed ]; then
    say "installing Powertools for Python into .local/powertools (once) …"
    rm -rf .local/powertools && python3 -m venv .local/powertools
    .local/powertools/bin/pip install --quiet --disable-pip-version-check --requirement "$wanted"
    touch .local/powertools/.installed
  fi
  say "compiling the catalogs …"
  cargo build --profile local --locked --quiet -p carillon-cli -p carillon-benches
  mkdir -p target/bench/plain
  target/local/carillon check --out target/bench/catalog.json >/dev/null
  target/local/carillon check benches/powertools/config --out target/bench/plain/catalog.json >/dev/null
  ;;
esac
exec target/local/benches "$@"
