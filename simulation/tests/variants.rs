//! Carillon with one thing broken: each must be noticed, or the simulation proves nothing.

#![expect(clippy::print_stdout, reason = "it says by which seed each was caught")]

use simulation::{Mode, Setup, Variant, run};

/// Within so many seeds.
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
fn senders_who_do_not_claim_are_caught() {
    check(Variant::NoClaim, Mode::Safety);
}

#[test]
fn a_channel_that_acknowledges_before_it_sends_is_caught() {
    check(Variant::AckBeforeSend, Mode::Liveness);
}

#[test]
fn a_dispatch_that_acknowledges_before_it_queues_is_caught() {
    check(Variant::AckBeforeQueueing, Mode::Liveness);
}

#[test]
fn a_key_that_does_not_say_on_which_channel_is_caught() {
    check(Variant::KeyWithoutChannel, Mode::Safety);
}

#[test]
fn claims_without_a_token_are_caught() {
    check(Variant::NoToken, Mode::Safety);
}

#[test]
fn a_ledger_that_says_sent_before_it_is_sent_is_caught() {
    check(Variant::SettleBeforeSend, Mode::Safety);
}

#[test]
fn a_lease_without_an_end_in_its_condition_is_caught() {
    check(Variant::NoLease, Mode::Safety);
}

#[test]
fn outcomes_written_over_whatever_stands_there_are_caught() {
    check(Variant::SettleUnconditionally, Mode::Safety);
}

#[test]
fn a_sender_who_does_not_look_for_cancellations_is_caught() {
    check(Variant::NoCancelCheck, Mode::Safety);
}

#[test]
fn a_job_without_its_expiry_is_caught() {
    check(Variant::NoExpiry, Mode::Safety);
}

#[test]
fn a_batch_of_which_the_failed_part_is_not_read_is_caught() {
    check(Variant::ReportIgnored, Mode::Liveness);
}

#[test]
fn a_relay_that_ignores_the_order_is_caught() {
    check(Variant::RelayWithoutOrder, Mode::Safety);
}

#[test]
fn a_relay_that_goes_on_without_what_failed_is_caught() {
    check(Variant::RelayGoesOn, Mode::Safety);
}

#[test]
fn an_outbox_without_a_sweep_is_caught() {
    check(Variant::NoSweep, Mode::Liveness);
}

#[test]
fn a_relay_that_acknowledges_what_nobody_saw_is_caught() {
    check(Variant::RelayAcknowledges, Mode::Liveness);
}

#[test]
fn an_append_without_guard_and_token_is_caught() {
    check(Variant::NoGuard, Mode::Safety);
}

#[test]
fn an_append_that_does_not_look_at_the_version_is_caught() {
    check(Variant::NoVersion, Mode::Safety);
}

#[test]
fn a_resend_that_the_policy_forbids_is_caught() {
    check(Variant::UnknownResent, Mode::Safety);
}

#[test]
fn a_channel_that_does_not_hand_on_what_failed_is_caught() {
    check(Variant::NoHandOn, Mode::Liveness);
}

#[test]
fn a_job_that_nobody_brings_back_at_its_time_is_caught() {
    check(Variant::LaterLost, Mode::Liveness);
}

#[test]
fn a_sweep_that_goes_by_the_clocks_of_producers_is_caught() {
    check(Variant::SweepByClock, Mode::Safety);
}

#[test]
fn every_variant_has_a_name_that_is_read_back() {
    for variant in Variant::ALL {
        assert_eq!(Variant::from_name(&variant.name()), Some(variant));
    }
}
