//! Each variant breaks one behaviour, and the simulation must detect it.

#![expect(clippy::print_stdout, reason = "it says by which seed each was caught")]

use simulation::{Mode, Setup, Variant, run};

/// Number of seeds within which a variant must be detected.
const SEEDS: u64 = 500;

const EVENTS: u32 = 5;

#[track_caller]
fn check(variant: Variant, mode: Mode) {
    let caught = (0..SEEDS).find_map(|seed| {
        let setup = Setup { variant: Some(variant), ..Setup::new(seed, mode, EVENTS) };
        run(&setup).violations.into_iter().next().map(|violation| (seed, violation))
    });
    let (seed, what) = caught.unwrap_or_else(|| panic!("{} goes unnoticed", variant.name()));
    println!("{}: seed {seed}: {what}", variant.name());
}

#[test]
fn sending_without_a_claim_is_detected() {
    check(Variant::NoClaim, Mode::Safety);
}

#[test]
fn channel_that_acknowledges_before_sending_is_detected() {
    check(Variant::AckBeforeSend, Mode::Liveness);
}

#[test]
fn dispatch_that_acknowledges_before_queueing_is_detected() {
    check(Variant::AckBeforeQueueing, Mode::Liveness);
}

#[test]
fn key_without_the_channel_is_detected() {
    check(Variant::KeyWithoutChannel, Mode::Safety);
}

#[test]
fn claims_without_a_token_are_detected() {
    check(Variant::NoToken, Mode::Safety);
}

#[test]
fn settlement_before_the_send_is_detected() {
    check(Variant::SettleBeforeSend, Mode::Safety);
}

#[test]
fn takeover_of_an_active_lease_is_detected() {
    check(Variant::NoLease, Mode::Safety);
}

#[test]
fn unconditional_settlement_is_detected() {
    check(Variant::SettleUnconditionally, Mode::Safety);
}

#[test]
fn missing_cancellation_check_is_detected() {
    check(Variant::NoCancelCheck, Mode::Safety);
}

#[test]
fn job_without_its_expiry_is_detected() {
    check(Variant::NoExpiry, Mode::Safety);
}

#[test]
fn ignored_batch_failures_are_detected() {
    check(Variant::ReportIgnored, Mode::Liveness);
}

#[test]
fn relay_that_ignores_the_order_is_detected() {
    check(Variant::RelayWithoutOrder, Mode::Safety);
}

#[test]
fn relay_that_skips_failed_records_is_detected() {
    check(Variant::RelayGoesOn, Mode::Safety);
}

#[test]
fn outbox_without_a_sweep_is_detected() {
    check(Variant::NoSweep, Mode::Liveness);
}

#[test]
fn relay_that_acknowledges_before_the_audit_is_detected() {
    check(Variant::RelayAcknowledges, Mode::Liveness);
}

#[test]
fn append_without_guard_and_token_is_detected() {
    check(Variant::NoGuard, Mode::Safety);
}

#[test]
fn append_without_a_version_check_is_detected() {
    check(Variant::NoVersion, Mode::Safety);
}

#[test]
fn resend_against_the_policy_is_detected() {
    check(Variant::UnknownResent, Mode::Safety);
}

#[test]
fn missing_failover_is_detected() {
    check(Variant::NoHandOn, Mode::Liveness);
}

#[test]
fn lost_scheduled_message_is_detected() {
    check(Variant::LaterLost, Mode::Liveness);
}

#[test]
fn sweep_by_producers_clocks_is_detected() {
    check(Variant::SweepByClock, Mode::Safety);
}

#[test]
fn join_without_a_marker_is_detected() {
    check(Variant::NoMarker, Mode::Safety);
}

#[test]
fn digest_header_without_a_version_check_is_detected() {
    check(Variant::WindowWithoutVersion, Mode::Safety);
}

#[test]
fn digest_timer_that_no_redelivery_makes_again_is_detected() {
    check(Variant::TimerOnce, Mode::Liveness);
}

#[test]
fn cancelled_event_in_a_digest_is_detected() {
    check(Variant::CancelledInDigest, Mode::Safety);
}

#[test]
fn page_that_is_marked_before_its_output_is_detected() {
    check(Variant::PageMarkedFirst, Mode::Liveness);
}

#[test]
fn lost_continuation_of_an_audience_is_detected() {
    check(Variant::NextPageLost, Mode::Liveness);
}

#[test]
fn page_by_position_in_a_changing_group_is_detected() {
    check(Variant::PageByPosition, Mode::Liveness);
}

#[test]
fn variant_names_round_trip() {
    for variant in Variant::ALL {
        assert_eq!(Variant::from_name(&variant.name()), Some(variant));
    }
}
