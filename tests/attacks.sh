#!/usr/bin/env bash
# Replays the known attacks against the local cloud with IAM on, and prints for each whether it is refused.
# `make attacks` starts the cloud first. Each line is an end-to-end test that fails when its attack succeeds.
set -uo pipefail
cd "$(dirname "$0")/.."

attacks=(
  "forged acknowledgement of an outbox entry|producers::forgery::forged_acknowledgement_leaves_the_entry_pending_and_unchanged"
  "forged version in another owner's stream|producers::forgery::forged_version_of_a_stream_does_not_block_the_real_one"
  "replay mark of a producer|producers::forgery::replay_mark_of_a_producer_is_ignored_and_its_event_is_found"
  "envelope that names another source|producers::hostile::event_with_a_mismatched_source_reaches_no_recipient_and_both_sources_are_recorded"
  "update of another tenant's person|producers::hostile::person_of_another_tenant_is_not_changed_and_the_event_is_dead_lettered"
  "another tenant's file as an attachment|people::tenancy::foreign_file_is_refused_and_no_email_goes_out"
  "device on a person of another tenant|people::tenancy::admin_of_one_tenant_neither_sees_nor_changes_devices_of_a_shared_person"
  "device that waits for another tenant's notes|people::tenancy::planted_device_gets_no_push_notification_of_another_tenant"
  "empty tenant parameter|people::tenancy::empty_tenant_is_refused_for_every_caller"
  "socket after its token's end|realtime::sessions::socket_ends_with_the_token_that_opened_it"
  "socket of a deleted person|realtime::sessions::deleting_a_person_closes_all_their_sockets"
  "access record put on the bus|api::access::record_that_was_put_on_the_bus_is_not_listed"
  "events to an endpoint that proved nothing|realtime::limits::unverified_endpoint_gets_no_event_until_its_owner_posts_the_challenge"
  "flood of frames on a socket|realtime::limits::flooding_socket_is_slowed_closed_and_kept_away_and_its_neighbour_is_answered"
  "old unsubscribe link after a take-back|people::privacy::used_link_has_no_effect_after_the_person_resubscribed"
  "webhook secret copied to another endpoint|channels::webhook_secrets::ciphertext_in_the_row_of_another_endpoint_does_not_sign"
)

log=.local/attacks.log
refused=0
succeeded=0
: > "$log"
echo "building the tests …"
cargo test --profile local --locked --workspace --exclude carillon-simulation --test e2e --no-run >> "$log" 2>&1 ||
  { tail -n 20 "$log"; exit 2; }
for attack in "${attacks[@]}"; do
  name=${attack%%|*}
  test=${attack##*|}
  # A filter that matches no test would pass.
  if cargo test --profile local --locked --workspace --exclude carillon-simulation --test e2e -- --exact "$test" 2>&1 |
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
