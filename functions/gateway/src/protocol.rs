//! The WebSocket protocol: requests of API Gateway and replies to clients.

use std::collections::HashMap;

use domain::base::sensitive::{self, Sensitive};
use domain::event::key::Key;
use domain::inbox::{Counts, Mark};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

mod replies;
mod requests;

pub use domain::inbox::Marking;
pub use replies::Standing;
pub use requests::Listing;

/// A WebSocket request.
///
/// Source: API Gateway developer guide, "Set up a WebSocket API integration request". Only the fields
/// used here are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    request_context: RequestContext,
    #[serde(default)]
    query_string_parameters: Option<HashMap<String, Sensitive<String>>>,
    #[serde(default)]
    body: Option<Sensitive<String>>,
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
    Inbox,
    Counts,
    Mark,
    Resume,
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
            "inbox" => Route::Inbox,
            "counts" => Route::Counts,
            "mark" => Route::Mark,
            "resume" => Route::Resume,
            "ping" => Route::Ping,
            _ => Route::Default,
        }
    }

    #[must_use]
    pub fn connection_id(&self) -> &str {
        &self.request_context.connection_id
    }

    pub(crate) fn ticket(&self) -> Option<&str> {
        self.query_string_parameters.as_ref()?.get("ticket").map(|ticket| ticket.expose().as_str())
    }

    /// The room that a client requests. `None` if the message has no such text.
    pub(crate) fn room(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Subscribe {
            room: String,
        }
        serde_json::from_str::<Subscribe>(self.body.as_ref()?.expose()).ok().map(|subscribe| subscribe.room)
    }
}

/// A reply to a client.
#[derive(Serialize)]
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
    /// The notifications that the user has seen, now or earlier.
    Seen(Notices),
    Acknowledged(Notices),
    /// None of the named notifications was marked.
    #[serde(rename = "refused")]
    NotNoticed {
        refused: Vec<Denied>,
    },
    /// A page of inbox entries, newest first, with the start of the next page.
    Inbox {
        entries: Vec<Box<RawValue>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        next: Option<u64>,
        counts: Counts,
    },
    Counts(Counts),
    Marked {
        #[serde(rename = "as")]
        mark: Mark,
        entries: Vec<Standing>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        refused: Vec<Denied>,
        counts: Counts,
    },
    /// The number of marked entries. If there are more, the client repeats the request.
    #[serde(rename = "marked")]
    MarkedAll {
        #[serde(rename = "as")]
        mark: Mark,
        count: usize,
        more: bool,
        counts: Counts,
    },
    /// The entries since the client's last one, oldest first.
    Missed {
        entries: Vec<Box<RawValue>>,
        more: bool,
        counts: Counts,
    },
    Error {
        reason: &'static str,
        wanted: &'static str,
    },
    /// The last message before the socket is closed: `rate` or `replaced`.
    Bye {
        reason: &'static str,
    },
}

/// The notifications that were marked as seen or acknowledged, and the refused ones.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Notices {
    ids: Vec<Key>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    refused: Vec<Denied>,
    /// The inbox counts, if the inbox contains any of the notifications.
    #[serde(skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
}

/// A notification that the user cannot mark.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Denied {
    id: Key,
    reason: &'static str,
}

/// An answer in the form of API Gateway.
#[derive(PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    status_code: u16,
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    body: Option<Sensitive<String>>,
}

impl Response {
    pub(crate) fn ok() -> Response {
        Response { status_code: 200, body: None }
    }

    pub(crate) fn unauthorized() -> Response {
        Response { status_code: 401, body: None }
    }

    pub(crate) fn says(reply: &Reply) -> Response {
        Response { status_code: 200, body: Some(reply.to_json().into()) }
    }
}

#[cfg(test)]
mod tests;
