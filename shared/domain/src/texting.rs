//! What the policy says about texts: which countries they may go to, who they come from, what they cost, and how much
//! may be spent on them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::counter::{Limit, Scope};
use crate::decide::{Wanted, limit_id};
use crate::job::Text;
use crate::money::Micros;
use crate::policy::{Per, Policy};
use crate::recipient::PhoneNumber;
use crate::rule::Rule;
use crate::segments::measure;

/// What holds for all texts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Texting {
    /// Numbers that begin otherwise get no text: `+49`, `+1`. Everybody may, where it is empty.
    ///
    /// It is the brake on pumping: whoever makes us send texts to numbers that they earn from has such numbers in a few
    /// countries, and not where our people live.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: BTreeSet<String>,
    #[serde(default, skip_serializing_if = "Senders::is_empty")]
    pub senders: Senders,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prices: Option<Prices>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
}

/// Who texts come from. The tenant's name is closer to the recipient than the category's; where there is neither, it is
/// the function's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Senders {
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tenants: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub categories: BTreeMap<String, String>,
}

/// What one message of a text costs. A long text is several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prices {
    /// Three letters, such as `USD`.
    pub currency: String,
    /// Where no prefix fits.
    pub default: Micros,
    /// By what a number begins with; the longest that fits counts.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub by_prefix: BTreeMap<String, Micros>,
}

/// How much may be spent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// In millionths of the prices' currency.
    pub limit: Limit,
    pub per: Per,
    /// These categories are counted and never held back.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub except: BTreeSet<String>,
}

/// What a text costs, and who is asked whether it may.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    pub price: Micros,
    pub segments: usize,
    pub currency: String,
    pub wanted: Wanted,
}

impl Senders {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tenants.is_empty() && self.categories.is_empty()
    }

    /// The name that a text of this category comes from, for this tenant.
    #[must_use]
    pub fn name(&self, tenant: Option<&str>, category: &str) -> Option<&str> {
        let own = tenant.and_then(|tenant| self.tenants.get(tenant));
        own.or_else(|| self.categories.get(category)).map(String::as_str)
    }
}

impl Prices {
    /// What one message to this number costs.
    #[must_use]
    pub fn of(&self, to: &PhoneNumber) -> Micros {
        // A number is a `+` and digits: every byte is a letter.
        let beginnings = (1..=to.as_str().len()).rev().filter_map(|it| to.as_str().get(..it));
        beginnings
            .filter_map(|beginning| self.by_prefix.get(beginning))
            .next()
            .copied()
            .unwrap_or(self.default)
    }
}

impl Texting {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Texting::default()
    }

    /// Whether texts may go where this number is.
    #[must_use]
    pub fn serves(&self, to: &PhoneNumber) -> bool {
        self.countries.is_empty()
            || self.countries.iter().any(|country| to.as_str().starts_with(country.as_str()))
    }
}

/// What a text costs, where somebody counts it. A rule that `overrides` is counted and never held back.
#[must_use]
pub fn bill(
    policy: &Policy,
    rule: &Rule,
    tenant: Option<&str>,
    recipient: &str,
    text: &Text,
    overrides: bool,
) -> Option<Bill> {
    let (prices, budget) = (policy.texting.prices.as_ref()?, policy.texting.budget.as_ref()?);
    let segments = measure(&text.text).segments;
    let price = prices.of(&text.to).times(segments);
    let whose = match budget.per {
        Per::Recipient => recipient,
        Per::Tenant => tenant.unwrap_or("-"),
        Per::Environment => "-",
    };
    let free = overrides || budget.except.contains(&rule.category);
    let limit = budget.limit.clone();
    let wanted = Wanted {
        id: limit_id(&["spend", limit.name(), whose]),
        limit: if free { limit.only_counting() } else { limit },
        scope: Scope::Message,
        weight: price.0,
    };
    Some(Bill { price, segments, currency: prices.currency.clone(), wanted })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_longest_beginning_that_fits_says_what_a_text_costs() {
        check("+12025550100", "0.00645");
        check("+18765550100", "0.12");
        check("+442079460000", "0.0463");
        check("+99812345678", "0.25");
    }

    #[test]
    fn a_text_goes_only_where_the_policy_lets_it() {
        let number = |it: &str| PhoneNumber::parse(it).ok().unwrap();
        let open = Texting::default();
        assert!(open.serves(&number("+99812345678")), "without a list everybody may");
        let some = Texting { countries: BTreeSet::from(["+44".into(), "+1".into()]), ..Texting::default() };
        assert!(some.serves(&number("+442079460000")) && some.serves(&number("+12025550100")));
        assert!(!some.serves(&number("+493023125014")));
    }

    #[test]
    fn the_tenants_name_stands_before_the_categorys() {
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
        let price = |it: &str| Micros::parse(it).unwrap();
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
