#!/usr/bin/env bash
# Replays the known attacks against the local cloud with IAM on, and prints for each whether it is refused.
# `make attacks` starts the cloud first. Each line is an end-to-end test that fails when its attack succeeds.
set -uo pipefail
cd "$(dirname "$0")/.."

attacks=(
  "forged acknowledgement of an outbox entry|forgery::forged_acknowledgement_leaves_the_entry_pending_and_unchanged"
  "forged version in another owner's stream|forgery::forged_version_of_a_stream_stands_in_nobodys_way"
  "replay mark of a producer|forgery::replay_mark_of_a_producer_is_ignored_and_its_event_is_found"
  "envelope that names another source|producers::event_that_names_another_source_inside_reaches_no_recipient_and_both_pairs_are_on_record"
  "update of another tenant's person|producers::person_of_another_tenant_is_not_changed_and_the_event_is_put_aside"
  "another tenant's file as an attachment|tenancy::foreign_file_is_refused_and_no_letter_goes_out"
  "device on a person of another tenant|tenancy::admin_of_one_tenant_neither_sees_nor_changes_devices_of_a_shared_person"
  "device that waits for another tenant's notes|tenancy::device_that_one_tenant_planted_takes_no_note_of_another"
  "empty tenant parameter|tenancy::empty_tenant_is_refused_for_every_caller"
  "socket after its token's end|sessions::socket_ends_with_the_token_that_opened_it"
  "socket of a deleted person|sessions::deleted_person_loses_every_socket"
  "access record put on the bus|access::record_that_was_put_on_the_bus_is_not_listed"
  "events to an endpoint that proved nothing|limits::unverified_endpoint_gets_no_event_until_its_owner_posts_the_challenge"
  "flood of frames on a socket|limits::flooding_socket_is_slowed_closed_and_kept_away_and_its_neighbour_is_answered"
  "old unsubscribe link after a take-back|privacy::old_link_does_nothing_after_its_unsubscription_was_taken_back"
  "webhook secret copied to another endpoint|webhook_secrets::a_ciphertext_in_another_endpoints_row_signs_nothing"
)

log=.local/attacks.log
refused=0
succeeded=0
: > "$log"
echo "building the tests …"
cargo test --profile local --locked --workspace --exclude simulation --test it --no-run >> "$log" 2>&1 ||
  { tail -n 20 "$log"; exit 2; }
for attack in "${attacks[@]}"; do
  name=${attack%%|*}
  test=${attack##*|}
  # A filter that fits no test would pass without one.
  if cargo test --profile local --locked --workspace --exclude simulation --test it -- --exact "$test" 2>&1 |
    tee -a "$log" | grep -q "^test result: ok. 1 passed"; then
    refused=$((refused + 1))
    printf '  refused    %s\n' "$name"
  else
    succeeded=$((succeeded + 1))
    printf '  SUCCEEDED  %s (%s)\n' "$name" "$test"
  fi
done
echo "$refused of ${#attacks[@]} attacks refused; what each test printed: $log"
exit $((succeeded > 0))
