//! What API Gateway hands over, and what clients say and hear.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

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
}

/// What a client hears.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Reply {
    Pong,
    Subscribed { room: String },
    Refused { room: String, reason: &'static str },
    Error { reason: &'static str, wanted: &'static str },
}

impl Reply {
    pub(crate) fn unknown_action() -> Reply {
        Reply::Error {
            reason: "unknown_action",
            wanted: "{\"action\":\"subscribe\",\"room\":…} or {\"action\":\"ping\"}",
        }
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

    #[track_caller]
    fn check(key: &str, body: &str, route: Route, room: Option<&str>) {
        let text =
            format!(r#"{{"requestContext":{{"routeKey":"{key}","connectionId":"c"}},"body":"{body}"}}"#);
        let request: Request = serde_json::from_str(&text).unwrap();
        assert_eq!((request.route(), request.room().as_deref()), (route, room));
    }
}
