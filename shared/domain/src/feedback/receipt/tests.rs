use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::base::outcome::Status;

/// Receipts of each provider, with the fields and the form of its documentation.
macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!("samples/", $name, ".json"))
    };
}

const KEY: &str = "kEyOfTheEvent01-kEyOfTheNotification_01-02x";

#[test]
fn ses_receipt_has_key_and_state() {
    let undeliverable = StatusUpdate::Undelivered(Reason::Undeliverable);
    for (sample, news, at) in [
        (sample!("ses-send"), StatusUpdate::Accepted, "2026-11-21T12:00:00.012Z"),
        (sample!("ses-delivery"), StatusUpdate::Delivered, "2026-11-21T12:00:02.5Z"),
        (sample!("ses-bounce-permanent"), StatusUpdate::Bounced, "2026-11-21T12:00:02.669Z"),
        (sample!("ses-bounce-transient"), undeliverable, "2026-11-21T12:00:02.669Z"),
        (sample!("ses-bounce-undetermined"), undeliverable, "2026-11-21T12:00:02.669Z"),
        (sample!("ses-complaint"), StatusUpdate::Complained, "2026-11-21T12:00:02.7Z"),
        (sample!("ses-reject"), StatusUpdate::Undelivered(Reason::Rejected), "2026-11-21T12:00:03Z"),
        (sample!("ses-open"), StatusUpdate::Seen, "2026-11-21T12:05:00.652Z"),
        (sample!("ses-click"), StatusUpdate::Seen, "2026-11-21T12:05:00.851Z"),
    ] {
        let receipt = receipt(sample);
        assert_eq!(receipt.key, Key::parse(KEY));
        assert!(receipt.provider_id.is_some_and(|provider_id| provider_id.starts_with("EXAMPLE7c")));
        assert_eq!((receipt.news, receipt.at.to_string().as_str()), (news, at));
    }
}

#[test]
fn machine_opens_and_delays_are_ignored() {
    for sample in [sample!("ses-open-by-machine"), sample!("ses-delay"), sample!("ses-advisor")] {
        assert!(matches!(read(sample), Ok(ProviderEvent::Nothing(_))));
    }
    let not_spam = sample!("ses-complaint").replace("abuse", "not-spam");
    assert!(matches!(read(&not_spam), Ok(ProviderEvent::Nothing(_))), "taken out of the spam folder");
}

#[test]
fn sms_receipt_is_matched_by_context_or_id() {
    for (sample, has_key, news) in [
        (sample!("sms-delivered"), true, StatusUpdate::Delivered),
        (sample!("sms-successful"), false, StatusUpdate::Delivered),
        (sample!("sms-pending"), true, StatusUpdate::Accepted),
        (sample!("sms-invalid"), true, StatusUpdate::Bounced),
        (sample!("sms-blocked"), true, StatusUpdate::Undelivered(Reason::Blocked)),
        (sample!("sms-unknown"), true, StatusUpdate::Unconfirmed),
    ] {
        let receipt = receipt(sample);
        assert_eq!(receipt.key.is_some(), has_key);
        assert_eq!(receipt.provider_id.as_deref(), Some("9539975a-e71f-45f3-b496-8d98dc098a77"));
        assert_eq!((receipt.news, receipt.at.as_second()), (news, 1_795_262_403));
    }
}

#[test]
fn whatsapp_receipt_has_only_the_message_id() {
    for (sample, news) in [
        (sample!("whatsapp-sent"), StatusUpdate::Accepted),
        (sample!("whatsapp-delivered"), StatusUpdate::Delivered),
        (sample!("whatsapp-read"), StatusUpdate::Seen),
        (sample!("whatsapp-failed"), StatusUpdate::Undelivered(Reason::Rejected)),
        (sample!("whatsapp-undeliverable"), StatusUpdate::Bounced),
    ] {
        let receipt = receipt(sample);
        assert_eq!(receipt.key, None);
        assert_eq!(receipt.provider_id.as_deref(), Some("4bee7d29-70f5-4a49-b84e-facf4424fe58"));
        assert_eq!((receipt.news, receipt.at.as_second()), (news, 1_795_262_403));
    }
}

#[test]
fn inbound_whatsapp_message_is_read() {
    let Ok(ProviderEvent::Inbound(inbound)) = read(sample!("whatsapp-received")) else {
        panic!("wanted an inbound message")
    };
    assert_eq!((inbound.from.expose(), inbound.at.as_second()), ("+14255550150", 1_795_262_403));
}

#[test]
fn invalid_event_is_refused_without_quoting_it() {
    let strange = sample!("ses-bounce-permanent").replace("aws.ses", "crm");
    let no_type = sample!("ses-bounce-permanent").replace("bounceType", "other");
    let unidentified = sample!("ses-send").replace("carillon-key", "other").replace("messageId", "other");
    for text in ["", "null", "[]", "recipient@example.com", &strange, &no_type, &unidentified] {
        let Err(refusal) = read(text) else { panic!("{text}") };
        assert!(!refusal.to_string().contains("recipient@"), "{refusal}");
    }
}

#[test]
fn bounce_changes_sent_but_only_marks_delivered() {
    let at: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    let hear = |status, news: &[StatusUpdate]| {
        news.iter().fold(DeliveryState::of(status, None), |progress, news| progress.hear(*news, at))
    };
    let bounced = hear(Status::Sent, &[StatusUpdate::Bounced]);
    assert_eq!((bounced.status, bounced.reason), (Status::Bounced, Some(Reason::Bounced)));
    let late = hear(Status::Sent, &[StatusUpdate::Delivered, StatusUpdate::Bounced]);
    assert_eq!((late.status, late.reason, late.marks.bounced_at), (Status::Delivered, None, Some(at)));
    let complained = hear(Status::Sent, &[StatusUpdate::Complained]);
    assert_eq!((complained.status, complained.marks.complained_at), (Status::Sent, Some(at)));
    let unknown = hear(Status::Unknown, &[StatusUpdate::Accepted]);
    assert_eq!((unknown.status, unknown.reason), (Status::Sent, None));
    let read = hear(Status::Sent, &[StatusUpdate::Seen]);
    assert_eq!(
        (read.status, read.marks.seen_at, read.marks.delivered_at),
        (Status::Delivered, Some(at), Some(at))
    );
    for status in [Status::Suppressed, Status::Failed, Status::Deferred] {
        assert_eq!(
            hear(status, &[StatusUpdate::Bounced, StatusUpdate::Delivered]),
            DeliveryState::of(status, None)
        );
    }
}

#[test]
fn only_bounces_and_complaints_suppress_an_address() {
    let at: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
    check_term(StatusUpdate::Bounced, Channel::Email, at, Some("2027-02-19T12:00:00Z"));
    check_term(StatusUpdate::Complained, Channel::Email, at, Some("2027-02-19T12:00:00Z"));
    check_term(StatusUpdate::Bounced, Channel::Whatsapp, at, Some("2026-12-06T12:00:00Z"));
    check_term(StatusUpdate::Bounced, Channel::Sms, at, None);
    check_term(StatusUpdate::Undelivered(Reason::Undeliverable), Channel::Email, at, None);
    check_term(StatusUpdate::Delivered, Channel::Email, at, None);
}

#[track_caller]
fn check_term(news: StatusUpdate, channel: Channel, at: Timestamp, until: Option<&str>) {
    let closed = news.closes(channel, "hash", at);
    assert_eq!(
        closed.and_then(|closed| closed.until),
        until.map(|until| until.parse().unwrap()),
        "{news:?} {channel:?}"
    );
}

#[test]
fn message_is_overdue_after_72_hours() {
    let now: Timestamp = "2026-11-21T12:30:00Z".parse().unwrap();
    let hours = overdue_hours(now);
    assert_eq!(hours.last().map(String::as_str), Some("2026-11-18T11"), "12:00 to 12:30 may still be told");
    assert_eq!(hours.first().map(String::as_str), Some("2026-11-17T11"));
    assert_eq!(hours.len(), 25);
}

proptest! {
    #[test]
    fn progress_does_not_depend_on_order_or_repetition(
        status in prop::sample::select(Status::ALL.to_vec()),
        news in prop::collection::vec((any_news(), 0_i64..5), 0..8),
        shuffled in any::<prop::sample::Index>(),
    ) {
        let ordered: Vec<(StatusUpdate, Timestamp)> =
            news.iter().map(|(news, at)| (*news, Timestamp::from_second(1_795_000_000 + at).unwrap())).collect();
        let end = |order: &[(StatusUpdate, Timestamp)]| {
            order.iter().fold(DeliveryState::of(status, None), |progress, (news, at)| progress.hear(*news, *at))
        };
        let expected = end(&ordered);
        let mut shuffled_news: Vec<_> = ordered.iter().rev().copied().collect();
        if !shuffled_news.is_empty() {
            let start = shuffled.index(shuffled_news.len());
            shuffled_news.rotate_left(start);
            shuffled_news.extend_from_slice(&ordered[..start]);
        }
        prop_assert_eq!(end(&shuffled_news), expected);
        let again: Vec<_> = ordered.iter().chain(&ordered).copied().collect();
        prop_assert_eq!(end(&again), expected);
    }

    #[test]
    fn no_event_panics(text in ".{0,60}", member in "[a-zA-Z]{1,12}", value in any::<u64>()) {
        let _ = read(&text);
        for sample in [sample!("ses-bounce-permanent"), sample!("sms-delivered"), sample!("whatsapp-failed")] {
            let mut changed: Value = serde_json::from_str(sample).unwrap();
            changed["detail"][&member] = value.into();
            let _ = read(&changed.to_string());
        }
    }
}

fn any_news() -> impl Strategy<Value = StatusUpdate> {
    prop::sample::select(vec![
        StatusUpdate::Accepted,
        StatusUpdate::Delivered,
        StatusUpdate::Seen,
        StatusUpdate::Undelivered(Reason::Undeliverable),
        StatusUpdate::Undelivered(Reason::Blocked),
        StatusUpdate::Bounced,
        StatusUpdate::Complained,
        StatusUpdate::Unconfirmed,
    ])
}

fn receipt(sample: &str) -> Receipt {
    match read(sample) {
        Ok(ProviderEvent::Receipt(receipt)) => receipt,
        Ok(ProviderEvent::Inbound(_) | ProviderEvent::Nothing(_)) => panic!("not a receipt: {sample}"),
        Err(refusal) => panic!("{refusal}: {sample}"),
    }
}
