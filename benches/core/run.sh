#!/bin/sh
# Instructions for matching and parsing, beside peer crates: benches/core/run.sh [--json | --agree [pairs] | --seals
# [records]]
# PROFILE=fast builds for speed alone; the default profile is the deployed one, optimised for size.
set -eu
cd "$(dirname "$0")"

say() { echo "bench: $*" >&2; }

profile=${PROFILE:-release}
target=${CARGO_TARGET_DIR:-../../target/core}
case " $* " in
*" --agree "* | *" --seals "*) ;;
*) command -v valgrind >/dev/null || { say "valgrind is missing; apt-get install valgrind"; exit 2; } ;;
esac
say "building as deployed, profile $profile (a minute or two, once) …"
cargo build --profile "$profile" --locked --quiet --target-dir "$target"
exec "$target/$profile/measure-core" "$@"
