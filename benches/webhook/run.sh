#!/bin/sh
# Instructions of webhooks, and the effect of failing endpoints on others: benches/webhook/run.sh [--neighbours]
set -eu
cd "$(dirname "$0")"

say() { echo "bench: $*" >&2; }

target=${CARGO_TARGET_DIR:-../../target}/measure-webhook
profile=release
case " $* " in
*" --neighbours "*) profile=quick ;;
*) command -v valgrind >/dev/null || { say "valgrind is missing; apt-get install valgrind"; exit 2; } ;;
esac
say "building, profile $profile (some minutes, once) …"
cargo build --profile "$profile" --locked --quiet --target-dir "$target"
program=$target/$profile/measure-webhook
case " $* " in
*" --neighbours "*) exec "$program" --neighbours ;;
esac

# Instructions of `times` runs, minus those of an empty run.
count() {
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$program" --once "$1" "$2" 2>&1 >/dev/null |
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p'
}
for operation in hmac hmac-rotating ed25519 url addresses; do
  none=$(count "$operation" 100)
  many=$(count "$operation" 1100)
  echo "$operation $(((many - none) / 1000)) instructions"
done
