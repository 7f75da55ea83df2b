//! The payload of each platform, to the letter.

use domain::event::Priority;
use domain::recipient::Platform;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{CUT, Words, is_urgent, name_of};

pub(super) fn payload(words: &Words<'_>, platform: Platform) -> String {
    let text = match platform {
        Platform::Apns | Platform::ApnsSandbox => serde_json::to_string(&apple(words)),
        Platform::Fcm => serde_json::to_string(&google(words)),
    };
    text.expect("strings, numbers and JSON values always serialize")
}

/// Source: Apple, "Generating a remote notification".
#[derive(Serialize)]
struct Apple<'a> {
    aps: Aps<'a>,
    carillon: Mark<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<&'a Map<String, Value>>,
}

#[derive(Serialize)]
struct Aps<'a> {
    alert: Alert<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    badge: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sound: Option<&'static str>,
    /// Notes of one rule lie together.
    #[serde(rename = "thread-id")]
    thread: &'a str,
}

#[derive(Serialize)]
struct Alert<'a> {
    title: &'a str,
    body: String,
}

/// What an app needs to know a repeat, and whether to fetch what was left out.
#[derive(Serialize)]
struct Mark<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
}

fn apple<'a>(words: &Words<'a>) -> Apple<'a> {
    let (job, push) = (words.job, words.push);
    Apple {
        aps: Aps {
            alert: Alert { title: &push.title, body: body(words) },
            badge: push.badge,
            sound: sound(job.priority),
            thread: &job.rule,
        },
        carillon: Mark { id: job.key.as_str(), kind: &job.event.kind, truncated: is_truncated(words) },
        data: words.data.filter(|it| !it.is_empty()),
    }
}

fn sound(priority: Priority) -> Option<&'static str> {
    match priority {
        Priority::Low => None,
        Priority::Normal | Priority::High | Priority::Critical => Some("default"),
    }
}

/// Source: SNS Developer Guide, "Using Google Firebase Cloud Messaging v1 payloads"; Firebase, `projects.messages`. SNS
/// adds the token itself.
#[derive(Serialize)]
struct Google<'a> {
    #[serde(rename = "fcmV1Message")]
    wrapped: Wrapped<'a>,
}

#[derive(Serialize)]
struct Wrapped<'a> {
    message: Message<'a>,
}

#[derive(Serialize)]
struct Message<'a> {
    notification: Alert<'a>,
    /// Strings only.
    data: Map<String, Value>,
    android: Android<'a>,
}

#[derive(Serialize)]
struct Android<'a> {
    /// Google heeds it for data alone, and shows by `tag` which note one takes the place of.
    collapse_key: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<String>,
    priority: &'static str,
    notification: Shown<'a>,
}

#[derive(Serialize)]
struct Shown<'a> {
    tag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    notification_count: Option<u32>,
}

fn google<'a>(words: &Words<'a>) -> Google<'a> {
    let (job, push) = (words.job, words.push);
    let key = job.key.as_str();
    let mut data = Map::new();
    for (name, value) in words.data.into_iter().flatten() {
        data.insert(allowed(name), Value::from(as_text(value)));
    }
    data.insert("carillon_id".to_owned(), key.into());
    data.insert("carillon_type".to_owned(), job.event.kind.as_str().into());
    if is_truncated(words) {
        data.insert("carillon_truncated".to_owned(), "true".into());
    }
    let android = Android {
        collapse_key: name_of(job, push),
        ttl: words.ttl_s.map(|it| format!("{it}s")),
        priority: if is_urgent(job) { "high" } else { "normal" },
        notification: Shown { tag: name_of(job, push), notification_count: push.badge },
    };
    let notification = Alert { title: &push.title, body: body(words) };
    Google { wrapped: Wrapped { message: Message { notification, data, android } } }
}

/// Google keeps some names to itself and refuses a message that uses them: they get an underscore in front.
///
/// Source: Firebase, `projects.messages`, `data`.
fn allowed(name: &str) -> String {
    let is_taken = ["from", "message_type", "collapse_key", "notification"].contains(&name)
        || ["google", "gcm"].iter().any(|it| name.starts_with(it));
    if is_taken { format!("_{name}") } else { name.to_owned() }
}

/// A string as it is, everything else as JSON.
fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn body(words: &Words<'_>) -> String {
    if words.cut { format!("{}{CUT}", words.body.trim_end()) } else { words.body.to_owned() }
}

fn is_truncated(words: &Words<'_>) -> bool {
    words.cut || words.data.is_none()
}
