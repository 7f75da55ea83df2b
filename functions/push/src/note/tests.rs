use super::*;
use proptest::prelude::*;

mod published;

#[test]
fn googles_payload_has_strings_for_data_and_no_token() {
    let data = json!({ "appointment": "a-1", "count": 2, "from": "clinic", "where": { "room": 7 } });
    check(
        &job("fcm", "Your turn", "Room 7.", &data),
        &json!({ "fcmV1Message": { "message": {
            "notification": { "title": "Your turn", "body": "Room 7." },
            "data": {
                "appointment": "a-1", "count": "2", "_from": "clinic", "where": "{\"room\":7}",
                "carillon_id": "k-1", "carillon_type": "queue.updated",
            },
            "android": { "ttl": "600s", "priority": "high", "notification": { "tag": "k-1" } },
            "apns": {
                "headers": {
                    "apns-priority": "10", "apns-collapse-id": "k-1",
                    "apns-expiration": (noon().as_second() + 600).to_string(),
                },
                "payload": { "aps": { "sound": "default", "thread-id": "queue" } },
            },
        } } }),
        &[("AWS.SNS.MOBILE.FCM.TTL", "600")],
    );
}

#[test]
fn apples_payload_has_the_alert_and_the_data_beside_it() {
    let mut job = job("apns", "Your turn", "Room 7.", &json!({ "count": 2 }));
    job["content"]["push"]["badge"] = 3.into();
    let payload = json!({
        "aps": {
            "alert": { "title": "Your turn", "body": "Room 7." },
            "badge": 3, "sound": "default", "thread-id": "queue",
        },
        "carillon": { "id": "k-1", "type": "queue.updated" },
        "data": { "count": 2 },
    });
    let handling = [
        ("AWS.SNS.MOBILE.APNS.PUSH_TYPE", "alert"),
        ("AWS.SNS.MOBILE.APNS.PRIORITY", "10"),
        ("AWS.SNS.MOBILE.APNS.COLLAPSE_ID", "k-1"),
    ];
    check(&job, &payload, &[&[("AWS.SNS.MOBILE.APNS.TTL", "600")][..], &handling].concat());
    job["content"]["push"]["to"]["platform"] = "apns_sandbox".into();
    check(&job, &payload, &[&[("AWS.SNS.MOBILE.APNS_SANDBOX.TTL", "600")][..], &handling].concat());
}

#[test]
fn named_push_replaces_the_previous_one() {
    let mut google = job("fcm", "T", "B", &json!({}));
    google["content"]["push"]["collapse"] = "order-7".into();
    google["content"]["push"]["collapses_stored"] = true.into();
    let mut apple = google.clone();
    let sent: Value = serde_json::from_str(&payload(&google).unwrap()).unwrap();
    let android = &sent["fcmV1Message"]["message"]["android"];
    assert_eq!(
        (&android["collapse_key"], &android["notification"]["tag"]),
        (&json!("order-7"), &json!("order-7"))
    );
    assert_eq!(sent["fcmV1Message"]["message"]["data"]["carillon_id"], "k-1", "the app still knows a repeat");
    apple["content"]["push"]["to"]["platform"] = "apns".into();
    let apple: Job = serde_json::from_value(apple).unwrap();
    let Ok(note) = Note::shape(&apple, noon()) else { panic!("it is small") };
    assert!(note.attributes.contains(&("AWS.SNS.MOBILE.APNS.COLLAPSE_ID", "order-7".to_owned())));
}

#[test]
fn stored_notifications_are_replaced_only_where_the_rule_asks_for_it() {
    for (members, expected) in [
        (json!({}), json!(null)),
        (json!({ "collapse": "window-1" }), json!(null)),
        (json!({ "collapse": "order-7", "collapses_stored": true }), json!("order-7")),
    ] {
        let mut job = job("fcm", "T", "B", &json!({}));
        for (name, value) in members.as_object().unwrap() {
            job["content"]["push"][name] = value.clone();
        }
        let sent: Value = serde_json::from_str(&payload(&job).unwrap()).unwrap();
        let android = &sent["fcmV1Message"]["message"]["android"];
        assert_eq!(android["collapse_key"], expected, "{members}");
        let tag = members["collapse"].as_str().unwrap_or("k-1");
        assert_eq!(android["notification"]["tag"], tag, "one that is sent again is shown once: {members}");
    }
}

#[test]
fn options_of_the_rule_reach_both_platforms() {
    let options = json!({
        "channel": "appointments", "category": "CONFIRM", "interruption": "time-sensitive", "mutable": true,
    });
    let with = |platform: &str, link: &str| {
        let mut job = job(platform, "T", "B", &json!({}));
        job["priority"] = "normal".into();
        job["content"]["push"]["options"] = options.clone();
        job["content"]["push"]["link"] = link.into();
        job
    };
    let aps = json!({
        "sound": "default", "thread-id": "queue", "category": "CONFIRM", "mutable-content": 1,
        "interruption-level": "time-sensitive",
    });
    let google = with("fcm", "https://app.example/7");
    let sent: Value = serde_json::from_str(&payload(&google).unwrap()).unwrap();
    let message = &sent["fcmV1Message"]["message"];
    assert_eq!(message["android"]["notification"]["channel_id"], "appointments");
    assert_eq!(message["android"]["priority"], "high", "time-sensitive is not held back");
    assert_eq!(message["apns"]["headers"]["apns-priority"], "10");
    assert_eq!(message["apns"]["payload"]["aps"], aps);
    assert_eq!(message["webpush"]["fcm_options"]["link"], "https://app.example/7");
    assert_eq!(message["data"]["carillon_link"], "https://app.example/7");

    let apple = with("apns", "clinic://7");
    let sent: Value = serde_json::from_str(&payload(&apple).unwrap()).unwrap();
    let mut expected = aps.clone();
    expected["alert"] = json!({ "title": "T", "body": "B" });
    assert_eq!((&sent["aps"], &sent["carillon"]["link"]), (&expected, &json!("clinic://7")));
    let apple: Job = serde_json::from_value(apple).unwrap();
    let Ok(note) = Note::shape(&apple, noon()) else { panic!("it is small") };
    assert!(note.attributes.contains(&("AWS.SNS.MOBILE.APNS.PRIORITY", "10".to_owned())));
    let own: Value = serde_json::from_str(&payload(&with("fcm", "clinic://7")).unwrap()).unwrap();
    assert_eq!(own["fcmV1Message"]["message"].get("webpush"), None, "Google takes https alone");
}

#[test]
fn interruption_level_sets_sound_and_priority() {
    for (priority, level, sound, urgent) in [
        ("low", None, json!(null), "5"),
        ("normal", None, json!("default"), "5"),
        ("normal", Some("passive"), json!(null), "5"),
        ("low", Some("time-sensitive"), json!("default"), "10"),
        ("normal", Some("critical"), json!({ "critical": 1, "name": "default", "volume": 1.0 }), "10"),
        ("high", Some("passive"), json!(null), "10"),
    ] {
        let mut job = job("apns", "T", "B", &json!({}));
        job["priority"] = priority.into();
        if let Some(level) = level {
            job["content"]["push"]["options"] = json!({ "interruption": level });
        }
        let sent: Value = serde_json::from_str(&payload(&job).unwrap()).unwrap();
        assert_eq!(sent["aps"]["sound"], sound, "{priority} {level:?}");
        let job: Job = serde_json::from_value(job).unwrap();
        let Ok(note) = Note::shape(&job, noon()) else { panic!("it is small") };
        assert!(
            note.attributes.contains(&("AWS.SNS.MOBILE.APNS.PRIORITY", urgent.to_owned())),
            "{priority} {level:?}"
        );
    }
}

#[test]
fn normal_push_is_silent_and_not_urgent() {
    let mut job = job("apns", "T", "B", &json!({}));
    job["priority"] = "low".into();
    job.as_object_mut().unwrap().remove("expires_at");
    check(
        &job,
        &json!({
            "aps": { "alert": { "title": "T", "body": "B" }, "thread-id": "queue" },
            "carillon": { "id": "k-1", "type": "queue.updated" },
        }),
        &[
            ("AWS.SNS.MOBILE.APNS.PUSH_TYPE", "alert"),
            ("AWS.SNS.MOBILE.APNS.PRIORITY", "5"),
            ("AWS.SNS.MOBILE.APNS.COLLAPSE_ID", "k-1"),
        ],
    );
}

#[test]
fn one_byte_too_many_costs_the_data() {
    for platform in ["fcm", "apns"] {
        let empty = size(&job(platform, "T", "", &json!({ "d": "d" })));
        let fits = job(platform, "T", &"b".repeat(MAX_PAYLOAD_BYTES - empty), &json!({ "d": "d" }));
        assert_eq!(size(&fits), MAX_PAYLOAD_BYTES);
        assert!(payload(&fits).unwrap().contains(r#""d":"d""#));
        let over = job(platform, "T", &"b".repeat(MAX_PAYLOAD_BYTES - empty + 1), &json!({ "d": "d" }));
        let payload = payload(&over).unwrap();
        assert!(!payload.contains(r#""d":"d""#) && payload.contains("truncated"));
    }
}

#[test]
fn oversized_push_loses_data_then_the_end_of_its_body() {
    for platform in ["fcm", "apns", "apns_sandbox"] {
        for letter in ["b", "ж", "🔔", "\"", "\u{1}"] {
            let payload = payload(&job(platform, "T", &letter.repeat(5_000), &json!({}))).unwrap();
            assert!(payload.len() <= MAX_PAYLOAD_BYTES, "{platform} {letter}");
            assert!(payload.len() > MAX_PAYLOAD_BYTES - 16, "{platform} {letter}: no more than needed");
            assert!(payload.contains(CUT) && payload.contains("truncated"));
        }
    }
}

#[test]
fn too_long_push_title_is_refused() {
    let over = job("fcm", &"t".repeat(MAX_PAYLOAD_BYTES), "B", &json!({}));
    assert!(matches!(payload(&over), Err(Failure::Permanent { reason: Reason::TooLarge, .. })));
}

#[test]
fn ttl_is_limited_by_the_platform() {
    for (expires_at, expected) in [
        ("2026-11-20T11:00:00Z", "0"),
        ("2026-11-20T12:00:00Z", "0"),
        ("2026-11-20T12:00:01Z", "1"),
        ("2027-11-20T12:00:00Z", "2419200"),
    ] {
        let mut job = job("fcm", "T", "B", &json!({}));
        job["expires_at"] = expires_at.into();
        let job = serde_json::from_value(job).unwrap();
        let Ok(note) = Note::shape(&job, noon()) else { panic!("it is small") };
        assert_eq!(note.attributes[0].1, expected, "{expires_at}");
    }
}

proptest! {
    #[test]
    fn any_text_fits_or_is_refused(
        platform in prop::sample::select(vec!["fcm", "apns"]),
        title in "\\PC{0,300}",
        body in any::<String>(),
        repeated in 0_usize..300,
        data in "\\PC{0,3000}",
    ) {
        let job = job(platform, &title, &body.repeat(repeated), &json!({ "d": data }));
        match payload(&job) {
            Ok(payload) => {
                prop_assert!(payload.len() <= MAX_PAYLOAD_BYTES);
                prop_assert!(serde_json::from_str::<Value>(&payload).is_ok());
            }
            Err(failure) => {
                let too_large = matches!(failure, Failure::Permanent { reason: Reason::TooLarge, .. });
                prop_assert!(too_large);
            }
        }
    }
}

#[track_caller]
fn check(job: &Value, payload: &Value, attributes: &[(&str, &str)]) {
    let job: Job = serde_json::from_value(job.clone()).unwrap();
    let Ok(note) = Note::shape(&job, noon()) else { panic!("it is small") };
    let message: Map<String, Value> = serde_json::from_str(note.message.expose()).unwrap();
    let platform = name(note.device.platform);
    assert!(
        message.len() == 2 && message["default"].is_string(),
        "SNS wants a default, and one platform is enough"
    );
    let found: Value = serde_json::from_str(message[platform].as_str().unwrap()).unwrap();
    assert_eq!(&found, payload);
    let found: Vec<_> = note.attributes.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(found, attributes);
}

/// The payload for the platform.
fn payload(job: &Value) -> Result<String, Failure> {
    let job: Job = serde_json::from_value(job.clone()).unwrap();
    let note = Note::shape(&job, noon())?;
    let message: Value = serde_json::from_str(note.message.expose()).unwrap();
    Ok(message[name(note.device.platform)].as_str().unwrap().to_owned())
}

fn size(job: &Value) -> usize {
    payload(job).unwrap().len()
}

fn noon() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn job(platform: &str, title: &str, body: &str, data: &Value) -> Value {
    json!({
        "version": 1, "key": "k-1", "rule": "queue", "catalog": "c", "recipient": "ann",
        "event": { "id": "e-1", "source": "s", "type": "queue.updated", "time": "2026-11-20T12:00:00Z" },
        "priority": "high", "on_unknown": "resend", "expires_at": "2026-11-20T12:10:00Z",
        "content": { "push": {
            "to": { "id": "phone-1", "platform": platform, "endpoint": "arn:aws:sns:::endpoint/x" },
            "title": title, "body": body, "data": data, "locale": "en",
        } },
    })
}
