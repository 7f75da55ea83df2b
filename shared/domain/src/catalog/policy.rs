//! The policy, which applies to all rules: time zone, quiet hours, caps, rate limits, default preferences, known
//! roles and topics.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::channel::{Channel, OnUnknown};
use crate::base::locale;
use crate::catalog::rule::{Operand, Record};
use crate::catalog::sms_policy::Texting;
use crate::event::producers::Producers;
use crate::limits::counter::Limit;
use crate::recipient::Sender;
use crate::recipient::preference::Preferences;
use crate::time::quiet_hours::Windows;
use crate::time::zone::Zone;

/// Default rate limit of one source, in events per second.
pub const DEFAULT_RATE: u32 = 1_000;

/// Default rate limit of one tenant, in events per second.
pub const DEFAULT_TENANT_RATE: u32 = 500;

/// Default rate limit for critical events of one tenant, per second. A critical event arrives on two lanes and counts
/// on each, so this limit allows 1,000 events.
pub const DEFAULT_CRITICAL_RATE: u32 = 2_000;

/// The part of a catalog that applies to all rules and recipients.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// The default time zone, for recipients without one.
    #[serde(default = "Zone::utc")]
    pub zone: Zone,
    /// The default language, as a language tag. It applies if the recipient's language is unknown or a template lacks
    /// it. Every template has a version in this language.
    #[serde(default = "default_locale", skip_serializing_if = "is_default_locale")]
    pub locale: String,
    /// The times at which recipients without a setting may be notified. Without it they may be notified at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet: Option<Windows>,
    /// Rate limit of one source, in events per second. Events over the limit wait.
    #[serde(default = "default_rate")]
    pub rate: u32,
    /// Rate limit of one tenant, in events per second, checked before the source's limit. Events over the limit wait.
    #[serde(default = "default_tenant_rate", skip_serializing_if = "is_default_tenant_rate")]
    pub tenant_rate: u32,
    /// Rate limit for critical events of one tenant, per second, counted separately. A source may have twice as many.
    #[serde(default = "default_critical_rate", skip_serializing_if = "is_default_critical_rate")]
    pub critical_rate: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub caps: Vec<Cap>,
    /// The policy for sends without an answer, by category or channel. A category takes precedence over a channel.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unknown: BTreeMap<String, OnUnknown>,
    /// The policy for SMS.
    #[serde(default, skip_serializing_if = "Texting::is_empty")]
    pub texting: Texting,
    /// The default preferences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preferences: Option<Preferences>,
    /// The policy for e-mails.
    #[serde(default, skip_serializing_if = "EmailPolicy::is_default")]
    pub email: EmailPolicy,
    /// The roles that rules may use.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub roles: BTreeSet<String>,
    /// The topics that rules may use, each with the topics that it includes. A follower of an included topic with the
    /// same value, or of an included literal `<name>:<value>`, receives the notification too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub topics: BTreeMap<String, Vec<String>>,
    /// The events that each source may publish, and the aliases of event types.
    #[serde(default, skip_serializing_if = "Producers::is_empty")]
    pub producers: Producers,
    /// The policy for broadcasts.
    #[serde(default, skip_serializing_if = "BroadcastPolicy::is_default")]
    pub broadcast: BroadcastPolicy,
}

/// The policy for broadcasts of all rules.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BroadcastPolicy {
    /// The ledger record of broadcasts whose rules do not set one.
    #[serde(default)]
    pub record: Record,
}

impl BroadcastPolicy {
    fn is_default(&self) -> bool {
        *self == BroadcastPolicy::default()
    }
}

/// The category of one-time codes. They are valid for minutes, and sending is retried until they expire.
pub const ONE_TIME_CODE: &str = "one-time-code";

/// Whether a category is the one of one-time codes.
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

// Default values are not written, so that the last release can read the catalog.
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

/// The policy for e-mails of all rules.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmailPolicy {
    /// The reply address, unless the rule has one. Where it is `None`, replies go to the sender.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<Operand>,
    /// The senders by category, instead of the installation's own sender.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub senders: BTreeMap<String, Sender>,
    /// The non-commercial categories from which recipients can unsubscribe with one click.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unsubscribe: BTreeSet<String>,
    /// The sender's postal address, which commercial e-mails show.
    #[serde(default, skip_serializing_if = "PostalAddress::is_empty")]
    pub postal_address: PostalAddress,
}

/// The sender's postal address as one line of text. Several countries require it in commercial e-mails.
///
/// Source: 16 CFR 316 (CAN-SPAM), section 316.2 (p).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PostalAddress {
    /// The address for tenants without their own, and for events without a tenant.
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

    /// The address in e-mails about events of `tenant`.
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

/// A cap: the maximum number of notifications over all rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cap {
    pub limit: Limit,
    pub per: Per,
    /// The channel to which the cap is restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// The category to which the cap is restricted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    /// Categories that count towards the cap but are never blocked.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<String>,
    /// Whether the cap watches critical messages. Those over the cap are sent and raise an alarm. Otherwise critical
    /// messages only count.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub critical: bool,
}

impl Cap {
    /// Whether this cap limits messages of a category on a channel. For a message of a critical rule (`critical`),
    /// the cap does not block but raises an alarm.
    #[must_use]
    pub fn covers(&self, category: &str, channel: Channel, critical: bool) -> bool {
        self.limit.blocks()
            && self.channel.is_none_or(|only| only == channel)
            && self.category.as_ref().is_none_or(|only| only == category)
            && !self.except.contains(category)
            && (self.critical || !critical)
    }
}

/// The scope of a cap's counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Per {
    Recipient,
    Tenant,
    Environment,
}

impl Policy {
    /// Rate limit for critical events of one source, per second: twice the limit of one tenant.
    #[must_use]
    pub fn critical_source_rate(&self) -> u32 {
        self.critical_rate.saturating_mul(2)
    }

    /// The treatment of a message in this category on this channel whose send got no answer.
    ///
    /// Source: README, "Unknown outcome".
    #[must_use]
    pub fn on_unknown(&self, category: &str, channel: Channel) -> OnUnknown {
        let written = self.unknown.get(category).or_else(|| self.unknown.get(channel.name()));
        match written {
            Some(written) => *written,
            None if is_one_time(category) => OnUnknown::Resend,
            None => channel.on_unknown(),
        }
    }

    /// A topic and all topics that it includes, directly or indirectly, without duplicates, as `<name>:<value>`.
    /// Cycles are allowed.
    #[must_use]
    pub fn topics_of(&self, name: &str, value: &str) -> Vec<String> {
        let mut topics: Vec<String> = vec![format!("{name}:{value}")];
        let mut next = 0;
        while let Some(topic) = topics.get(next).cloned() {
            next += 1;
            let (name, value) = topic.split_once(':').unwrap_or((&topic, ""));
            for included in self.topics.get(name).into_iter().flatten() {
                let full =
                    if included.contains(':') { included.clone() } else { format!("{included}:{value}") };
                if !topics.contains(&full) {
                    topics.push(full);
                }
            }
        }
        topics
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn category_overrides_channel_for_unknown_outcomes() {
        let unknown =
            [("emergency", OnUnknown::Resend), ("push", OnUnknown::Hold), ("sms", OnUnknown::Resend)];
        let unknown = unknown.map(|(name, policy)| (name.to_owned(), policy));
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
    fn cap_covers_critical_messages_only_if_it_is_critical() {
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
    fn topics_include_others_transitively_without_duplicates() {
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
