//! Recipients and their addresses, settings and suppressions.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::base::channel::Channel;
use crate::base::sensitive::{self, Sensitive};
use crate::recipient::keyed_hash::KeyedHashes;
use crate::recipient::preference::Preferences;
use crate::recipient::unsubscribe::Unsubscribed;
use crate::time::quiet_hours::Windows;

mod address;
pub mod address_change;
mod address_form;
mod group;
pub mod keyed_hash;
mod mailbox;
mod phone;
pub mod preference;
pub mod recipient_changes;
pub mod socket_target;
pub mod unsubscribe;

pub use crate::base::tenant::{ALL_TENANTS, NO_TENANT};
pub use address::{EmailAddress, NotAnAddress};
pub use address_form::parse_address;
pub use group::Group;
pub use mailbox::{DisplayName, MAX_DISPLAY_NAME_CHARS, Sender};
pub use phone::{NotAPhone, PhoneNumber};

/// A user, as a producer's user table describes them.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipient {
    /// The id that events carry: 1 to 256 bytes.
    pub id: String,
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub name: Option<Sensitive<String>>,
    /// The e-mail address as given. It may be invalid.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub email: Option<Sensitive<String>>,
    /// The phone number as given. It may be invalid.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub phone: Option<Sensitive<String>>,
    /// The WhatsApp number. It is never taken from `phone`, because consent to one channel is not consent to the
    /// other.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub whatsapp: Option<Sensitive<String>>,
    /// The Slack member, conversation or webhook as given. It may be invalid.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub slack: Option<Sensitive<String>>,
    /// The Microsoft Teams webhook as given. It may be invalid.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "sensitive::stored")]
    pub teams: Option<Sensitive<String>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// A BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// An IANA time zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The tenants whose events may reach this recipient and whose admins may see them. [`ALL_TENANTS`] stands for
    /// all of them. If empty, only events without a tenant reach this recipient.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tenants: BTreeSet<String>,
    /// The recipient's roles, each with its scope.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<RoleIn>,
    /// The topics that the recipient follows in all of their tenants: `<name>:<value>`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub topics: BTreeSet<String>,
    /// The topics that the recipient follows in one tenant only. `-` stands for no tenant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub topics_in: BTreeMap<String, BTreeSet<String>>,
    /// The recipient's preferences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferences: Option<Preferences>,
    /// The times at which the recipient may be notified.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Windows>,
    /// The settings that differ in one tenant.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub in_tenants: BTreeMap<String, Settings>,
    /// The channels and addresses that must not be used, regardless of rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suppressed: Vec<Suppression>,
    /// The scopes from which the recipient unsubscribed with the link in an e-mail. They override all preferences.
    #[serde(default, skip_serializing_if = "Unsubscribed::is_empty")]
    pub unsubscribed: Unsubscribed,
}

/// A role within a scope, such as `clinic-staff` in `clinic-7`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RoleIn {
    pub role: String,
    #[serde(rename = "in")]
    pub scope: String,
}

/// A phone, tablet or browser that receives push notifications.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    /// The device's id, unique for its user.
    pub id: String,
    pub platform: Platform,
    /// The push service's name of the device: the ARN of an SNS endpoint.
    #[serde(serialize_with = "sensitive::stored")]
    pub endpoint: Sensitive<String>,
    /// The device's time zone, which overrides the user's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The tenant that registered the device. `None` if the user or a program of the account did. Messages of other
    /// tenants are not sent to the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
}

impl Device {
    /// Whether a message of an event of `tenant` to `person` may go to this device.
    ///
    /// A device without a tenant receives all messages to its user. A device that a tenant registered receives that
    /// tenant's messages. It receives messages without a tenant only if that tenant is the user's only one.
    #[must_use]
    pub fn serves(&self, person: &Recipient, tenant: Option<&str>) -> bool {
        match (&self.tenant, tenant) {
            (None, _) => true,
            (Some(own), Some(tenant)) => own == tenant,
            (Some(own), None) => person.is_only_of(own),
        }
    }

    /// The part of a message's key that distinguishes the device.
    pub(crate) fn place(&self) -> String {
        format!("device {}", self.id)
    }
}

/// The push service of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    Apns,
    ApnsSandbox,
    Fcm,
}

/// A tenant's default settings, or a recipient's settings within a tenant.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferences: Option<Preferences>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Windows>,
}

/// A suppression: a channel or address that must not be used for a recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suppression {
    pub channel: Channel,
    pub why: SuppressedBecause,
    /// The end of the suppression. `None` for a permanent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The suppressed address as [`KeyedHashes::address`] hashes it. Other addresses of the channel may be used.
    /// `None` for all addresses of the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

impl Suppression {
    /// Whether the suppression is still in force.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

/// The reason for a suppression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressedBecause {
    /// The provider reports that the address does not exist.
    Bounced,
    /// The recipient reported a message as spam.
    Complained,
    /// The recipient answered STOP, or objected by law.
    OptedOut,
}

impl SuppressedBecause {
    /// The explanation for people.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            SuppressedBecause::Bounced => "the address does not exist",
            SuppressedBecause::Complained => "the recipient reported a message as spam",
            SuppressedBecause::OptedOut => "the recipient opted out",
        }
    }
}

impl Recipient {
    /// Whether an event of `tenant` may reach this recipient. An event without a tenant may reach all recipients.
    #[must_use]
    pub fn belongs_to(&self, tenant: Option<&str>) -> bool {
        match tenant {
            Some(tenant) => self.tenants.contains(tenant) || self.tenants.contains(ALL_TENANTS),
            None => true,
        }
    }

    /// Whether `tenant` is the only tenant of this recipient.
    #[must_use]
    pub fn is_only_of(&self, tenant: &str) -> bool {
        tenant != ALL_TENANTS && self.tenants.len() == 1 && self.tenants.contains(tenant)
    }

    /// The suppression of `channel` for this recipient, if there is one. Suppressions of the last release identify
    /// the address by its former hash. They apply as well.
    #[must_use]
    pub fn suppression(
        &self,
        channel: Channel,
        now: Timestamp,
        hashes: &KeyedHashes,
    ) -> Option<&Suppression> {
        let concerns = |suppression: &Suppression| match (&suppression.address, self.address(channel)) {
            (None, _) => true,
            (Some(closed), Some(own)) => hashes.hashes_of_address(channel, own.expose()).contains(closed),
            (Some(_), None) => false,
        };
        self.suppressed.iter().find(|entry| entry.channel == channel && entry.holds(now) && concerns(entry))
    }

    /// The address as given. It may be invalid.
    #[must_use]
    pub fn address(&self, channel: Channel) -> Option<Sensitive<&str>> {
        let mut addresses = self.addresses();
        addresses.find(|(of, _)| *of == channel).and_then(|(_, address)| address)
    }

    /// The address of every channel that has addresses.
    pub fn addresses(&self) -> impl Iterator<Item = (Channel, Option<Sensitive<&str>>)> {
        let members = [
            (Channel::Email, &self.email),
            (Channel::Sms, &self.phone),
            (Channel::Whatsapp, &self.whatsapp),
            (Channel::Slack, &self.slack),
            (Channel::Teams, &self.teams),
        ];
        members.into_iter().map(|(channel, address)| (channel, address.as_ref().map(Sensitive::as_deref)))
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

/// The members of a group among `people`. The people table files the same recipients under the group.
#[must_use]
pub fn members(group: &Group, people: &Recipients) -> Vec<String> {
    people.values().filter(|person| person.groups().contains(group)).map(|person| person.id.clone()).collect()
}

/// The recipients of an event that were found, by id. Recipients that are missing here are unknown.
pub type Recipients = BTreeMap<String, Recipient>;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn recipient_without_tenants_belongs_to_none_and_star_to_all() {
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
    fn recipient_of_all_tenants_belongs_to_no_single_one() {
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
            assert!(person.address(channel) == Some("x".into()), "{}", address.member);
            let copy = Recipient::default().with_addresses_of(&person);
            assert!(copy.address(channel) == Some("x".into()), "{}", address.member);
        }
    }

    #[test]
    fn device_of_a_tenant_gets_no_messages_of_others() {
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
