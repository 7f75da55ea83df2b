//! Answers in the form of API Gateway.

use std::collections::BTreeMap;

use domain::base::sensitive::{self, Sensitive};
use serde::Serialize;
use serde_json::json;

use crate::problem::Problem;
use crate::unsubscribe::page::{self, Page};

/// The headers of every answer. An answer can contain personal data, so caches must not store it and
/// browsers must not guess its type.
///
/// Source: RFC 9111, section 5.2.2.5; WHATWG Fetch, "`X-Content-Type-Options` header".
const EVERYWHERE: [(&str, &str); 2] = [("cache-control", "no-store"), ("x-content-type-options", "nosniff")];

/// An answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    pub(crate) status_code: u16,
    pub(crate) headers: BTreeMap<&'static str, String>,
    #[serde(serialize_with = "sensitive::stored")]
    pub(crate) body: Sensitive<String>,
}

impl Response {
    pub(crate) fn json(status: u16, value: &impl Serialize) -> Response {
        let body = serde_json::to_string(value).expect("values of the domain always serialize");
        Response::text(status, "application/json", body)
    }

    pub(crate) fn empty(status: u16) -> Response {
        Response { status_code: status, headers: everywhere().collect(), body: Sensitive::default() }
    }

    pub(crate) fn text(status: u16, kind: &str, body: String) -> Response {
        let headers = everywhere().chain([("content-type", kind.to_owned())]);
        Response { status_code: status, headers: headers.collect(), body: body.into() }
    }

    pub(crate) fn problem(problem: &Problem, request: &str) -> Response {
        let Problem { status, kind, detail, retry_after } = problem;
        let body = json!({
            "type": format!("urn:carillon:{kind}"), "title": kind, "status": status, "detail": detail,
            "instance": format!("urn:carillon:request:{request}"),
        });
        let mut response = Response::text(*status, "application/problem+json", body.to_string());
        if let Some(seconds) = retry_after {
            response = response.with("retry-after", seconds.to_string());
        }
        response
    }

    pub(crate) fn with(mut self, header: &'static str, value: String) -> Response {
        self.headers.insert(header, value);
        self
    }
}

impl From<Page> for Response {
    fn from(page: Page) -> Response {
        let headers = page::HEADERS.into_iter().map(|(name, value)| (name, value.to_owned()));
        let headers = everywhere().chain(headers).collect();
        Response { status_code: page.status, headers, body: page.html.into() }
    }
}

fn everywhere() -> impl Iterator<Item = (&'static str, String)> {
    EVERYWHERE.into_iter().map(|(name, value)| (name, value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn every_answer_forbids_caches_and_guesses() {
        let problem = Problem::new(404, "not_found", "no such object");
        for response in [
            Response::json(200, &json!({})),
            Response::empty(204),
            Response::problem(&problem, "r"),
            Page { status: 404, html: String::new() }.into(),
        ] {
            assert_eq!(response.headers["cache-control"], "no-store");
            assert_eq!(response.headers["x-content-type-options"], "nosniff");
        }
    }
}
