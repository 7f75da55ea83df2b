//! What API Gateway hands over, and what it gets back.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::unsubscribe::page::{self, Page};

/// An HTTP request. No `Debug`: it may carry a person.
///
/// Source: API Gateway developer guide, "Lambda function proxy integrations for HTTP APIs", payload format 2.0, the
/// fields that are read here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    route_key: String,
    #[serde(default)]
    path_parameters: Option<HashMap<String, String>>,
    /// Their names in lower case.
    #[serde(default)]
    headers: Option<HashMap<String, String>>,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: RequestContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    request_id: String,
}

/// The routes of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    Put,
    Patch,
    Get,
    Delete,
    Other,
}

impl Request {
    #[must_use]
    pub fn route(&self) -> Route {
        match self.route_key.as_str() {
            "PUT /v1/recipients/{id}" => Route::Put,
            "PATCH /v1/recipients/{id}" => Route::Patch,
            "GET /v1/recipients/{id}" => Route::Get,
            "DELETE /v1/recipients/{id}" => Route::Delete,
            _ => Route::Other,
        }
    }

    /// The method and the token of a request to unsubscribe.
    pub(crate) fn unsubscribe(&self) -> Option<(&str, &str)> {
        let method = self.route_key.strip_suffix(" /v1/unsubscribe/{token}")?;
        Some((method, self.path_parameters.as_ref()?.get("token")?))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.as_ref()?.get(name).map(String::as_str)
    }

    pub(crate) fn id(&self) -> Option<String> {
        self.path_parameters.as_ref()?.get("id").filter(|it| !it.is_empty()).cloned()
    }

    pub(crate) fn request_id(&self) -> &str {
        &self.request_context.request_id
    }

    /// The text of the body; `None` when there is none, or it is no text.
    pub(crate) fn body(&self) -> Option<String> {
        let body = self.body.as_deref()?;
        if !self.is_base64_encoded {
            return Some(body.to_owned());
        }
        String::from_utf8(STANDARD.decode(body).ok()?).ok()
    }
}

/// What API Gateway gets back.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    status_code: u16,
    headers: HashMap<&'static str, &'static str>,
    body: String,
}

impl Response {
    pub(crate) fn json(status: u16, value: &impl Serialize) -> Response {
        let body = serde_json::to_string(value).expect("values of the domain always serialize");
        Response { status_code: status, headers: kind("application/json"), body }
    }

    pub(crate) fn empty(status: u16) -> Response {
        Response { status_code: status, headers: HashMap::new(), body: String::new() }
    }

    /// `kind` is a word for machines, `detail` a sentence for people.
    pub(crate) fn problem(status: u16, kind_of: &str, detail: &str) -> Response {
        let body = json!({ "type": format!("urn:carillon:{kind_of}"), "title": kind_of, "status": status, "detail": detail });
        Response { status_code: status, headers: kind("application/problem+json"), body: body.to_string() }
    }
}

impl From<Page> for Response {
    fn from(page: Page) -> Response {
        Response { status_code: page.status, headers: HashMap::from(page::HEADERS), body: page.html }
    }
}

fn kind(kind: &'static str) -> HashMap<&'static str, &'static str> {
    HashMap::from([("content-type", kind)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_told_by_its_route_and_its_body_may_come_encoded() {
        check("PUT /v1/recipients/{id}", Route::Put);
        check("PATCH /v1/recipients/{id}", Route::Patch);
        check("DELETE /v1/recipients/{id}", Route::Delete);
        check("POST /v1/recipients/{id}", Route::Other);
        check("$default", Route::Other);
    }

    #[track_caller]
    fn check(key: &str, route: Route) {
        let text = json!({
            "routeKey": key, "pathParameters": { "id": "ann" }, "body": "e30=", "isBase64Encoded": true,
            "requestContext": { "requestId": "r" },
        });
        let request: Request = serde_json::from_value(text).unwrap();
        assert_eq!((request.route(), request.id().as_deref()), (route, Some("ann")));
        assert_eq!(request.body().as_deref(), Some("{}"));
    }
}
