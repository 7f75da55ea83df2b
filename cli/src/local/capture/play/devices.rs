//! SNS platform endpoints: made from tokens, looked at, refreshed and deleted.
//!
//! Source: SNS API reference, `CreatePlatformEndpoint`, `GetEndpointAttributes`, `SetEndpointAttributes`, `DeleteEndpoint`.

use std::collections::BTreeMap;

use super::super::record::Records;
use super::{Answer, sns_answer, sns_error};

/// An endpoint as SNS keeps it.
#[derive(Clone)]
pub(in super::super) struct Endpoint {
    token: String,
    enabled: bool,
}

/// By their ARNs; `None` for one that was deleted.
pub(in super::super) type Endpoints = BTreeMap<String, Option<Endpoint>>;

/// Why nothing can be published to an endpoint. One that was never made here is taken as it is, so that a test needs not
/// make one; of an application called `disabled` all are.
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

pub(super) fn play(action: &str, form: &BTreeMap<String, String>, records: &Records) -> Answer {
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
            Some(Some(it)) => {
                for (name, key) in form {
                    let Some(entry) = name.strip_suffix(".key") else { continue };
                    let value = form.get(&format!("{entry}.value")).map_or("", String::as_str);
                    match key.as_str() {
                        "Token" => value.clone_into(&mut it.token),
                        "Enabled" => it.enabled = value == "true",
                        _ => {}
                    }
                }
                sns_answer(action, "")
            }
            Some(None) | None => sns_error("NotFound", "Endpoint does not exist"),
        },
        _ => sns_error("InvalidAction", "only what channels and devices ask is played here"),
    }
}

/// The same endpoint for the same token. One that is disabled is in the way of a new one, as at SNS.
fn create(application: &str, token: &str, records: &Records) -> Answer {
    let Some((place, name)) = application.split_once(":app/") else {
        return sns_error("NotFound", "PlatformApplication does not exist");
    };
    if token.is_empty() || token.contains(char::is_whitespace) {
        return sns_error("InvalidParameter", "Invalid parameter: Token Reason: it is no token");
    }
    let beginning = format!("{place}:endpoint/{name}/");
    let mut endpoints = records.endpoints.borrow_mut();
    let found = endpoints.iter().find_map(|(arn, it)| {
        let same = arn.starts_with(&beginning) && it.as_ref().is_some_and(|it| it.token == token);
        same.then(|| (arn.clone(), it.as_ref().is_some_and(|it| it.enabled)))
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
