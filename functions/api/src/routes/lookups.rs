//! `/v1/lookups`: finds people by an address.
//!
//! The address is in the body, because URLs end up in access logs. A tenant finds only people it may
//! see, and only by addresses it may see. Otherwise a match would confirm a hidden address of a person
//! who also belongs to other tenants.

use domain::channel::Channel;
use domain::recipient::{EmailAddress, PhoneNumber, Recipient};
use serde_json::{Value, json};

use crate::problem::Problem;
use crate::response::Response;
use crate::{Api, Asked};

/// The members of a body, of which exactly one is present.
const MEMBERS: [(&str, Channel); 3] =
    [("email", Channel::Email), ("phone", Channel::Sms), ("whatsapp", Channel::Whatsapp)];
const WANTED: &str = "one of email, phone and whatsapp, such as {\"email\":\"ann@example.com\"}";

impl Api {
    /// Finds people by an address, in any spelling.
    pub(crate) async fn look_up_recipients(&self, asked: &Asked<'_>) -> Result<Response, Problem> {
        let (channel, address) = wanted(&asked.request.object()?)?;
        let found = self.people.by_address(channel, &address).await?;
        let seen = found.into_iter().filter_map(|person| self.seen(asked, person).ok());
        let seen: Vec<Recipient> = seen.filter(|person| has_address(person, channel)).collect();
        Ok(Response::json(200, &json!({ "recipients": seen })))
    }
}

/// Whether the view of a person contains an address of this channel.
fn has_address(person: &Recipient, channel: Channel) -> bool {
    match channel {
        Channel::Email => person.email.is_some(),
        Channel::Sms => person.phone.is_some(),
        Channel::Whatsapp => person.whatsapp.is_some(),
        Channel::Push | Channel::Socket | Channel::Webhook => false,
    }
}

/// The address to find. Refusals do not quote it.
fn wanted(body: &serde_json::Map<String, Value>) -> Result<(Channel, String), Problem> {
    if let Some(problem) = Problem::stranger(body, &MEMBERS.map(|(name, _)| name)) {
        return Err(problem);
    }
    let mut named = MEMBERS.iter().filter_map(|(name, channel)| Some((*name, *channel, body.get(*name)?)));
    let (Some((name, channel, value)), None) = (named.next(), named.next()) else {
        return Err(Problem::refused("body", "none of them, or several", WANTED));
    };
    let fits = |text: &str| match channel {
        Channel::Email => EmailAddress::parse(text).is_ok(),
        Channel::Sms | Channel::Whatsapp => PhoneNumber::parse(text).is_ok(),
        Channel::Push | Channel::Socket | Channel::Webhook => false,
    };
    match value.as_str().filter(|text| fits(text)) {
        Some(text) => Ok((channel, text.to_owned())),
        None => Err(Problem::refused(name, "a malformed address", WANTED)),
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
