//! What becomes of a message that came too early.

use std::time::Duration;

use domain::Timestamp;
use domain::receipt::EARLY;
use runtime::Message;

/// The first pause; each is twice as long as the one before.
const FIRST: Duration = Duration::from_secs(5);

/// The longest: with it, five minutes are nine receives, one fewer than the queue allows before its dead letters.
const LONGEST: Duration = Duration::from_secs(60);

/// The receives that fill [`EARLY`] with these pauses: for a message that does not say when it was sent.
const RECEIVES: u32 = 9;

/// How long until it is worth looking again; `None` when it has been looked for long enough.
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
    fn it_is_looked_for_five_minutes_long_and_never_becomes_a_dead_letter() {
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
