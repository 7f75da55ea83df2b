//! The payloads of the platforms.

use domain::catalog::push_options::Interruption;
use domain::delivery::job::Push;
use domain::event::Priority;
use domain::recipient::Platform;
use serde::Serialize;
use serde_json::{Map, Value};

use super::{CUT, Words, apns_priority, is_urgent, name_of};

pub(super) fn payload(words: &Words<'_>, platform: Platform) -> String {
    let text = match platform {
        Platform::Apns | Platform::ApnsSandbox => serde_json::to_string(&apple(words)),
        Platform::Fcm => serde_json::to_string(&google(words)),
    };
    text.expect("strings, numbers and JSON values always serialize")
}

/// The payload of APNs.
///
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
    /// Absent for Google, which takes the alert from the notification.
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<Alert<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    badge: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sound: Option<Sound>,
    /// Groups the notifications of one rule.
    #[serde(rename = "thread-id")]
    thread: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<&'a str>,
    #[serde(rename = "mutable-content", skip_serializing_if = "Option::is_none")]
    mutable: Option<u8>,
    #[serde(rename = "interruption-level", skip_serializing_if = "Option::is_none")]
    interruption: Option<Interruption>,
}

/// The name of a sound, or a dictionary for critical alerts that sound on a muted device.
#[derive(Clone, Copy)]
enum Sound {
    Default,
    Critical,
}

impl Serialize for Sound {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Loud {
            critical: u8,
            name: &'static str,
            volume: f32,
        }
        match self {
            Sound::Default => serializer.serialize_str("default"),
            Sound::Critical => Loud { critical: 1, name: "default", volume: 1.0 }.serialize(serializer),
        }
    }
}

#[derive(Serialize)]
struct Alert<'a> {
    title: &'a str,
    body: String,
}

/// The data with which an app recognises repeats and fetches omitted data.
#[derive(Serialize)]
struct Mark<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    truncated: bool,
    /// The target of a tap.
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
}

/// The link that a tap opens.
fn link_of(push: &Push) -> Option<&str> {
    push.link.as_ref().map(|link| link.expose().as_str())
}

fn apple<'a>(words: &Words<'a>) -> Apple<'a> {
    let (job, push) = (words.job, words.push);
    Apple {
        aps: Aps { alert: Some(Alert { title: push.title.expose(), body: body(words) }), ..aps(words) },
        carillon: Mark {
            id: job.key.as_str(),
            kind: &job.event.kind,
            truncated: is_truncated(words),
            link: link_of(push),
        },
        data: words.data.filter(|data| !data.is_empty()),
    }
}

/// The `aps` dictionary without the text.
fn aps<'a>(words: &Words<'a>) -> Aps<'a> {
    let (job, push) = (words.job, words.push);
    Aps {
        alert: None,
        badge: push.badge,
        sound: sound(job.priority, push),
        thread: &job.rule,
        category: push.options.category.as_deref(),
        mutable: push.options.mutable.then_some(1),
        interruption: push.options.interruption,
    }
}

fn sound(priority: Priority, push: &Push) -> Option<Sound> {
    match (push.options.interruption, priority) {
        (Some(Interruption::Critical), _) => Some(Sound::Critical),
        (Some(Interruption::Passive), _) | (None | Some(Interruption::Active), Priority::Low) => None,
        (None | Some(Interruption::Active | Interruption::TimeSensitive), _) => Some(Sound::Default),
    }
}

/// The payload of FCM v1. SNS adds the token.
///
/// Source: SNS Developer Guide, "Using Google Firebase Cloud Messaging v1 payloads"; Firebase,
/// `projects.messages`.
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
    /// The values are strings.
    data: Map<String, Value>,
    android: Android<'a>,
    /// For tokens of apps on Apple's platforms.
    apns: Apns<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webpush: Option<Webpush<'a>>,
}

/// The `ApnsConfig` of FCM: APNs headers as strings, and the APNs payload. The alert comes from the
/// notification.
///
/// Source: Firebase, `projects.messages`, `ApnsConfig`.
#[derive(Serialize)]
struct Apns<'a> {
    headers: ApnsHeaders<'a>,
    payload: ApnsPayload<'a>,
}

/// The APNs headers.
///
/// Source: Apple, "Sending notification requests to APNs".
#[derive(Serialize)]
struct ApnsHeaders<'a> {
    #[serde(rename = "apns-priority")]
    priority: &'static str,
    #[serde(rename = "apns-collapse-id")]
    collapse_id: &'a str,
    /// Seconds since 1970.
    #[serde(rename = "apns-expiration", skip_serializing_if = "Option::is_none")]
    expiration: Option<String>,
}

#[derive(Serialize)]
struct ApnsPayload<'a> {
    aps: Aps<'a>,
}

/// The web push options. The link must be `https`.
///
/// Source: Firebase, `projects.messages`, `WebpushFcmOptions`.
#[derive(Serialize)]
struct Webpush<'a> {
    fcm_options: WebLink<'a>,
}

#[derive(Serialize)]
struct WebLink<'a> {
    link: &'a str,
}

#[derive(Serialize)]
struct Android<'a> {
    /// Set only if the rule has a collapse name. Google stores at most four keys for a device and drops
    /// notifications with a fifth one.
    ///
    /// Source: Firebase, "Non-collapsible and collapsible messages".
    #[serde(skip_serializing_if = "Option::is_none")]
    collapse_key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttl: Option<String>,
    priority: &'static str,
    notification: Shown<'a>,
}

#[derive(Serialize)]
struct Shown<'a> {
    /// The name of the notification on the screen that this one replaces.
    tag: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel_id: Option<&'a str>,
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
    if let Some(link) = link_of(push) {
        data.insert("carillon_link".to_owned(), link.into());
    }
    let android = Android {
        collapse_key: push.collapses_stored.then(|| name_of(job, push)),
        ttl: words.ttl_s.map(|ttl_| format!("{ttl_}s")),
        priority: if is_urgent(job, push) { "high" } else { "normal" },
        notification: Shown {
            tag: name_of(job, push),
            channel_id: push.options.channel.as_deref(),
            notification_count: push.badge,
        },
    };
    let apns = Apns {
        headers: ApnsHeaders {
            priority: apns_priority(job, push),
            collapse_id: name_of(job, push),
            expiration: job.expires_at.map(|at| at.as_second().max(0).to_string()),
        },
        payload: ApnsPayload { aps: aps(words) },
    };
    let link = link_of(push).filter(|link| link.starts_with("https://"));
    let webpush = link.map(|link| Webpush { fcm_options: WebLink { link } });
    let notification = Alert { title: push.title.expose(), body: body(words) };
    Google { wrapped: Wrapped { message: Message { notification, data, android, apns, webpush } } }
}

/// Prefixes names that Google reserves with an underscore. Google refuses messages that use them.
///
/// Source: Firebase, `projects.messages`, `data`.
fn allowed(name: &str) -> String {
    let is_taken = ["from", "message_type", "collapse_key", "notification"].contains(&name)
        || ["google", "gcm"].iter().any(|prefix| name.starts_with(prefix));
    if is_taken { format!("_{name}") } else { name.to_owned() }
}

/// A string unchanged, any other value as JSON.
fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn body(words: &Words<'_>) -> String {
    if words.cut { format!("{}{CUT}", words.body.trim_end()) } else { words.body.to_owned() }
}

fn is_truncated(words: &Words<'_>) -> bool {
    words.cut || words.data.is_none()
}
