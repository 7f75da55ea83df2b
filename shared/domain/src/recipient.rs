//! Who can be told something, and how they are reached.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::channel::Channel;
use crate::keyed_hash::KeyedHashes;
use crate::preference::Preferences;
use crate::unsubscribe::Unsubscribed;
use crate::window::Windows;

mod address;
mod address_form;
mod group;
mod mailbox;
mod phone;

pub use address::{EmailAddress, NotAnAddress};
pub use address_form::parse_address;
pub use group::{Group, NO_TENANT};
pub use mailbox::{DisplayName, MAX_DISPLAY_NAME_CHARS, Sender};
pub use phone::{NotAPhone, PhoneNumber};

/// The name in [`Recipient::tenants`] that stands for every tenant.
pub const ALL_TENANTS: &str = "*";

/// A person as a producer's own user table knows them. No `Debug`: it holds names and addresses.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// The id that events carry: 1 to 256 bytes.
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// As it was given; it may turn out to be no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// As it was given; it may turn out to be no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The number WhatsApp knows; it is never taken from `phone`, because consent to one is not consent to the other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whatsapp: Option<String>,
    /// A Slack member, conversation or webhook.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slack: Option<String>,
    /// A webhook of Microsoft Teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teams: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// A BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// An IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The tenants whose events may reach this person, and whose admins see them. [`ALL_TENANTS`] names all of them;
    /// empty means none: only events without a tenant reach this person.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tenants: BTreeSet<String>,
    /// What they are, and where.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<RoleIn>,
    /// What they follow in every tenant of theirs: `<name>:<value>`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub topics: BTreeSet<String>,
    /// What they follow in one tenant alone; `-` is none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub topics_in: BTreeMap<String, BTreeSet<String>>,
    /// What they want to hear of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferences: Option<Preferences>,
    /// When they may be disturbed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Windows>,
    /// What differs in one tenant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_tenants: BTreeMap<String, Settings>,
    /// The channels that must not be used any more, whatever a rule says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppression>,
    /// From what they unsubscribed by the link of a letter: stronger than any preference.
    #[serde(default, skip_serializing_if = "Unsubscribed::is_empty")]
    pub unsubscribed: Unsubscribed,
}

/// A role within a scope: `clinic-staff` in `clinic-7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoleIn {
    pub role: String,
    #[serde(rename = "in")]
    pub scope: String,
}

/// A phone, tablet or browser that takes push notes. No `Debug`: the endpoint is an address.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// Unique within its person.
    pub id: String,
    pub platform: Platform,
    /// What the push service calls it: an SNS endpoint's ARN.
    pub endpoint: String,
    /// Where it is: it wins over its person's zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The tenant that registered it; absent where its person or a program of the account did. Messages of other
    /// tenants are not sent to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

impl Device {
    /// Whether a message of an event of `tenant` to `person` may go to this device.
    ///
    /// A device without a tenant takes every message of its person. A device that a tenant registered takes the
    /// messages of that tenant; it takes those of no tenant only while that tenant is the only one of its person.
    #[must_use]
    pub fn serves(&self, person: &Recipient, tenant: Option<&str>) -> bool {
        match (&self.tenant, tenant) {
            (None, _) => true,
            (Some(own), Some(tenant)) => own == tenant,
            (Some(own), None) => person.is_only_of(own),
        }
    }

    /// What keeps its messages' keys apart from those of other devices.
    pub(crate) fn place(&self) -> String {
        format!("device {}", self.id)
    }
}

/// Whose push service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    Apns,
    ApnsSandbox,
    Fcm,
}

/// A tenant's own defaults, or a person's settings within a tenant.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferences: Option<Preferences>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Windows>,
}

/// A channel that must not be used for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    pub channel: Channel,
    pub why: SuppressedBecause,
    /// Over after this; never, when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The one address that it is about, as [`KeyedHashes::address`] calls it: another one is open. Every address of the channel,
    /// when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl Suppression {
    /// Whether it is still in force.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// Why a channel is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedBecause {
    /// The provider says that the address does not exist.
    Bounced,
    /// The recipient called it spam.
    Complained,
    /// The recipient said STOP, or used their legal right to hear nothing.
    OptedOut,
}

impl SuppressedBecause {
    /// For people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            SuppressedBecause::Bounced => "the address does not exist",
            SuppressedBecause::Complained => "the recipient called it spam",
            SuppressedBecause::OptedOut => "the recipient opted out",
        }
    }
}

impl Recipient {
    /// Whether an event of `tenant` may reach this person; an event without a tenant may reach everyone.
    #[must_use]
    pub fn belongs_to(&self, tenant: Option<&str>) -> bool {
        match tenant {
            Some(tenant) => self.tenants.contains(tenant) || self.tenants.contains(ALL_TENANTS),
            None => true,
        }
    }

    /// Whether `tenant` is the only tenant of this person.
    #[must_use]
    pub fn is_only_of(&self, tenant: &str) -> bool {
        tenant != ALL_TENANTS && self.tenants.len() == 1 && self.tenants.contains(tenant)
    }

    /// Why `channel` is closed for this person, if it is. Suppressions of the last release name the address by its
    /// former hash; they count as well.
    #[must_use]
    pub fn suppression(
        &self,
        channel: Channel,
        now: Timestamp,
        hashes: &KeyedHashes,
    ) -> Option<&Suppression> {
        let concerns = |suppression: &Suppression| match (&suppression.address, self.address(channel)) {
            (None, _) => true,
            (Some(closed), Some(own)) => hashes.names_of_address(channel, own).contains(closed),
            (Some(_), None) => false,
        };
        self.suppressed.iter().find(|it| it.channel == channel && it.holds(now) && concerns(it))
    }

    /// As it was given; it may turn out to be no address.
    #[must_use]
    pub fn address(&self, channel: Channel) -> Option<&str> {
        let mut addresses = self.addresses();
        addresses.find(|(of, _)| *of == channel).and_then(|(_, address)| address)
    }

    /// The address of every channel that has addresses.
    pub fn addresses(&self) -> impl Iterator<Item = (Channel, Option<&str>)> {
        let members = [
            (Channel::Email, &self.email),
            (Channel::Sms, &self.phone),
            (Channel::Whatsapp, &self.whatsapp),
            (Channel::Slack, &self.slack),
            (Channel::Teams, &self.teams),
        ];
        members.into_iter().map(|(channel, address)| (channel, address.as_deref()))
    }

    /// The same person with the addresses of `other`.
    #[must_use]
    pub fn with_addresses_of(self, other: &Recipient) -> Recipient {
        Recipient {
            email: other.email.clone(),
            phone: other.phone.clone(),
            whatsapp: other.whatsapp.clone(),
            slack: other.slack.clone(),
            teams: other.teams.clone(),
            ..self
        }
    }
}

/// Those of `people` who are in a group, by their own word: the same who are filed under it.
#[must_use]
pub fn members(group: &Group, people: &Recipients) -> Vec<String> {
    people.values().filter(|person| person.groups().contains(group)).map(|person| person.id.clone()).collect()
}

/// What was found out about the people that an event addresses. Who is not in it is not known.
pub type Recipients = BTreeMap<String, Recipient>;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn person_without_tenants_belongs_to_none_and_a_star_to_all() {
        for (tenants, of_a, of_b) in [
            (json!([]), false, false),
            (json!(["a"]), true, false),
            (json!(["a", "b"]), true, true),
            (json!(["*"]), true, true),
            (json!(["*", "a"]), true, true),
        ] {
            let ann = person(&tenants);
            assert_eq!((ann.belongs_to(Some("a")), ann.belongs_to(Some("b"))), (of_a, of_b), "{tenants}");
            assert!(ann.belongs_to(None), "{tenants}");
        }
    }

    #[test]
    fn person_of_all_tenants_is_exclusive_to_none() {
        for (tenants, expected) in [
            (json!([]), false),
            (json!(["a"]), true),
            (json!(["b"]), false),
            (json!(["a", "b"]), false),
            (json!(["*"]), false),
            (json!(["*", "a"]), false),
        ] {
            assert_eq!(person(&tenants).is_only_of("a"), expected, "{tenants}");
        }
        assert!(!person(&json!(["*"])).is_only_of(ALL_TENANTS));
    }

    #[test]
    fn every_channel_with_addresses_has_a_member_of_a_person() {
        let person: Recipient = serde_json::from_value(json!({ "id": "ann" })).unwrap();
        let members: Vec<Channel> = person.addresses().map(|(channel, _)| channel).collect();
        let specs: Vec<Channel> = Channel::with_addresses().map(|(channel, _)| channel).collect();
        assert_eq!(members, specs);
        for (channel, address) in Channel::with_addresses() {
            let person: Recipient =
                serde_json::from_value(json!({ "id": "ann", address.member: "x" })).unwrap();
            assert_eq!(person.address(channel), Some("x"), "{}", address.member);
            let copy = Recipient::default().with_addresses_of(&person);
            assert_eq!(copy.address(channel), Some("x"), "{}", address.member);
        }
    }

    #[test]
    fn device_of_one_tenant_takes_no_message_of_another() {
        let device = |tenant: Value| -> Device {
            let device = json!({ "id": "d", "platform": "fcm", "endpoint": "arn", "tenant": tenant });
            serde_json::from_value(device).unwrap()
        };
        let (shared, exclusive) = (person(&json!(["a", "b"])), person(&json!(["a"])));
        for (registered, of, person, expected) in [
            (Value::Null, Some("b"), &shared, true),
            (Value::Null, None, &shared, true),
            (json!("a"), Some("a"), &shared, true),
            (json!("a"), Some("b"), &shared, false),
            (json!("a"), None, &shared, false),
            (json!("a"), None, &exclusive, true),
        ] {
            assert_eq!(device(registered.clone()).serves(person, of), expected, "{registered} {of:?}");
        }
    }

    fn person(tenants: &Value) -> Recipient {
        serde_json::from_value(json!({ "id": "ann", "tenants": tenants })).unwrap()
    }
}
