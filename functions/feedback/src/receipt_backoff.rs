//! The pauses for receipts that arrive before their notification is settled.

use std::time::Duration;

use domain::Timestamp;
use domain::feedback::receipt::EARLY;
use runtime::Message;

/// The first pause. Each further pause is twice as long.
const FIRST: Duration = Duration::from_secs(5);

/// The longest pause. With it, five minutes are nine deliveries, one fewer than the queue allows before
/// dead-lettering.
const LONGEST: Duration = Duration::from_secs(60);

/// The number of deliveries that fill [`EARLY`] with these pauses, for a message without a send time.
const RECEIVES: u32 = 9;

/// The pause until the next look-up. `None` after the last one.
pub(crate) fn look_again(message: &Message, now: Timestamp) -> Option<Duration> {
    let receives = message.receive_count();
    let is_over = match message.sent_at() {
        Some(sent) => now.duration_since(sent) >= EARLY.try_into().unwrap_or(jiff::SignedDuration::MAX),
        None => receives >= RECEIVES,
    };
    let pause = FIRST.saturating_mul(1 << receives.saturating_sub(1).min(10)).min(LONGEST);
    (!is_over && receives <= RECEIVES).then_some(pause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_receipt_is_retried_for_five_minutes() {
        let sent = Timestamp::from_second(1_795_000_000).unwrap();
        let (mut now, mut receives) = (sent, 1);
        while let Some(pause) = look_again(&message(receives, Some(sent)), now) {
            now += pause;
            receives += 1;
        }
        assert!(now.duration_since(sent).as_secs() >= 300, "{now}");
        assert!(receives < 10, "the tenth receive is the last");
        assert_eq!(look_again(&message(1, None), now), Some(FIRST));
        assert_eq!(look_again(&message(9, None), now), None);
    }

    fn message(receives: u32, sent: Option<Timestamp>) -> Message {
        let sent = sent.map(|sent| sent.as_millisecond().to_string());
        let attributes =
            serde_json::json!({ "ApproximateReceiveCount": receives.to_string(), "SentTimestamp": sent });
        serde_json::from_value(serde_json::json!({ "messageId": "m", "body": "", "attributes": attributes }))
            .unwrap()
    }
}
