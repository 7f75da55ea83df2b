//! What API Gateway hands over, and what clients say and hear.

use std::collections::HashMap;

use domain::key::Key;
use domain::rule::Unless;
use serde::{Deserialize, Serialize};

/// How many notifications one request may name.
const MAX_IDS: usize = 100;

/// A WebSocket request. No `Debug`: it may carry a ticket.
///
/// Source: API Gateway developer guide, "Set up a WebSocket API integration request", the fields that are read here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    request_context: RequestContext,
    #[serde(default)]
    query_string_parameters: Option<HashMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    route_key: String,
    connection_id: String,
}

/// The routes of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Connect,
    Disconnect,
    Subscribe,
    Seen,
    Acknowledge,
    Ping,
    Default,
}

impl Request {
    #[must_use]
    pub fn route(&self) -> Route {
        match self.request_context.route_key.as_str() {
            "$connect" => Route::Connect,
            "$disconnect" => Route::Disconnect,
            "subscribe" => Route::Subscribe,
            "seen" => Route::Seen,
            "acknowledge" => Route::Acknowledge,
            "ping" => Route::Ping,
            _ => Route::Default,
        }
    }

    #[must_use]
    pub fn connection_id(&self) -> &str {
        &self.request_context.connection_id
    }

    pub(crate) fn ticket(&self) -> Option<&str> {
        self.query_string_parameters.as_ref()?.get("ticket").map(String::as_str)
    }

    /// The room a client asks for; `None` when its message has no such text.
    pub(crate) fn room(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Subscribe {
            room: String,
        }
        serde_json::from_str::<Subscribe>(self.body.as_deref()?).ok().map(|it| it.room)
    }

    /// The notifications a client names, each once; `None` when its message has no such list, or one that is empty or
    /// too long, or an id that can be none.
    pub(crate) fn ids(&self) -> Option<Vec<Key>> {
        #[derive(Deserialize)]
        struct Notice {
            ids: Vec<String>,
        }
        let notice = serde_json::from_str::<Notice>(self.body.as_deref()?).ok()?;
        if notice.ids.is_empty() || notice.ids.len() > MAX_IDS {
            return None;
        }
        let mut keys = Vec::with_capacity(notice.ids.len());
        for id in &notice.ids {
            let key = Key::parse(id)?;
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        Some(keys)
    }
}

/// What a client hears.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Reply {
    Pong,
    Subscribed {
        room: String,
    },
    Refused {
        room: String,
        reason: &'static str,
    },
    /// The notifications that somebody has seen now, or saw before.
    Seen(Notices),
    Acknowledged(Notices),
    /// None of the notifications that were named.
    #[serde(rename = "refused")]
    NotNoticed {
        refused: Vec<Denied>,
    },
    Error {
        reason: &'static str,
        wanted: &'static str,
    },
}

/// Which notifications are on record as seen or acknowledged, and which are not.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Notices {
    ids: Vec<Key>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Denied>,
}

/// A notification that somebody cannot see or acknowledge.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Denied {
    id: Key,
    reason: &'static str,
}

impl Denied {
    pub(crate) fn not_connected(id: Key) -> Denied {
        Denied { id, reason: "not_connected" }
    }

    /// There is no such notification, or it is somebody else's: which of the two is nobody's business.
    pub(crate) fn not_yours(id: Key) -> Denied {
        Denied { id, reason: "not_yours" }
    }

    pub(crate) fn told_to_a_room(id: Key) -> Denied {
        Denied { id, reason: "told_to_a_room" }
    }
}

impl Reply {
    pub(crate) fn unknown_action() -> Reply {
        Reply::Error {
            reason: "unknown_action",
            wanted: "{\"action\":…} with subscribe, seen, acknowledge or ping",
        }
    }

    pub(crate) fn noticed(how: Unless, ids: Vec<Key>, refused: Vec<Denied>) -> Reply {
        if ids.is_empty() {
            return Reply::NotNoticed { refused };
        }
        let notices = Notices { ids, refused };
        match how {
            Unless::Seen => Reply::Seen(notices),
            Unless::Acknowledged => Reply::Acknowledged(notices),
        }
    }

    pub(crate) fn bad_ids(how: Unless) -> Reply {
        let wanted = match how {
            Unless::Seen => "{\"action\":\"seen\",\"ids\":[…]} with the id of 1 to 100 notifications",
            Unless::Acknowledged => {
                "{\"action\":\"acknowledge\",\"ids\":[…]} with the id of 1 to 100 notifications"
            }
        };
        Reply::Error { reason: "bad_ids", wanted }
    }

    pub(crate) fn bad_room() -> Reply {
        Reply::Error { reason: "bad_room", wanted: "{\"action\":\"subscribe\",\"room\":\"<name>:<value>\"}" }
    }
}

/// What API Gateway gets back.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<String>,
}

impl Response {
    pub(crate) fn ok() -> Response {
        Response { status_code: 200, body: None }
    }

    pub(crate) fn unauthorized() -> Response {
        Response { status_code: 401, body: None }
    }

    pub(crate) fn says(reply: &Reply) -> Response {
        let body = serde_json::to_string(reply).expect("a reply is strings");
        Response { status_code: 200, body: Some(body) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn a_request_is_told_by_its_route_and_a_broken_body_is_no_room() {
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
    fn what_is_not_on_record_is_told_with_its_reason() {
        let [mine, rooms] = ["1", "2"].map(|it| Key::parse(&it.repeat(43)).unwrap());
        let some =
            Reply::noticed(Unless::Seen, vec![mine.clone()], vec![Denied::told_to_a_room(rooms.clone())]);
        let refused = json!([{ "id": rooms, "reason": "told_to_a_room" }]);
        assert_eq!(written(&some), json!({ "type": "seen", "ids": [mine], "refused": refused }));
        let all = Reply::noticed(Unless::Acknowledged, vec![mine.clone()], vec![]);
        assert_eq!(written(&all), json!({ "type": "acknowledged", "ids": [mine] }));
        let none = Reply::noticed(Unless::Seen, vec![], vec![Denied::not_yours(mine.clone())]);
        let refused = json!([{ "id": mine, "reason": "not_yours" }]);
        assert_eq!(written(&none), json!({ "type": "refused", "refused": refused }));
    }

    fn written(reply: &Reply) -> Value {
        serde_json::to_value(reply).unwrap()
    }

    #[track_caller]
    fn check(key: &str, body: &str, route: Route, room: Option<&str>) {
        let text =
            format!(r#"{{"requestContext":{{"routeKey":"{key}","connectionId":"c"}},"body":"{body}"}}"#);
        let request: Request = serde_json::from_str(&text).unwrap();
        assert_eq!((request.route(), request.room().as_deref()), (route, room));
    }

    #[track_caller]
    fn check_ids(ids: &Value, expected: Option<&[String]>) {
        for (action, route) in [("seen", Route::Seen), ("acknowledge", Route::Acknowledge)] {
            let body = json!({ "action": action, "ids": ids }).to_string();
            let request =
                json!({ "requestContext": { "routeKey": action, "connectionId": "c" }, "body": body });
            let request: Request = serde_json::from_value(request).unwrap();
            assert_eq!(request.route(), route);
            let found = request.ids();
            let found: Option<Vec<&str>> = found.as_ref().map(|it| it.iter().map(Key::as_str).collect());
            let expected: Option<Vec<&str>> = expected.map(|it| it.iter().map(String::as_str).collect());
            assert_eq!(found, expected, "{ids}");
        }
    }
}
