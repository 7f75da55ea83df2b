//! Shapes the SNS request of a job: a payload in the format of the device's platform, and the delivery
//! options.

use domain::Timestamp;
use domain::base::outcome::{Failure, Reason};
use domain::base::sensitive::Sensitive;
use domain::catalog::push_options::Interruption;
use domain::delivery::job::{Content, Job, Push};
use domain::event::Priority;
use domain::recipient::{Device, Platform};
use serde_json::{Map, Value, json};

mod payload;

use payload::payload;

/// The size limit of Apple and Google for a push notification.
///
/// Source: Apple, "Generating a remote notification"; Firebase, "About FCM messages".
pub const MAX_PAYLOAD_BYTES: usize = 4_096;

/// The longest time that Google keeps a push notification: four weeks.
///
/// Source: Firebase, "Set the lifespan of a message".
const MAX_TTL_S: i64 = 28 * 86_400;

/// The mark of a cut text.
const CUT: &str = "…";

/// A push notification for SNS.
pub struct Note<'a> {
    pub device: &'a Device,
    /// A JSON object with the payload as a string, under SNS's name of the platform.
    pub message: Sensitive<String>,
    pub attributes: Vec<(&'static str, String)>,
}

/// The content that fits the size limit.
struct Words<'a> {
    job: &'a Job,
    push: &'a Push,
    body: &'a str,
    /// The body was cut.
    cut: bool,
    /// `None` if the data were left out.
    data: Option<&'a Map<String, Value>>,
    ttl_s: Option<i64>,
}

impl<'a> Note<'a> {
    /// Shapes the push notification. If it is too large, first the data are left out, then the body is
    /// cut.
    ///
    /// # Errors
    /// The job belongs to another channel, or its title alone is too large.
    pub fn shape(job: &'a Job, now: Timestamp) -> Result<Note<'a>, Failure> {
        let Content::Push(push) = &job.content else {
            let source = format!("a {} job in the push queue", job.channel().name()).into();
            return Err(Failure::Permanent { reason: Reason::Rejected, source });
        };
        let data: Map<String, Value> = serde_json::from_str(push.data.expose().get()).unwrap_or_default();
        let ttl_s =
            job.expires_at.map(|expires_at| expires_at.duration_since(now).as_secs().clamp(0, MAX_TTL_S));
        let whole = Words { job, push, body: push.body.expose(), cut: false, data: Some(&data), ttl_s };
        let platform = push.to.platform;
        let payload = fitted(whole, platform)?;
        let message = json!({ "default": push.title.expose(), name(platform): payload });
        Ok(Note {
            device: &push.to,
            message: message.to_string().into(),
            attributes: attributes(job, push, platform, ttl_s),
        })
    }
}

/// The name of a platform in SNS messages.
fn name(platform: Platform) -> &'static str {
    match platform {
        Platform::Apns => "APNS",
        Platform::ApnsSandbox => "APNS_SANDBOX",
        Platform::Fcm => "GCM",
    }
}

fn fitted(mut words: Words<'_>, platform: Platform) -> Result<String, Failure> {
    let whole = payload(&words, platform);
    if whole.len() <= MAX_PAYLOAD_BYTES {
        return Ok(whole);
    }
    words.data = None;
    let without_data = payload(&words, platform);
    if without_data.len() <= MAX_PAYLOAD_BYTES {
        return Ok(without_data);
    }
    words.cut = true;
    words.body = beginning(words.body, MAX_PAYLOAD_BYTES);
    loop {
        let text = payload(&words, platform);
        let Some(excess) = text.len().checked_sub(MAX_PAYLOAD_BYTES).filter(|difference| *difference > 0)
        else {
            return Ok(text);
        };
        if words.body.is_empty() {
            let source =
                format!("{} bytes without data and body, {MAX_PAYLOAD_BYTES} fit", text.len()).into();
            return Err(Failure::Permanent { reason: Reason::TooLarge, source });
        }
        // The widest escape turns one byte into six, so this never cuts too much.
        words.body = beginning(words.body, words.body.len() - excess.div_ceil(6).min(words.body.len()));
    }
}

/// The longest prefix of whole characters within this many bytes.
fn beginning(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The SNS message attributes.
///
/// Source: SNS Developer Guide, "Using the Amazon SNS time to live message attribute" and "Reserved
/// message attributes for mobile push notifications".
fn attributes(job: &Job, push: &Push, platform: Platform, ttl_s: Option<i64>) -> Vec<(&'static str, String)> {
    let ttl = match platform {
        Platform::Apns => "AWS.SNS.MOBILE.APNS.TTL",
        Platform::ApnsSandbox => "AWS.SNS.MOBILE.APNS_SANDBOX.TTL",
        Platform::Fcm => "AWS.SNS.MOBILE.FCM.TTL",
    };
    let mut attributes: Vec<_> = ttl_s.map(|ttl_| (ttl, ttl_.to_string())).into_iter().collect();
    match platform {
        Platform::Apns | Platform::ApnsSandbox => attributes.extend([
            ("AWS.SNS.MOBILE.APNS.PUSH_TYPE", "alert".to_owned()),
            ("AWS.SNS.MOBILE.APNS.PRIORITY", apns_priority(job, push).to_owned()),
            ("AWS.SNS.MOBILE.APNS.COLLAPSE_ID", name_of(job, push).to_owned()),
        ]),
        Platform::Fcm => {}
    }
    attributes
}

/// The collapse name: a later notification replaces an earlier one with the same name. The default is
/// the key, so that a repeated send replaces the first.
fn name_of<'a>(job: &'a Job, push: &'a Push) -> &'a str {
    push.collapse.as_deref().unwrap_or(job.key.as_str())
}

/// Whether the notification wakes a sleeping device, by the rule's priority or its interruption level.
fn is_urgent(job: &Job, push: &Push) -> bool {
    let by_priority = match job.priority {
        Priority::Low | Priority::Normal => false,
        Priority::High | Priority::Critical => true,
    };
    by_priority || push.options.interruption.is_some_and(Interruption::is_urgent)
}

/// The APNs priority. 10 is delivered at once, 5 may be delayed to save power.
///
/// Source: Apple, "Sending notification requests to APNs", `apns-priority`.
fn apns_priority(job: &Job, push: &Push) -> &'static str {
    if is_urgent(job, push) { "10" } else { "5" }
}

#[cfg(test)]
mod tests;
