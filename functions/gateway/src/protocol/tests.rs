use super::*;
use domain::catalog::rule::Unless;
use serde_json::{Value, json};

#[test]
fn request_is_parsed_by_its_route() {
    check(
        "subscribe",
        r#"{\"action\":\"subscribe\",\"room\":\"queue:7\"}"#,
        Route::Subscribe,
        Some("queue:7"),
    );
    check("subscribe", r#"{\"action\":\"subscribe\",\"room\":7}"#, Route::Subscribe, None);
    check("subscribe", "not json", Route::Subscribe, None);
    check("$default", "", Route::Default, None);
    check("dance", "", Route::Default, None);
}

#[test]
fn one_to_a_hundred_notifications_are_named_by_their_keys() {
    let id = |n: usize| format!("{n:0>43}");
    check_ids(&json!([id(1)]), Some(&[id(1)]));
    check_ids(&json!([id(2), id(1), id(2)]), Some(&[id(2), id(1)]));
    let hundred: Vec<String> = (0..100).map(id).collect();
    check_ids(&json!(hundred), Some(&hundred));
    let more: Vec<String> = (0..101).map(id).collect();
    for ids in [
        json!(more),
        json!([]),
        json!(null),
        json!(id(1)),
        json!([7]),
        json!([""]),
        json!([&id(1)[1..]]),
        json!([format!("{}0", id(1))]),
        json!([id(1).replace('1', "#")]),
        json!([id(1), "short"]),
    ] {
        check_ids(&ids, None);
    }
}

#[test]
fn refused_ids_have_their_reason() {
    let [mine, rooms] = ["1", "2"].map(|digit| Key::parse(&digit.repeat(43)).unwrap());
    let some =
        Reply::noticed(Unless::Seen, vec![mine.clone()], vec![Denied::told_to_a_room(rooms.clone())], None);
    let refused = json!([{ "id": rooms, "reason": "told_to_a_room" }]);
    assert_eq!(written(&some), json!({ "type": "seen", "ids": [mine], "refused": refused }));
    let all = Reply::noticed(Unless::Acknowledged, vec![mine.clone()], vec![], None);
    assert_eq!(written(&all), json!({ "type": "acknowledged", "ids": [mine] }));
    let none = Reply::noticed(Unless::Seen, vec![], vec![Denied::not_yours(mine.clone())], None);
    let refused = json!([{ "id": mine, "reason": "not_yours" }]);
    assert_eq!(written(&none), json!({ "type": "refused", "refused": refused }));
}

#[test]
fn replies_give_the_reason_of_limits_and_closes() {
    assert_eq!(written(&Reply::slow_down())["reason"], "slow_down");
    assert_eq!(written(&Reply::Bye { reason: "rate" }), json!({ "type": "bye", "reason": "rate" }));
}

fn written(reply: &Reply) -> Value {
    serde_json::to_value(reply).unwrap()
}

#[track_caller]
fn check(key: &str, body: &str, route: Route, room: Option<&str>) {
    let text = format!(r#"{{"requestContext":{{"routeKey":"{key}","connectionId":"c"}},"body":"{body}"}}"#);
    let request: Request = serde_json::from_str(&text).unwrap();
    assert_eq!((request.route(), request.room().as_deref()), (route, room));
}

#[track_caller]
fn check_ids(ids: &Value, expected: Option<&[String]>) {
    for (action, route) in [("seen", Route::Seen), ("acknowledge", Route::Acknowledge)] {
        let body = json!({ "action": action, "ids": ids }).to_string();
        let request = json!({ "requestContext": { "routeKey": action, "connectionId": "c" }, "body": body });
        let request: Request = serde_json::from_value(request).unwrap();
        assert_eq!(request.route(), route);
        let found = request.ids();
        let found: Option<Vec<&str>> = found.as_ref().map(|found| found.iter().map(Key::as_str).collect());
        let expected: Option<Vec<&str>> =
            expected.map(|expected| expected.iter().map(String::as_str).collect());
        assert_eq!(found, expected, "{ids}");
    }
}

#[test]
fn a_filter_is_listed_from_where_the_last_page_ended() {
    let listing = |body: Value| request("inbox", &body).listing();
    let all = Listing { filter: domain::inbox::InboxQuery::default(), before: None, limit: 20 };
    assert_eq!(listing(json!({ "action": "inbox" })), Some(all));
    let filter = domain::inbox::InboxQuery {
        filter: domain::inbox::InboxFilter::Unread,
        category: Some("billing".into()),
    };
    let some = Listing { filter, before: Some(120), limit: 100 };
    let asked = json!({ "filter": "unread", "category": "billing", "before": 120, "limit": 100 });
    assert_eq!(listing(asked), Some(some));
    for garbage in [
        json!({ "filter": "attic" }),
        json!({ "limit": 0 }),
        json!({ "limit": 101 }),
        json!({ "limit": "20" }),
        json!({ "before": -1 }),
        json!({ "category": "" }),
        json!({ "category": "x".repeat(257) }),
        json!([]),
        json!(null),
    ] {
        assert_eq!(listing(garbage.clone()), None, "{garbage}");
    }
}

#[test]
fn some_are_marked_by_their_ids_or_all_at_once_and_never_both() {
    let marking = |body: Value| request("mark", &body).marking();
    let id = "1".repeat(43);
    let these = Marking::These { mark: Mark::Read, keys: vec![Key::parse(&id).unwrap()] };
    assert_eq!(marking(json!({ "as": "read", "ids": [id] })), Some(these));
    let all = Marking::All { mark: Mark::Seen, category: None };
    assert_eq!(marking(json!({ "as": "seen", "all": true })), Some(all));
    for garbage in [
        json!({ "as": "read" }),
        json!({ "ids": [id] }),
        json!({ "as": "eaten", "ids": [id] }),
        json!({ "as": "read", "ids": [id], "all": true }),
        json!({ "as": "read", "ids": [id], "category": "billing" }),
        json!({ "as": "read", "all": false }),
        json!({ "as": "read", "all": 1 }),
        json!({ "as": "read", "ids": [] }),
        json!({ "as": "read", "all": true, "category": "" }),
    ] {
        assert_eq!(marking(garbage.clone()), None, "{garbage}");
    }
    assert_eq!(request("resume", &json!({ "after": id })).after(), Key::parse(&id));
    assert_eq!(request("resume", &json!({ "after": 7 })).after(), None);
}

fn request(route: &str, body: &Value) -> Request {
    let request =
        json!({ "requestContext": { "routeKey": route, "connectionId": "c" }, "body": body.to_string() });
    serde_json::from_value(request).unwrap()
}
