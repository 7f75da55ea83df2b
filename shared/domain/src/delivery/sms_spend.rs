//! The price of an SMS and the spending limit that it counts towards.

use crate::base::money::Micros;
use crate::base::sms_segments::measure;
use crate::catalog::policy::{Per, Policy};
use crate::catalog::rule::Rule;
use crate::decide::{Wanted, limit_id};
use crate::delivery::job::Text;
use crate::limits::counter::Scope;

/// The price of an SMS, and the counters that must admit it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bill {
    pub price: Micros,
    pub segments: usize,
    pub currency: String,
    pub wanted: Wanted,
}

/// The price of an SMS, if a limit counts it. An SMS of a rule that `overrides` counts but is never stopped.
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
    let segments = measure(text.text.expose()).segments;
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
