//! What holds for all rules: time zone, quiet hours, caps, the rate of a source, defaults of preferences, known roles
//! and topics.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::channel::{Channel, OnUnknown};
use crate::counter::Limit;
use crate::locale;
use crate::preference::Preferences;
use crate::producers::Producers;
use crate::recipient::Sender;
use crate::rule::{Operand, Record};
use crate::texting::Texting;
use crate::window::Windows;
use crate::zone::Zone;

/// How many events of one source are handled in a second, unless the policy says otherwise.
pub const DEFAULT_RATE: u32 = 1_000;

/// How many events of one tenant are handled in a second, unless the policy says otherwise.
pub const DEFAULT_TENANT_RATE: u32 = 500;

/// How many critical events of one tenant are handled in a second, unless the policy says otherwise. A critical event
/// comes by two lanes and counts in each: this is 1,000 events.
pub const DEFAULT_CRITICAL_RATE: u32 = 2_000;

/// The part of a catalog that is about everybody.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The zone of those of whom none is known.
    #[serde(default = "Zone::utc")]
    pub zone: Zone,
    /// The language of those whose own is not known or not written: a language tag. Each template is written in it.
    #[serde(default = "default_locale", skip_serializing_if = "is_default_locale")]
    pub locale: String,
    /// When those who said nothing about it may be disturbed; always, when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Windows>,
    /// Events of one source in a second. What is over it waits.
    #[serde(default = "default_rate")]
    pub rate: u32,
    /// Events of one tenant in a second, counted before those of the source. Events over the limit wait.
    #[serde(default = "default_tenant_rate", skip_serializing_if = "is_default_tenant_rate")]
    pub tenant_rate: u32,
    /// Critical events of one tenant in a second, counted apart from all others; one source may have twice as many.
    #[serde(default = "default_critical_rate", skip_serializing_if = "is_default_critical_rate")]
    pub critical_rate: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caps: Vec<Cap>,
    /// What becomes of a message whose send got no answer, by category or by channel. A category comes first.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, OnUnknown>,
    /// What holds for texts to phones.
    #[serde(default, skip_serializing_if = "Texting::is_empty")]
    pub texting: Texting,
    /// What holds for those who said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferences: Option<Preferences>,
    /// What holds for letters.
    #[serde(default, skip_serializing_if = "EmailPolicy::is_default")]
    pub email: EmailPolicy,
    /// The roles that rules may name.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<String>,
    /// The topics that rules may name, each with those it includes: who follows one of these with the same value, or a
    /// literal `<name>:<value>`, hears of it too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub topics: BTreeMap<String, Vec<String>>,
    /// Which source of the bus may say what, and the types that event names stand for.
    #[serde(default, skip_serializing_if = "Producers::is_empty")]
    pub producers: Producers,
    /// What holds for broadcasts of all rules.
    #[serde(default, skip_serializing_if = "BroadcastPolicy::is_default")]
    pub broadcast: BroadcastPolicy,
}

/// What holds for broadcasts of all rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BroadcastPolicy {
    /// What the ledger keeps of a broadcast whose rule does not say it.
    #[serde(default)]
    pub record: Record,
}

impl BroadcastPolicy {
    fn is_default(&self) -> bool {
        *self == BroadcastPolicy::default()
    }
}

/// The category of codes that are good once, and for minutes: they are tried, and sent again, until they expire.
pub const ONE_TIME_CODE: &str = "one-time-code";

/// Whether a category is that of such codes.
#[must_use]
pub fn is_one_time(category: &str) -> bool {
    category == ONE_TIME_CODE
}

fn default_locale() -> String {
    locale::DEFAULT.to_owned()
}

fn is_default_locale(name: &str) -> bool {
    name == locale::DEFAULT
}

fn default_rate() -> u32 {
    DEFAULT_RATE
}

fn default_tenant_rate() -> u32 {
    DEFAULT_TENANT_RATE
}

fn default_critical_rate() -> u32 {
    DEFAULT_CRITICAL_RATE
}

// The default is not written, so that the last release can read the catalog.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_tenant_rate(rate: &u32) -> bool {
    *rate == DEFAULT_TENANT_RATE
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default_critical_rate(rate: &u32) -> bool {
    *rate == DEFAULT_CRITICAL_RATE
}

impl Default for Policy {
    fn default() -> Policy {
        Policy {
            zone: Zone::utc(),
            locale: default_locale(),
            quiet: None,
            rate: DEFAULT_RATE,
            tenant_rate: DEFAULT_TENANT_RATE,
            critical_rate: DEFAULT_CRITICAL_RATE,
            caps: Vec::new(),
            unknown: BTreeMap::new(),
            texting: Texting::default(),
            preferences: None,
            email: EmailPolicy::default(),
            roles: BTreeSet::new(),
            topics: BTreeMap::new(),
            producers: Producers::default(),
            broadcast: BroadcastPolicy::default(),
        }
    }
}

/// What holds for letters of all rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailPolicy {
    /// Where answers go, unless the rule names somebody; to the sender, when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Operand>,
    /// Whom the letters of a category come from, instead of the installation's own sender.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub senders: BTreeMap<String, Sender>,
    /// The categories that a reader may leave by one click although they are not commercial.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unsubscribe: BTreeSet<String>,
    /// The sender's postal address, which commercial e-mails show.
    #[serde(default, skip_serializing_if = "PostalAddress::is_empty")]
    pub postal_address: PostalAddress,
}

/// The postal address of the sender, as one line of text. The law of several countries wants it in commercial e-mails.
///
/// Source: 16 CFR 316 (CAN-SPAM), section 316.2 (p).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostalAddress {
    /// For tenants that are not listed, and for events without a tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tenants: BTreeMap<String, String>,
}

impl PostalAddress {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.default.is_none() && self.tenants.is_empty()
    }

    /// The address that e-mails about events of `tenant` show.
    #[must_use]
    pub fn of(&self, tenant: Option<&str>) -> Option<&str> {
        let own = tenant.and_then(|tenant| self.tenants.get(tenant));
        own.or(self.default.as_ref()).map(String::as_str)
    }
}

impl EmailPolicy {
    fn is_default(&self) -> bool {
        *self == EmailPolicy::default()
    }
}

/// The most that somebody is sent, over all rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cap {
    pub limit: Limit,
    pub per: Per,
    /// Counts and blocks only this channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Counts and blocks only this category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// These categories count and are never blocked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<String>,
    /// Messages of critical rules are watched, too: those over the cap are sent and raise an alarm. Without it they count and
    /// raise none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub critical: bool,
}

impl Cap {
    /// Whether this cap limits messages of a category on a channel. `critical`: the rule is, and the cap raises an alarm.
    #[must_use]
    pub fn covers(&self, category: &str, channel: Channel, critical: bool) -> bool {
        self.limit.blocks()
            && self.channel.is_none_or(|only| only == channel)
            && self.category.as_ref().is_none_or(|only| only == category)
            && !self.except.contains(category)
            && (self.critical || !critical)
    }
}

/// Whose messages a cap counts together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    Recipient,
    Tenant,
    Environment,
}

impl Policy {
    /// Critical events of one source in a second: twice those of one tenant.
    #[must_use]
    pub fn critical_source_rate(&self) -> u32 {
        self.critical_rate.saturating_mul(2)
    }

    /// What becomes of a message of this category on this channel whose send got no answer.
    ///
    /// Source: the design, "Unknown outcome".
    #[must_use]
    pub fn on_unknown(&self, category: &str, channel: Channel) -> OnUnknown {
        let written = self.unknown.get(category).or_else(|| self.unknown.get(channel.name()));
        match written {
            Some(written) => *written,
            None if is_one_time(category) => OnUnknown::Resend,
            None => channel.on_unknown(),
        }
    }

    /// A topic and all that it includes, directly or not, each once: `<name>:<value>`. A topic that includes itself is
    /// walked once.
    #[must_use]
    pub fn topics_of(&self, name: &str, value: &str) -> Vec<String> {
        let mut found: Vec<String> = vec![format!("{name}:{value}")];
        let mut next = 0;
        while let Some(topic) = found.get(next).cloned() {
            next += 1;
            let (name, value) = topic.split_once(':').unwrap_or((&topic, ""));
            for included in self.topics.get(name).into_iter().flatten() {
                let full =
                    if included.contains(':') { included.clone() } else { format!("{included}:{value}") };
                if !found.contains(&full) {
                    found.push(full);
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_says_before_its_channel_what_becomes_of_what_got_no_answer() {
        let unknown =
            [("emergency", OnUnknown::Resend), ("push", OnUnknown::Hold), ("sms", OnUnknown::Resend)];
        let unknown = unknown.map(|(name, it)| (name.to_owned(), it));
        let policy = Policy { unknown: BTreeMap::from(unknown), ..Policy::default() };
        for (category, channel, expected) in [
            ("emergency", Channel::Push, OnUnknown::Resend),
            ("news", Channel::Push, OnUnknown::Hold),
            ("news", Channel::Sms, OnUnknown::Resend),
            ("news", Channel::Email, OnUnknown::Hold),
            ("news", Channel::Socket, OnUnknown::Resend),
            (ONE_TIME_CODE, Channel::Email, OnUnknown::Resend),
        ] {
            assert_eq!(policy.on_unknown(category, channel), expected, "{category} {channel:?}");
        }
    }

    #[test]
    fn catalog_of_the_last_release_gets_the_default_rates() {
        let old: Policy = serde_json::from_str(r#"{"zone":"UTC","rate":700}"#).unwrap();
        assert_eq!(
            (old.rate, old.tenant_rate, old.critical_rate),
            (700, DEFAULT_TENANT_RATE, DEFAULT_CRITICAL_RATE)
        );
        assert_eq!(old.locale, "en");
        let written = serde_json::to_value(Policy::default()).unwrap();
        assert!(written.get("locale").is_none(), "the last release reads a catalog in English");
        assert!(written.get("tenant_rate").is_none() && written.get("critical_rate").is_none(), "{written}");
    }

    #[test]
    fn cap_covers_critical_messages_only_where_it_says_so() {
        let cap: Cap = serde_json::from_value(serde_json::json!({
            "limit": { "name": "c", "most": 5, "period": { "calendar": "day" } }, "per": "recipient",
            "channel": "sms", "category": "security",
        }))
        .unwrap();
        assert!(cap.covers("security", Channel::Sms, false));
        assert!(
            !cap.covers("security", Channel::Whatsapp, false) && !cap.covers("news", Channel::Sms, false)
        );
        assert!(!cap.covers("security", Channel::Sms, true), "a critical message passes");
        assert!(Cap { critical: true, ..cap.clone() }.covers("security", Channel::Sms, true));
        let except = BTreeSet::from(["security".to_owned()]);
        assert!(!Cap { except, critical: true, ..cap }.covers("security", Channel::Sms, true));
    }

    #[test]
    fn a_topic_includes_others_directly_and_through_others_and_each_once() {
        let policy = Policy {
            topics: BTreeMap::from([
                ("family".into(), vec!["carers".into(), "relatives".into(), "care:all".into()]),
                ("relatives".into(), vec!["carers".into(), "family".into()]),
            ]),
            ..Policy::default()
        };
        assert_eq!(policy.topics_of("family", "7"), ["family:7", "carers:7", "relatives:7", "care:all"]);
        assert_eq!(policy.topics_of("carers", "7"), ["carers:7"]);
    }
}
