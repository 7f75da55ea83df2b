//! Shapes the request of a job for any SMS provider.

use domain::Timestamp;
use domain::base::outcome::{Failure, Reason};
use domain::base::sensitive::Sensitive;
use domain::base::sms_segments::{Measure, measure};
use domain::delivery::job::{Content, Job, Origin};
use domain::event::Priority;
use domain::recipient::PhoneNumber;

/// End User Messaging keeps an SMS between 5 s and three days.
///
/// Source: End User Messaging SMS API v2 reference, `SendTextMessage`, `TimeToLive`.
const TIME_TO_LIVE_S: std::ops::RangeInclusive<i64> = 5..=259_200;

/// The limit of End User Messaging for a context value, in characters.
///
/// Source: End User Messaging SMS API v2 reference, `SendTextMessage`, `Context`.
const MAX_CONTEXT_CHARS: usize = 800;

/// The operator's settings for every SMS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SmsSettings {
    /// The sender name, for countries that allow one.
    pub sender_id: Option<String>,
    /// The price limit in US dollars, such as `0.10`. A more expensive SMS is not sent.
    pub max_price: Option<String>,
    /// The limit of segments, each of which is charged. A longer SMS is not sent.
    pub max_segments: usize,
}

/// The purpose of an SMS, which decides about its route and price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Time-critical.
    Transactional,
    /// May be delayed or dropped.
    Promotional,
}

/// An SMS for a provider.
pub struct Text<'a> {
    pub to: &'a PhoneNumber,
    pub body: Sensitive<&'a str>,
    pub purpose: Purpose,
    pub wishes: &'a SmsSettings,
    /// The sender name, for countries that allow one: the job's own, or the operator's default.
    pub sender: Option<&'a str>,
    /// How long the provider retries, in seconds. `None` means the provider's default.
    pub time_to_live_s: Option<i32>,
    /// Values that every receipt repeats. They identify the notification. At most five.
    pub context: Vec<(&'static str, String)>,
}

impl<'a> Text<'a> {
    /// Shapes the SMS of a job.
    ///
    /// # Errors
    /// The job belongs to another channel, or its text has too many segments.
    pub fn shape(job: &'a Job, wishes: &'a SmsSettings, now: Timestamp) -> Result<Text<'a>, Failure> {
        let Content::Sms(text) = &job.content else {
            let source = format!("a {} job in the sms queue", job.channel().name()).into();
            return Err(Failure::Permanent { reason: Reason::Rejected, source });
        };
        let Measure { alphabet, units, segments } = measure(text.text.expose());
        if segments > wishes.max_segments {
            let limit = wishes.max_segments;
            let source = format!(
                "found {units} characters of {alphabet:?} in {segments} segments, wanted at most {limit} segments"
            );
            return Err(Failure::Permanent { reason: Reason::TooLarge, source: source.into() });
        }
        Ok(Text {
            to: &text.to,
            body: text.text.as_deref(),
            purpose: purpose(job.priority),
            wishes,
            sender: text.sender.as_deref().or(wishes.sender_id.as_deref()),
            time_to_live_s: job.expires_at.map(|expires_at| time_to_live(expires_at, now)),
            context: context(job.key.as_str(), &job.event),
        })
    }
}

fn purpose(priority: Priority) -> Purpose {
    match priority {
        Priority::Low => Purpose::Promotional,
        Priority::Normal | Priority::High | Priority::Critical => Purpose::Transactional,
    }
}

fn time_to_live(expires_at: Timestamp, now: Timestamp) -> i32 {
    let left = expires_at.duration_since(now).as_secs();
    let left = left.clamp(*TIME_TO_LIVE_S.start(), *TIME_TO_LIVE_S.end());
    i32::try_from(left).unwrap_or(i32::MAX)
}

fn context(key: &str, event: &Origin) -> Vec<(&'static str, String)> {
    let pairs = [
        ("carillon-key", Some(key)),
        ("carillon-event", Some(event.id.as_str())),
        ("carillon-type", Some(event.kind.as_str())),
        ("carillon-tenant", event.tenant.as_deref()),
        ("carillon-correlation", event.correlation_id.as_deref()),
    ];
    let cut = |value: &str| value.chars().take(MAX_CONTEXT_CHARS).collect::<String>();
    pairs.into_iter().filter_map(|(name, value)| Some((name, cut(value?)))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_one_message_too_many_is_not_sent() {
        check(&"a".repeat(306), None);
        check(&"a".repeat(307), Some(Reason::TooLarge));
        check(&"ж".repeat(134), None);
        check(&"ж".repeat(135), Some(Reason::TooLarge));
    }

    #[test]
    fn normal_priority_is_promotional() {
        assert_eq!(purpose(Priority::Low), Purpose::Promotional);
        for priority in [Priority::Normal, Priority::High, Priority::Critical] {
            assert_eq!(purpose(priority), Purpose::Transactional);
        }
    }

    #[test]
    fn sms_has_a_time_to_live_within_the_providers_range() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        for (expires_at, expected) in [
            ("2026-11-20T12:10:00Z", 600),
            ("2026-11-20T12:00:04Z", 5),
            ("2026-11-20T11:00:00Z", 5),
            ("2026-11-23T12:00:00Z", 259_200),
            ("2026-11-23T12:00:01Z", 259_200),
        ] {
            assert_eq!(time_to_live(expires_at.parse().unwrap(), now), expected, "{expires_at}");
        }
    }

    #[test]
    fn a_name_for_the_tenant_stands_before_the_operators() {
        let wishes = SmsSettings { sender_id: Some("Carillon".into()), max_segments: 2, max_price: None };
        let mut job = job("Hi");
        let sender = |job: &Job| {
            Text::shape(job, &wishes, Timestamp::UNIX_EPOCH).ok().unwrap().sender.map(str::to_owned)
        };
        assert_eq!(sender(&job).as_deref(), Some("Carillon"));
        let Content::Sms(text) = &mut job.content else { panic!("it is a text") };
        text.sender = Some("Clinic".into());
        assert_eq!(sender(&job).as_deref(), Some("Clinic"));
    }

    #[test]
    fn sms_context_identifies_the_notification() {
        let (job, wishes) = (job("Hi"), SmsSettings { max_segments: 2, ..SmsSettings::default() });
        let Ok(text) = Text::shape(&job, &wishes, Timestamp::UNIX_EPOCH) else { panic!("it is short") };
        let expected = [("carillon-key", "k-1"), ("carillon-event", "e-1"), ("carillon-type", "t")];
        assert_eq!(text.context, expected.map(|(name, value)| (name, value.to_owned())));
        assert_eq!(text.time_to_live_s, None);
    }

    #[track_caller]
    fn check(text: &str, expected: Option<Reason>) {
        let (job, wishes) = (job(text), SmsSettings { max_segments: 2, ..SmsSettings::default() });
        let reason = match Text::shape(&job, &wishes, Timestamp::UNIX_EPOCH) {
            Err(Failure::Permanent { reason, .. }) => Some(reason),
            Ok(_) | Err(Failure::Transient(_) | Failure::Throttled { .. } | Failure::Expired) => None,
        };
        assert_eq!(reason, expected, "{} letters", text.chars().count());
    }

    fn job(text: &str) -> Job {
        let mut job: serde_json::Value = serde_json::from_str(
            r#"{"version":1,"key":"k-1","event":{"id":"e-1","source":"s","type":"t","time":"2026-11-20T12:00:00Z"},
                "rule":"r","catalog":"c","recipient":"ann","priority":"normal","on_unknown":"hold",
                "content":{"sms":{"to":"+15550100","locale":"en"}}}"#,
        )
        .unwrap();
        job["content"]["sms"]["text"] = text.into();
        serde_json::from_value(job).unwrap()
    }
}
