//! The policy for SMS: allowed countries, senders, prices and spending limits.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::money::Micros;
use crate::catalog::policy::Per;
use crate::limits::counter::Limit;
use crate::recipient::PhoneNumber;

/// The policy for all SMS.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Texting {
    /// The allowed number prefixes, such as `+49` and `+1`. If empty, all numbers are allowed.
    ///
    /// The list limits SMS pumping. Attackers trigger SMS to numbers that earn them money, and these numbers are in
    /// few countries.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Senders::is_empty")]
    pub senders: Senders,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// The sender names of SMS. The tenant's name takes precedence over the category's. Without either, the function's
/// own sender is used.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Senders {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tenants: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, String>,
}

/// The prices of single messages. A long SMS consists of several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// Three letters, such as `USD`.
    pub currency: String,
    /// The price for numbers without a matching prefix.
    pub default: Micros,
    /// Prices by number prefix. The longest matching prefix applies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_prefix: BTreeMap<String, Micros>,
}

/// The spending limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// The limit in millionths of the prices' currency.
    pub limit: Limit,
    pub per: Per,
    /// Categories that count but are never stopped.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<String>,
}

impl Senders {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty() && self.categories.is_empty()
    }

    /// The sender name for an SMS of this category and tenant.
    #[must_use]
    pub fn name(&self, tenant: Option<&str>, category: &str) -> Option<&str> {
        let own = tenant.and_then(|tenant| self.tenants.get(tenant));
        own.or_else(|| self.categories.get(category)).map(String::as_str)
    }
}

impl Prices {
    /// The price of one message to this number.
    #[must_use]
    pub fn of(&self, to: &PhoneNumber) -> Micros {
        // A number consists of `+` and digits, so every byte is a character.
        let prefixes = (1..=to.expose().len()).rev().filter_map(|length| to.expose().get(..length));
        prefixes.filter_map(|prefix| self.by_prefix.get(prefix)).next().copied().unwrap_or(self.default)
    }
}

impl Texting {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Texting::default()
    }

    /// Whether SMS to this number are allowed.
    #[must_use]
    pub fn serves(&self, to: &PhoneNumber) -> bool {
        self.countries.is_empty()
            || self.countries.iter().any(|country| to.expose().starts_with(country.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn longest_matching_prefix_sets_the_price() {
        check("+12025550100", "0.00645");
        check("+18765550100", "0.12");
        check("+442079460000", "0.0463");
        check("+99812345678", "0.25");
    }

    #[test]
    fn only_allowed_countries_get_sms() {
        let number = |text: &str| PhoneNumber::parse(text).ok().unwrap();
        let open = Texting::default();
        assert!(open.serves(&number("+99812345678")), "without a list everybody may");
        let some = Texting { countries: BTreeSet::from(["+44".into(), "+1".into()]), ..Texting::default() };
        assert!(some.serves(&number("+442079460000")) && some.serves(&number("+12025550100")));
        assert!(!some.serves(&number("+493023125014")));
    }

    #[test]
    fn tenants_sender_overrides_the_categorys() {
        let senders = Senders {
            tenants: BTreeMap::from([("clinic-7".into(), "Clinic".into())]),
            categories: BTreeMap::from([("security".into(), "Guard".into())]),
        };
        assert_eq!(senders.name(Some("clinic-7"), "security"), Some("Clinic"));
        assert_eq!(senders.name(Some("clinic-8"), "security"), Some("Guard"));
        assert_eq!(senders.name(None, "news"), None);
    }

    proptest! {
        #[test]
        fn every_number_has_a_price(number in "\\+(1[2-9]|33[1-9]|44[1-9]|49[1-9]|86[1-9]|358[1-9])[0-9]{6,8}") {
            let number = PhoneNumber::parse(&number).ok().unwrap();
            let prices = prices();
            let known: Vec<Micros> = prices.by_prefix.values().copied().chain([prices.default]).collect();
            prop_assert!(known.contains(&prices.of(&number)));
        }
    }

    #[track_caller]
    fn check(number: &str, expected: &str) {
        let number = PhoneNumber::parse(number).ok().unwrap();
        assert_eq!(prices().of(&number), Micros::parse(expected).unwrap());
    }

    fn prices() -> Prices {
        let price = |text: &str| Micros::parse(text).unwrap();
        Prices {
            currency: "USD".into(),
            default: price("0.25"),
            by_prefix: BTreeMap::from([
                ("+1".into(), price("0.00645")),
                ("+1876".into(), price("0.12")),
                ("+44".into(), price("0.0463")),
            ]),
        }
    }
}
