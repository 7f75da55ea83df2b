//! Classification of an endpoint's answer: delivered, retry, or permanent failure.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::DisabledBecause;
use crate::base::outcome::Reason;
use crate::event::key::Key;
use crate::time::quiet_hours::spread;

/// The pauses before the second and later attempts. Each pause is counted from the end of the previous attempt.
///
/// Source: Standard Webhooks 1.0, example schedule: 10 attempts in 75 h 35 min.
const PAUSES: [Duration; 9] = [
    Duration::from_secs(5),
    Duration::from_secs(5 * 60),
    Duration::from_secs(30 * 60),
    Duration::from_secs(2 * 3_600),
    Duration::from_secs(5 * 3_600),
    Duration::from_secs(10 * 3_600),
    Duration::from_secs(14 * 3_600),
    Duration::from_secs(20 * 3_600),
    Duration::from_secs(24 * 3_600),
];

/// The highest number of attempts of one message.
pub const MAX_ATTEMPTS: u32 = 10;

/// The shortest pause after a timeout or a 429.
const TO_RECOVER: Duration = Duration::from_secs(60);

/// The longest `Retry-After` that is respected.
const MAX_HINT: Duration = Duration::from_secs(10 * 3_600);

/// The result of a request to an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Status {
        status: u16,
        /// `Retry-After`, relative to now.
        retry_after: Option<Duration>,
        wish: Option<Wish>,
    },
    /// No answer within the timeout.
    TimedOut,
    /// No connection, or the connection broke.
    Unreachable,
    /// The endpoint's address is blocked.
    Blocked,
}

/// The request of the response header `webhook-delivery`.
///
/// Source: Svix, "Operational response headers".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// `abort-message`: do not retry this message.
    Abort,
    /// `disable`: send no further messages.
    Disable,
}

impl Wish {
    #[must_use]
    pub fn read(header: &str) -> Option<Wish> {
        match header.trim() {
            "abort-message" => Some(Wish::Abort),
            "disable" => Some(Wish::Disable),
            _ => None,
        }
    }
}

/// The next action for a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    Delivered,
    /// Retry, not before this time.
    Again(Timestamp),
    /// No retry, for this reason.
    Never(Reason),
    /// No retry, and disable the endpoint.
    Disable(DisabledBecause),
}

impl Answer {
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Answer::Status { status: 200..=299, .. })
    }

    /// The next action. `attempt` is the number of the answered attempt, counted from 1.
    #[must_use]
    pub fn next(&self, key: &Key, attempt: u32, now: Timestamp) -> Next {
        if self.is_success() {
            return Next::Delivered;
        }
        match self {
            Answer::Status { wish: Some(Wish::Abort), .. } => return Next::Never(Reason::Aborted),
            Answer::Status { wish: Some(Wish::Disable), .. } => return Next::Disable(DisabledBecause::Asked),
            Answer::Status { status: 410, .. } => return Next::Disable(DisabledBecause::Gone),
            Answer::Status { .. } | Answer::TimedOut | Answer::Unreachable => {}
            // A retry would only probe how the name resolves today.
            Answer::Blocked => return Next::Never(Reason::BlockedTarget),
        }
        match pause_before(attempt + 1, self, key) {
            Some(pause) => Next::Again(now.saturating_add(pause).unwrap_or(Timestamp::MAX)),
            None => Next::Never(Reason::Exhausted),
        }
    }
}

/// The pause before attempt `attempt` (2 to 10), counted from the end of the previous one. `None` if there is no such
/// attempt.
///
/// After a timeout or a 429 the pause is at least a minute. The `Retry-After` of a 429 or 503 can lengthen the pause,
/// to at most 10 h. Jitter adds up to a tenth of the pause, limited to 2 s to 15 min, so a retry is never early. The
/// jitter is deterministic for the key and attempt.
#[must_use]
pub fn pause_before(attempt: u32, answer: &Answer, key: &Key) -> Option<SignedDuration> {
    let base = *PAUSES.get(usize::try_from(attempt.checked_sub(2)?).ok()?)?;
    let least = match answer {
        Answer::TimedOut => TO_RECOVER,
        Answer::Status { status: 429, retry_after, .. } => {
            TO_RECOVER.max(retry_after.unwrap_or_default().min(MAX_HINT))
        }
        Answer::Status { status: 503, retry_after, .. } => retry_after.unwrap_or_default().min(MAX_HINT),
        Answer::Status { .. } | Answer::Unreachable | Answer::Blocked => Duration::ZERO,
    };
    let pause = base.max(least);
    let jitter = (pause / 10).clamp(Duration::from_secs(2), Duration::from_secs(15 * 60));
    let jitter = SignedDuration::try_from(jitter).unwrap_or(SignedDuration::ZERO);
    let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
    Some(pause.saturating_add(spread(&format!("{} {attempt}", key.as_str()), jitter)))
}

/// Parses `Retry-After`: seconds or an HTTP date. `None` for other values and for past dates.
///
/// Source: RFC 9110, section 10.2.3.
#[must_use]
pub fn retry_after(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(header).ok()?;
    Duration::try_from(date.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: &str = "2026-11-20T12:00:00Z";

    #[test]
    fn ten_attempts_take_75_hours_35_minutes() {
        let pauses: Vec<u64> = PAUSES.iter().map(Duration::as_secs).collect();
        assert_eq!(pauses.iter().sum::<u64>(), 75 * 3_600 + 35 * 60 + 5);
        assert_eq!(PAUSES.len() + 1, MAX_ATTEMPTS as usize);
        check_pause(2, &failed(500), 5, 7);
        check_pause(3, &failed(500), 300, 330);
        check_pause(10, &failed(500), 86_400, 86_400 + 900);
        assert_eq!(pause_before(11, &failed(500), &key("k")), None);
        assert_eq!(pause_before(1, &failed(500), &key("k")), None);
    }

    #[test]
    fn timeout_and_429_pause_for_at_least_a_minute() {
        check_pause(2, &Answer::TimedOut, 60, 66);
        check_pause(2, &failed(429), 60, 66);
        check_pause(2, &Answer::Unreachable, 5, 7);
        check_pause(3, &Answer::TimedOut, 300, 330);
    }

    #[test]
    fn retry_after_only_lengthens_a_pause() {
        let asks = |status: u16, seconds: u64| Answer::Status {
            status,
            retry_after: Some(Duration::from_secs(seconds)),
            wish: None,
        };
        check_pause(2, &asks(503, 120), 120, 132);
        check_pause(2, &asks(429, 1), 60, 66);
        check_pause(3, &asks(503, 1), 300, 330);
        check_pause(2, &asks(429, u64::MAX), 36_000, 36_900);
        check_pause(2, &asks(500, 120), 5, 7);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (header, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Fri, 20 Nov 2026 12:05:00 GMT", Some(300)),
            ("Fri, 20 Nov 2026 11:05:00 GMT", None),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            let found = retry_after(header, NOW.parse().unwrap());
            assert_eq!(found, expected.map(Duration::from_secs), "{header}");
        }
    }

    #[test]
    fn only_2xx_delivers_and_some_answers_end_the_retries() {
        for status in [200, 201, 204, 299] {
            check(&failed(status), 1, &Next::Delivered);
        }
        check(&failed(410), 1, &Next::Disable(DisabledBecause::Gone));
        let wishes = |wish| Answer::Status { status: 400, retry_after: None, wish: Some(wish) };
        check(&wishes(Wish::Abort), 1, &Next::Never(Reason::Aborted));
        check(&wishes(Wish::Disable), 1, &Next::Disable(DisabledBecause::Asked));
        check(&Answer::Blocked, 1, &Next::Never(Reason::BlockedTarget));
        check(&failed(500), 10, &Next::Never(Reason::Exhausted));
        for status in [301, 302, 307, 404, 500] {
            let next = failed(status).next(&key("k"), 1, NOW.parse().unwrap());
            assert!(matches!(next, Next::Again(_)), "{status}");
        }
        assert_eq!(Wish::read("abort-message"), Some(Wish::Abort));
        assert_eq!(Wish::read("retry"), None);
    }

    proptest! {
        #[test]
        fn pause_is_never_early_and_at_most_a_tenth_late(
            name in "[a-z]{1,8}", attempt in 2_u32..=10, status in 300_u16..600, hint in prop::option::of(0_u64..1_000_000),
        ) {
            let answer = Answer::Status { status, retry_after: hint.map(Duration::from_secs), wish: None };
            let pause = pause_before(attempt, &answer, &key(&name)).unwrap();
            let base = SignedDuration::try_from(PAUSES[attempt as usize - 2]).unwrap();
            prop_assert!(pause >= base);
            prop_assert!(pause <= base.max(SignedDuration::from_hours(10)) * 11 / 10 + SignedDuration::from_secs(2));
            prop_assert_eq!(pause, pause_before(attempt, &answer, &key(&name)).unwrap(), "the pause is deterministic");
        }

        #[test]
        fn retry_after_accepts_any_text(text in ".{0,60}") {
            let _ = (retry_after(&text, NOW.parse().unwrap()), Wish::read(&text));
        }
    }

    #[track_caller]
    fn check(answer: &Answer, attempt: u32, expected: &Next) {
        assert_eq!(&answer.next(&key("k"), attempt, NOW.parse().unwrap()), expected, "{answer:?}");
    }

    #[track_caller]
    fn check_pause(attempt: u32, answer: &Answer, least: i64, most: i64) {
        for name in ["a", "b", "c", "d"] {
            let pause = pause_before(attempt, answer, &key(name)).unwrap();
            assert!(
                pause.as_secs() >= least && pause <= SignedDuration::from_secs(most),
                "{answer:?}: {pause:?}"
            );
        }
    }

    fn failed(status: u16) -> Answer {
        Answer::Status { status, retry_after: None, wish: None }
    }

    fn key(name: &str) -> Key {
        Key::from(name.to_owned())
    }
}
