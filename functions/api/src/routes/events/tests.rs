use super::*;
use crate::caller::Person;

const NOW: Timestamp = Timestamp::constant(1_795_000_000, 0);

#[test]
fn missing_attributes_are_added_and_others_unchanged() {
    let event = Event::parse(&read(r#"{"type":"order.placed","data":{"x":1.50}}"#)).unwrap();
    assert_eq!((event.id.as_str(), event.source.as_str(), event.time), ("new", "/tenants/clinic%207", NOW));
    assert_eq!(event.data.unwrap().text(), r#"{"x":1.50}"#);
    let whole = r#"{"specversion":"1.0","id":"1","source":"/s","time":"2026-11-20T12:00:00Z","type":"t"}"#;
    assert_eq!(read(whole), whole);
    for bad in
        ["", "[]", "{", "{}", r#"{"id":"1","id":"2"}"#, r#"{"type":"t",}"#, "7", r#"{"id":7,"type":"t"}"#]
    {
        assert!(Event::parse(&read(bad)).is_err(), "{bad}");
    }
}

#[test]
fn empty_envelope_is_refused_with_missing_attributes() {
    for empty in ["{}", "{ }", " {\n}\n", r#"{"data":{}}"#] {
        let refusal = Event::parse(&read(empty)).unwrap_err().to_string();
        assert!(refusal.starts_with("type: found nothing"), "{empty}: {refusal}");
    }
}

#[test]
fn attribute_that_is_null_or_written_in_other_letters_is_completed_like_any_other() {
    for body in [
        r#"{"type":"t","time":null,"id":null}"#,
        r#"{"Type":"t","Time":null}"#,
        r#"{"TYPE":"t","SpecVersion":"1.0"}"#,
    ] {
        let event = Event::parse(&read(body)).unwrap();
        assert_eq!((event.id.as_str(), event.time, event.kind.as_str()), ("new", NOW, "t"), "{body}");
    }
    let own = Event::parse(&read(r#"{"Type":"t","Id":"own","Time":"2026-11-20T12:00:00Z"}"#)).unwrap();
    assert_eq!(own.id, "own");
}

fn read(body: &str) -> String {
    completed(body, "new", &Scope::Tenant("clinic 7".into()), NOW)
}

#[test]
fn token_speaks_for_its_tenant_and_in_its_name() {
    check(&admin(), &json!({ "source": "/tenants/a" }), "");
    check(&admin(), &json!({ "source": "/tenants/a/shop", "tenant": "a" }), "");
    check(&admin(), &json!({ "source": "/tenants/ab" }), "forbidden");
    check(&admin(), &json!({ "source": "/orders" }), "forbidden");
    check(&admin(), &json!({ "source": "/tenants/a", "tenant": "b" }), "forbidden");
    check(&program(), &json!({ "source": "/api/orders" }), "");
    check(&program(), &json!({ "source": "/api/orders", "tenant": "b" }), "forbidden");
    let mut event = event(json!({ "source": "/api/orders", "tenant": "b" }));
    assert!(hold(&mut event, &program(), &Scope::All, &Producers::default(), NOW).is_ok());
}

#[test]
fn program_uses_the_source_of_a_producer_only_where_the_policy_says_so() {
    check(&program(), &json!({ "source": "/orders" }), "source_not_allowed");
    let policy = json!([
        { "source": "/orders", "tenants": "all", "api": true },
        { "source": "bank", "tenants": "all", "operator": true },
    ]);
    check_with(&policy, &program(), &json!({ "source": "/orders" }), "");
    let replay = json!({ "source": "bank", "replayid": "r" });
    check_with(&policy, &program(), &replay, "source_not_allowed");
}

#[test]
fn reserved_types_and_sources_are_refused_whoever_calls() {
    for caller in [admin(), program()] {
        for kind in ["carillon.recipient.deleted", "communication.sent", "preference.unsubscribed"] {
            check(&caller, &json!({ "type": kind }), "reserved_type");
        }
        check(&caller, &json!({ "type": "recipient.address_changed" }), "reserved_type");
        for source in ["carillon", "carillon/api", "carillon/replay", "/carillon/digest"] {
            check(&caller, &json!({ "source": source }), "reserved_source");
        }
    }
    check(&program(), &json!({ "source": "/tenants/b" }), "producer_not_allowed");
}

#[test]
fn token_cannot_mark_a_replay() {
    check(&admin(), &json!({ "replayid": "r" }), "replay_not_allowed");
    check(&admin(), &json!({ "renotify": true }), "replay_not_allowed");
    check(&program(), &json!({ "replayid": "r" }), "replay_not_allowed");
}

#[test]
fn authid_is_set_from_the_token_and_never_taken_from_the_body() {
    let body = check(&admin(), &json!({}), "").unwrap();
    assert_eq!((body.auth_id.as_deref(), body.actor.as_deref()), (Some("ann"), Some("ann")));
    assert!(body.to_json().contains(r#""authid":"ann""#) && body.to_json().contains(r#""authtype":"user""#));
    for caller in [admin(), program()] {
        check(&caller, &json!({ "authid": "ann" }), "authid_not_allowed");
        check(&caller, &json!({ "authtype": "system" }), "authid_not_allowed");
    }
    assert_eq!(check(&program(), &json!({}), "").unwrap().auth_id, None);
}

#[test]
fn actor_of_a_token_is_its_user_unless_the_policy_relaxes_it() {
    check(&admin(), &json!({ "actor": "ann" }), "");
    check(&admin(), &json!({ "actor": "ben" }), "actor_not_allowed");
    let policy = json!([{ "source": "/tenants/a", "tenants": "none", "any_actor": true }]);
    let body = check_with(&policy, &admin(), &json!({ "actor": "ben" }), "").unwrap();
    assert_eq!((body.actor.as_deref(), body.auth_id.as_deref()), (Some("ben"), Some("ann")));
    check(&program(), &json!({ "actor": "ben" }), "");
}

#[test]
fn critical_priority_of_the_api_needs_a_grant() {
    for priority in ["critical", "URGENT"] {
        check(&admin(), &json!({ "priority": priority }), "priority_not_allowed");
    }
    check(&admin(), &json!({ "priority": "high" }), "");
    let policy = json!([{ "source": "/tenants/*", "tenants": "none", "critical": true }]);
    check_with(&policy, &admin(), &json!({ "priority": "critical" }), "");
}

#[test]
fn time_of_a_token_is_within_an_hour_of_now() {
    for (seconds, code) in [(3_600, ""), (-3_600, ""), (3_601, "refused"), (-3_601, "refused")] {
        let time = NOW + SignedDuration::from_secs(seconds);
        check(&admin(), &json!({ "time": time.to_string() }), code);
    }
    check(&admin(), &json!({ "time": "9999-01-01T00:00:00Z" }), "refused");
    check(&program(), &json!({ "time": "2020-01-01T00:00:00Z" }), "");
}

#[test]
fn policy_limits_the_types_of_tenants() {
    let policy = json!([{ "source": "/tenants/*", "tenants": "none", "types": ["order.*"] }]);
    check_with(&policy, &admin(), &json!({ "type": "order.placed" }), "");
    check_with(&policy, &admin(), &json!({ "type": "t" }), "producer_not_allowed");
    check_with(&policy, &program(), &json!({ "source": "/api" }), "");
}

fn program() -> Caller {
    Caller::Program("arn:aws:iam::000000000000:user/shop".into())
}

fn admin() -> Caller {
    Caller::Person(Person { user: "ann".into(), tenant: "a".into(), is_admin: true, rooms: vec![] })
}

fn event(members: serde_json::Value) -> Event {
    let mut text = json!({
        "specversion": "1.0", "id": "1", "source": "/tenants/a", "type": "t", "time": NOW.to_string(),
    });
    let serde_json::Value::Object(members) = members else { panic!("members are an object") };
    text.as_object_mut().unwrap().extend(members);
    Event::parse(&text.to_string()).unwrap()
}

/// Checks an event of the tenant `a`. `code` is the code of the refusal, or empty.
#[track_caller]
fn check(caller: &Caller, members: &serde_json::Value, code: &str) -> Option<Event> {
    check_with(&serde_json::Value::Null, caller, members, code)
}

#[track_caller]
fn check_with(
    policy: &serde_json::Value,
    caller: &Caller,
    members: &serde_json::Value,
    code: &str,
) -> Option<Event> {
    let producers: Producers = serde_json::from_value(policy.clone()).unwrap();
    let mut event = event(members.clone());
    let held = hold(&mut event, caller, &Scope::Tenant("a".into()), &producers, NOW);
    assert_eq!(held.as_ref().err().map_or("", |problem| problem.kind), code, "{members}");
    held.ok().map(|()| {
        assert_eq!(event.tenant.as_deref(), Some("a"));
        event
    })
}
