//! SNS platform endpoints: creating, reading, changing and deleting them.
//!
//! Source: SNS API reference, `CreatePlatformEndpoint`, `GetEndpointAttributes`, `SetEndpointAttributes`, `DeleteEndpoint`.

use std::collections::BTreeMap;

use super::super::records::Records;
use super::{Answer, sns_answer, sns_error};

/// An SNS platform endpoint.
#[derive(Clone)]
pub(in super::super) struct Endpoint {
    token: String,
    enabled: bool,
}

/// The endpoints by ARN; `None` for a deleted one.
pub(in super::super) type Endpoints = BTreeMap<String, Option<Endpoint>>;

/// The error of `Publish` to a deleted or disabled endpoint. Unknown endpoints accept messages, so that tests need not create
/// them. All endpoints of an application called `disabled` are disabled.
pub(super) fn refusal(target: &str, records: &Records) -> Option<Answer> {
    let known = records.endpoints.borrow().get(target).cloned();
    match known {
        Some(None) => Some(sns_error(
            "InvalidParameter",
            "Invalid parameter: TargetArn Reason: No endpoint found for the target arn specified",
        )),
        Some(Some(known)) if known.enabled => None,
        None if !target.contains("/disabled/") => None,
        Some(Some(_)) | None => Some(sns_error("EndpointDisabled", "Endpoint is disabled")),
    }
}

/// Answers an operation on endpoints.
pub(super) fn answer(action: &str, form: &BTreeMap<String, String>, records: &Records) -> Answer {
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let arn = field("EndpointArn");
    match action {
        "CreatePlatformEndpoint" => create(field("PlatformApplicationArn"), field("Token"), records),
        "DeleteEndpoint" => {
            records.endpoints.borrow_mut().insert(arn.to_owned(), None);
            sns_answer(action, "")
        }
        "GetEndpointAttributes" => match records.endpoints.borrow().get(arn).cloned().flatten() {
            Some(endpoint) => {
                let entry =
                    |key: &str, value: &str| format!("<entry><key>{key}</key><value>{value}</value></entry>");
                let entries =
                    [entry("Token", &endpoint.token), entry("Enabled", &endpoint.enabled.to_string())]
                        .concat();
                sns_answer(action, &format!("<Attributes>{entries}</Attributes>"))
            }
            None => sns_error("NotFound", "Endpoint does not exist"),
        },
        "SetEndpointAttributes" => match records.endpoints.borrow_mut().get_mut(arn) {
            Some(Some(endpoint)) => {
                for (name, key) in form {
                    let Some(entry) = name.strip_suffix(".key") else { continue };
                    let value = form.get(&format!("{entry}.value")).map_or("", String::as_str);
                    match key.as_str() {
                        "Token" => value.clone_into(&mut endpoint.token),
                        "Enabled" => endpoint.enabled = value == "true",
                        _ => {}
                    }
                }
                sns_answer(action, "")
            }
            Some(None) | None => sns_error("NotFound", "Endpoint does not exist"),
        },
        _ => sns_error("InvalidAction", "the capture server does not emulate this operation"),
    }
}

/// Returns the same endpoint for the same token. A disabled endpoint with this token is an error, as in SNS.
fn create(application: &str, token: &str, records: &Records) -> Answer {
    let Some((prefix, name)) = application.split_once(":app/") else {
        return sns_error("NotFound", "PlatformApplication does not exist");
    };
    if token.is_empty() || token.contains(char::is_whitespace) {
        return sns_error("InvalidParameter", "Invalid parameter: Token Reason: no token");
    }
    let beginning = format!("{prefix}:endpoint/{name}/");
    let mut endpoints = records.endpoints.borrow_mut();
    let found = endpoints.iter().find_map(|(arn, endpoint)| {
        let same = arn.starts_with(&beginning) && endpoint.as_ref().is_some_and(|known| known.token == token);
        same.then(|| (arn.clone(), endpoint.as_ref().is_some_and(|known| known.enabled)))
    });
    let arn = match found {
        Some((arn, false)) => {
            return sns_error(
                "InvalidParameter",
                &format!(
                    "Invalid parameter: Token Reason: Endpoint {arn} already exists with the same Token, but different attributes."
                ),
            );
        }
        Some((arn, true)) => arn,
        None => {
            let arn = format!("{beginning}{}", endpoints.len());
            endpoints.insert(arn.clone(), Some(Endpoint { token: token.to_owned(), enabled: true }));
            arn
        }
    };
    sns_answer("CreatePlatformEndpoint", &format!("<EndpointArn>{arn}</EndpointArn>"))
}
