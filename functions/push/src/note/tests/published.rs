//! Checks payloads against the published schemas of Google and Apple: every name is known, and every
//! value has the expected kind.

use super::*;

/// The kind of a member.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
    List,
    /// A map whose values are texts.
    Texts,
    /// Seconds with the suffix `s`.
    Duration,
    Of(&'static [(&'static str, Kind)]),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A text or an object with these members.
    TextOr(&'static [(&'static str, Kind)]),
}

use Kind::{Duration, Flag, List, Number, Of, Text, TextOr, Texts, Word};

/// `Message` of FCM v1.
///
/// Source: the API's discovery document, `fcm.googleapis.com/$discovery/rest?version=v1`, schema
/// `Message` and those it refers to. The document has names in camel case. JSON may also use the names
/// of the protocol, with underscores, as in Firebase's guide and the SNS Developer Guide. The
/// descriptions give the words of `priority` in lower case.
const MESSAGE: &[(&str, Kind)] = &[
    ("name", Text),
    ("data", Texts),
    ("notification", Of(&[("title", Text), ("body", Text), ("image", Text)])),
    ("android", Of(ANDROID)),
    ("webpush", Of(&[("fcm_options", Of(&[("link", Text), ("analytics_label", Text)]))])),
    ("apns", Of(APNS)),
    ("fcm_options", Of(&[("analytics_label", Text)])),
    ("token", Text),
    ("topic", Text),
    ("condition", Text),
];

/// `ApnsConfig`: headers are strings.
const APNS: &[(&str, Kind)] = &[
    ("headers", Texts),
    ("payload", Of(&[("aps", Of(APS))])),
    ("fcm_options", Of(&[("analytics_label", Text), ("image", Text)])),
    ("live_activity_token", Text),
];

/// `AndroidConfig`.
const ANDROID: &[(&str, Kind)] = &[
    ("collapse_key", Text),
    ("priority", Word(&["normal", "high"])),
    ("ttl", Duration),
    ("restricted_package_name", Text),
    ("data", Texts),
    ("notification", Of(SHOWN)),
    ("fcm_options", Of(&[("analytics_label", Text)])),
    ("direct_boot_ok", Flag),
];

/// `AndroidNotification`.
const SHOWN: &[(&str, Kind)] = &[
    ("title", Text),
    ("body", Text),
    ("icon", Text),
    ("color", Text),
    ("sound", Text),
    ("tag", Text),
    ("click_action", Text),
    ("body_loc_key", Text),
    ("body_loc_args", List),
    ("title_loc_key", Text),
    ("title_loc_args", List),
    ("channel_id", Text),
    ("ticker", Text),
    ("sticky", Flag),
    ("event_time", Text),
    ("local_only", Flag),
    ("notification_priority", Text),
    ("default_sound", Flag),
    ("default_vibrate_timings", Flag),
    ("default_light_settings", Flag),
    ("vibrate_timings", List),
    ("visibility", Text),
    ("notification_count", Number),
    ("light_settings", Of(&[])),
    ("image", Text),
];

/// The dictionary `aps`. Other members of the payload belong to the app.
///
/// Source: Apple, UserNotifications, "Generating a remote notification", tables 1 to 3.
const APS: &[(&str, Kind)] = &[
    ("alert", TextOr(ALERT)),
    ("badge", Number),
    ("sound", TextOr(&[("critical", Number), ("name", Text), ("volume", Number)])),
    ("thread-id", Text),
    ("category", Text),
    ("content-available", Number),
    ("mutable-content", Number),
    ("target-content-id", Text),
    ("interruption-level", Word(&["passive", "active", "time-sensitive", "critical"])),
    ("relevance-score", Number),
    ("filter-criteria", Text),
    ("stale-date", Number),
    ("content-state", Of(&[])),
    ("timestamp", Number),
    ("event", Text),
    ("dismissal-date", Number),
    ("attributes-type", Text),
    ("attributes", Of(&[])),
];

const ALERT: &[(&str, Kind)] = &[
    ("title", Text),
    ("subtitle", Text),
    ("body", Text),
    ("launch-image", Text),
    ("title-loc-key", Text),
    ("title-loc-args", List),
    ("subtitle-loc-key", Text),
    ("subtitle-loc-args", List),
    ("loc-key", Text),
    ("loc-args", List),
];

/// The SNS message attributes for devices, and Apple's limit for a collapse id: 64 bytes.
///
/// Source: SNS API reference and Developer Guide, "Reserved message attributes for mobile push
/// notifications"; Apple, "Sending notification requests to APNs", `apns-collapse-id`, `apns-priority`,
/// `apns-push-type`.
const ATTRIBUTES: &[(&str, Kind)] = &[
    ("AWS.SNS.MOBILE.FCM.TTL", Number),
    ("AWS.SNS.MOBILE.APNS.TTL", Number),
    ("AWS.SNS.MOBILE.APNS_SANDBOX.TTL", Number),
    ("AWS.SNS.MOBILE.APNS.PUSH_TYPE", Word(&["alert", "background"])),
    ("AWS.SNS.MOBILE.APNS.PRIORITY", Word(&["1", "5", "10"])),
    ("AWS.SNS.MOBILE.APNS.COLLAPSE_ID", Text),
];

#[test]
fn unknown_payload_member_is_found() {
    for (members, value) in [
        (MESSAGE, json!({ "title": "T" })),
        (MESSAGE, json!({ "data": { "n": 1 } })),
        (MESSAGE, json!({ "android": { "ttl": 60 } })),
        (MESSAGE, json!({ "android": { "priority": "urgent" } })),
        (MESSAGE, json!({ "android": { "notification": { "badge": 1 } } })),
        (APS, json!({ "threadId": "t" })),
        (APS, json!({ "badge": "1" })),
        (APS, json!({ "alert": { "text": "B" } })),
    ] {
        assert!(misfit(members, &value).is_some(), "{value}");
    }
}

proptest! {
    #[test]
    fn every_push_payload_matches_the_published_schema(
        platform in prop::sample::select(vec!["fcm", "apns", "apns_sandbox"]),
        priority in prop::sample::select(vec!["low", "normal", "high", "critical"]),
        title in "\\PC{0,40}", body in "\\PC{0,40}", name in "[a-zA-Z0-9_-]{43}",
        badge in prop::option::of(any::<u32>()), named in any::<bool>(), expires in any::<bool>(),
        key in "[a-z_.]{1,12}", long in any::<bool>(), stored in any::<bool>(),
        level in prop::option::of(prop::sample::select(vec!["passive", "active", "time-sensitive", "critical"])),
        channel in prop::option::of("[a-z]{1,64}"), link in prop::option::of("https://[a-z]{1,900}"),
    ) {
        let data = json!({ key: if long { "d".repeat(5_000) } else { "d".to_owned() }, "n": 1, "o": { "p": [true] } });
        let mut job = job(platform, &title, &body, &data);
        job["priority"] = priority.into();
        if let Some(badge) = badge { job["content"]["push"]["badge"] = badge.into(); }
        if named { job["content"]["push"]["collapse"] = name.into(); }
        job["content"]["push"]["collapses_stored"] = stored.into();
        job["content"]["push"]["options"] =
            json!({ "interruption": level, "channel": channel, "category": channel, "mutable": named });
        job["content"]["push"]["link"] = json!(link);
        if !expires { job.as_object_mut().unwrap().remove("expires_at"); }
        let read: Job = serde_json::from_value(job.clone()).unwrap();
        let Ok(note) = Note::shape(&read, noon()) else { panic!("its title is short") };
        let text = payload(&job).ok().unwrap();
        prop_assert!(text.len() <= MAX_PAYLOAD_BYTES, "{} bytes", text.len());
        let found: Value = serde_json::from_str(&text)?;
        let (members, part) = match platform {
            "fcm" => {
                prop_assert_eq!(found.as_object().unwrap().len(), 1);
                (MESSAGE, &found["fcmV1Message"]["message"])
            }
            _ => (APS, &found["aps"]),
        };
        prop_assert_eq!(misfit(members, part), None);
        prop_assert!(part.get("token").is_none(), "SNS adds the token");
        for (name, value) in &note.attributes {
            let kind = ATTRIBUTES.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind);
            prop_assert!(kind.is_some(), "{name}");
            let value = match kind {
                Some(Number) => Value::from(value.parse::<u32>()?),
                _ => Value::from(value.as_str()),
            };
            prop_assert_eq!(fault(kind.unwrap(), name, &value), None);
            prop_assert!(!name.ends_with("COLLAPSE_ID") || value.as_str().unwrap().len() <= 64);
        }
    }
}

/// The first member that is unknown or of another kind.
fn misfit(members: &[(&str, Kind)], value: &Value) -> Option<String> {
    let Some(object) = value.as_object() else { return Some("it is no object".to_owned()) };
    object.iter().find_map(|(name, value)| match members.iter().find(|(known, _)| known == name) {
        Some((_, kind)) => fault(*kind, name, value),
        None => Some(format!("{name} is not known")),
    })
}

fn fault(kind: Kind, name: &str, value: &Value) -> Option<String> {
    let fits = match kind {
        Text => value.is_string(),
        Number => value.is_number(),
        Flag => value.is_boolean(),
        List => value.is_array(),
        Texts => value.as_object().is_some_and(|object| object.values().all(Value::is_string)),
        Duration => value
            .as_str()
            .and_then(|value| value.strip_suffix('s'))
            .is_some_and(|text| text.parse::<u32>().is_ok()),
        Word(words) => value.as_str().is_some_and(|value| words.contains(&value)),
        Of(members) => return misfit(members, value),
        TextOr(_) if value.is_string() => true,
        TextOr(members) => return misfit(members, value),
    };
    (!fits).then(|| format!("{name} cannot be {value}"))
}
