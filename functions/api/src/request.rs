//! Requests in the form of API Gateway.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::base::sensitive::Sensitive;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::caller::check_tenant;
use crate::problem::Problem;

/// The largest accepted body, in bytes. An event has at most 200 KiB, and all other bodies are smaller.
pub const MAX_BODY_BYTES: usize = 256 * 1024;

/// An HTTP request. The path of an unsubscription ends in its token.
///
/// Source: API Gateway developer guide, "Lambda function proxy integrations for HTTP APIs", payload
/// format 2.0. Only the fields used here are read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    #[serde(default)]
    raw_path: Sensitive<String>,
    #[serde(default)]
    headers: Sensitive<BTreeMap<String, String>>,
    #[serde(default)]
    query_string_parameters: Option<BTreeMap<String, String>>,
    /// The query as sent. The map above joins repeated parameters with a comma.
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    body: Option<Sensitive<String>>,
    #[serde(default)]
    is_base64_encoded: bool,
    request_context: RequestContext,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    request_id: String,
    #[serde(default)]
    stage: String,
    http: Http,
    #[serde(default)]
    authorizer: Option<Authorizer>,
}

#[derive(Deserialize)]
struct Http {
    method: String,
}

/// The result of API Gateway's verification. Clients cannot write it.
#[derive(Deserialize)]
pub(crate) struct Authorizer {
    #[serde(default)]
    pub(crate) iam: Option<Iam>,
    #[serde(default)]
    pub(crate) jwt: Option<Jwt>,
}

/// The identity that signed the request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Iam {
    #[serde(default)]
    pub(crate) user_arn: Option<String>,
}

/// The claims of a verified token, each as text.
#[derive(Deserialize)]
pub(crate) struct Jwt {
    #[serde(default)]
    pub(crate) claims: BTreeMap<String, String>,
}

impl Request {
    pub(crate) fn method(&self) -> &str {
        &self.request_context.http.method
    }

    /// The path without the stage, split and decoded.
    ///
    /// API Gateway has decoded all escapes except `%25`, so a part cannot contain a slash.
    pub(crate) fn path(&self) -> Vec<String> {
        let stage = &self.request_context.stage;
        let path = self.raw_path.expose().trim_start_matches('/');
        let behind = path.strip_prefix(stage.as_str()).and_then(|rest| rest.strip_prefix('/'));
        let path = behind.filter(|_| !stage.is_empty()).unwrap_or(path);
        path.split('/').map(|part| part.replace("%25", "%")).collect()
    }

    /// The value of a query parameter, unless it is empty.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let parameters = self.query_string_parameters.as_ref()?;
        parameters.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }

    /// The tenant in the query, if there is such a parameter.
    ///
    /// # Errors
    /// 422: the parameter is present and is not a tenant's name. An empty one is an error, because
    /// without a tenant a program reaches all tenants.
    pub(crate) fn tenant(&self) -> Result<Option<&str>, Problem> {
        let sent = self
            .query_string_parameters
            .as_ref()
            .and_then(|query_string_parameters| query_string_parameters.get(TENANT))
            .map(String::as_str);
        let named = match sent {
            Some(value) => value,
            // The map may omit a parameter without a value.
            None if self.query_names().iter().any(|query_name| query_name == TENANT) => "",
            None => return Ok(None),
        };
        let wanted = "a tenant's name of 1 to 256 bytes";
        check_tenant(named).map_err(|found| Problem::refused(TENANT, found, wanted))?;
        Ok(Some(named))
    }

    /// Checks the query of a request.
    ///
    /// # Errors
    /// 422: a parameter is repeated, or its name resembles `tenant` and would be ignored.
    pub(crate) fn check_query(&self) -> Result<(), Problem> {
        let mut seen = BTreeSet::new();
        for name in self.query_names() {
            if is_almost_tenant(&name) {
                return Err(Problem::refused(TENANT, "a parameter of almost that name", "tenant=<name>"));
            }
            if !seen.insert(name) {
                return Err(Problem::refused("query", "a parameter twice", "each parameter once"));
            }
        }
        Ok(())
    }

    /// The names of the query's parameters as sent, with repetitions.
    fn query_names(&self) -> Vec<String> {
        let sent = self.raw_query_string.split('&').filter(|part| !part.is_empty());
        let names: Vec<String> = sent.map(|sent| decoded(sent.split('=').next().unwrap_or(sent))).collect();
        match names.is_empty() {
            true => self.queries().map(|(name, _)| name.to_owned()).collect(),
            false => names,
        }
    }

    /// All query parameters, sorted by name.
    pub(crate) fn queries(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.query_string_parameters.iter().flatten();
        all.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The value of a header. `name` is in lower case, as in API Gateway's requests.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.expose().get(name).map(String::as_str)
    }

    /// The headers whose names have a prefix, without the prefix, sorted by name.
    pub(crate) fn headers_after(&self, prefix: &str) -> impl Iterator<Item = (&str, &str)> {
        let all = self.headers.expose().iter();
        all.filter_map(move |(name, value)| Some((name.strip_prefix(prefix)?, value.as_str())))
    }

    pub(crate) fn id(&self) -> &str {
        &self.request_context.request_id
    }

    pub(crate) fn authorizer(&self) -> Option<&Authorizer> {
        self.request_context.authorizer.as_ref()
    }

    /// The text of the body, empty if there is none.
    pub(crate) fn body(&self) -> Result<String, Problem> {
        let body = self.body.as_ref().map_or("", |body| body.expose());
        let too_large =
            || Problem::new(413, "too_large", format!("the body has more than {MAX_BODY_BYTES} bytes"));
        // Base64 uses four bytes for three.
        if body.len() > MAX_BODY_BYTES / 3 * 4 + 8 {
            return Err(too_large());
        }
        let text = match self.is_base64_encoded {
            false => body.to_owned(),
            true => {
                let bytes = STANDARD.decode(body).ok();
                let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
                text.ok_or_else(|| Problem::new(400, "unreadable", "the body is no UTF-8 text"))?
            }
        };
        if text.len() > MAX_BODY_BYTES { Err(too_large()) } else { Ok(text) }
    }

    /// The JSON object in the body.
    pub(crate) fn object(&self) -> Result<Map<String, Value>, Problem> {
        let no = |found: String| {
            Problem::new(400, "unreadable", format!("the body is {found}; wanted one JSON object"))
        };
        let body = self.body()?;
        if body.trim().is_empty() {
            return Err(no("empty".to_owned()));
        }
        match serde_json::from_str(&body) {
            Ok(Value::Object(members)) => Ok(members),
            Ok(_) => Err(no("JSON that is no object".to_owned())),
            Err(error) => Err(no(format!("no JSON (line {}, column {})", error.line(), error.column()))),
        }
    }
}

const TENANT: &str = "tenant";

/// Whether a parameter resembles `tenant`: `Tenant`, `tenant[]`, `tenants`.
fn is_almost_tenant(name: &str) -> bool {
    let letters: String = name.chars().filter(char::is_ascii_alphabetic).collect();
    name != TENANT && letters.to_ascii_lowercase().starts_with(TENANT)
}

/// Decodes a part of a query. Invalid escapes stay unchanged.
///
/// Source: WHATWG URL Standard, "application/x-www-form-urlencoded parsing".
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let [first, behind @ ..] = rest {
        let code = behind.get(..2).and_then(|value| std::str::from_utf8(value).ok());
        match (first, code.and_then(|code| u8::from_str_radix(code, 16).ok())) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &behind[2..];
                continue;
            }
            (b'+', _) => bytes.push(b' '),
            (byte, _) => bytes.push(*byte),
        }
        rest = behind;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
pub(crate) mod tests;
