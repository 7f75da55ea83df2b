//! `/v1/lookups`: finds people by an address.
//!
//! The address is in the body, because URLs end up in access logs. A tenant finds only people it may
//! see, and only by addresses it may see. Otherwise a match would confirm a hidden address of a person
//! who also belongs to other tenants.

use domain::base::channel::Channel;
use domain::recipient::{Recipient, parse_address};
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::response::Response;
use crate::{Api, ApiCall};

/// The members of a body, of which exactly one is present.
fn members() -> impl Iterator<Item = (&'static str, Channel)> {
    Channel::with_addresses().map(|(channel, address)| (address.member, channel))
}

/// The accepted body, for refusals.
fn accepted() -> String {
    let names: Vec<&str> = members().map(|(name, _)| name).collect();
    let (last, others) = names.split_last().unwrap_or((&"", &[]));
    format!("one of {} and {last}, such as {{\"email\":\"ann@example.com\"}}", others.join(", "))
}

impl Api {
    /// Finds people by an address, in any spelling.
    pub(crate) async fn look_up_recipients(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let (channel, address) = wanted(&call.request.object()?)?;
        let found = self.people.by_address(channel, &address).await?;
        let seen = found.into_iter().filter_map(|person| self.seen(call, person).ok());
        let seen: Vec<Recipient> = seen.filter(|person| person.address(channel).is_some()).collect();
        Ok(Response::json(200, &json!({ "recipients": seen })))
    }
}

/// The address to find. Refusals do not quote it.
fn wanted(body: &serde_json::Map<String, Value>) -> Result<(Channel, String), Problem> {
    if let Some(problem) = Problem::stranger(body, &members().map(|(name, _)| name).collect::<Vec<_>>()) {
        return Err(problem);
    }
    let mut named = members().filter_map(|(name, channel)| Some((name, channel, body.get(name)?)));
    let (Some((name, channel, value)), None) = (named.next(), named.next()) else {
        return Err(Problem::refused("body", "none of them, or several", &accepted()));
    };
    match value.as_str().filter(|text| parse_address(channel, text).is_ok()) {
        Some(text) => Ok((channel, text.to_owned())),
        None => Err(Problem::refused(name, "a malformed address", &accepted())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_wanted_and_a_refusal_does_not_repeat_it() {
        let read = |value: Value| {
            let Value::Object(body) = value else { panic!("an object") };
            wanted(&body)
        };
        let found = read(json!({ "email": "Ann@example.com" }));
        assert!(found.is_ok_and(|found| found == (Channel::Email, "Ann@example.com".to_owned())));
        assert!(read(json!({ "phone": "+442079460102" })).is_ok_and(|(channel, _)| channel == Channel::Sms));
        for wrong in [
            json!({}),
            json!({ "email": "s3cret" }),
            json!({ "email": null }),
            json!({ "phone": "s3cret" }),
            json!({ "phone": 442079460102_u64 }),
            json!({ "email": "s3cret@example.com", "phone": "+442079460102" }),
            json!({ "name": "s3cret" }),
        ] {
            let problem = read(wrong.clone()).err().unwrap();
            assert!(!problem.detail.contains("s3cret"), "{wrong}: {}", problem.detail);
        }
    }
}
