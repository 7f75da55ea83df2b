//! `sms` and `spend` of `policy.yaml`: countries, senders, prices and budgets of SMS.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::money::Micros;
use domain::catalog::sms_policy::{Budget, Prices, Senders, Texting};
use domain::limits::counter::{CalendarPeriod, Limit, Period};
use jiff::civil::Weekday;

use crate::policy::{PER, category};
use crate::problem::{At, Diagnostics};
use crate::values::{Fields, check_keys, find, list, map, text, word};
use crate::yaml::{Entry, Kind, Node};

/// The name of the SMS budget in explanations, and in tests that assume a full budget.
pub(crate) const BUDGET: &str = "spend-sms";

const PREFIX: &str = "write `+` and 1 to 7 digits in quotes, such as \"+44\"";

/// The places of category names, to be checked later.
pub(crate) type Categories = Vec<(String, At)>;

/// Reads `sms`.
pub(crate) fn sms(node: &Node, categories: &mut Categories, report: &mut Diagnostics<'_>) -> Option<Texting> {
    let members = map(node, "{ countries: [\"+44\"], prices: { currency: USD, default: 0.08 } }", report)?;
    check_keys(members, node.at, &["countries", "senders", "prices"], &[], report);
    let mut fields = Fields { members, report };
    Some(Texting {
        countries: fields.read("countries", countries).unwrap_or_default(),
        senders: fields.read("senders", |node, report| senders(node, categories, report)).unwrap_or_default(),
        prices: fields.read("prices", prices),
        budget: None,
    })
}

/// Reads `spend`: the budget of each channel with prices. Only SMS has prices.
pub(crate) fn spend(
    node: &Node,
    prices: Option<&Prices>,
    categories: &mut Categories,
    report: &mut Diagnostics<'_>,
) -> Option<Budget> {
    let members = map(node, "{ sms: { per: tenant, most: 20.00, currency: USD, period: day } }", report)?;
    for member in members.iter().filter(|member| member.key != "sms") {
        let what = format!("`{}` has no prices, so nothing can be counted", member.key);
        report.refuse(member.at, what, "only `sms` can have a budget");
    }
    let node = find(members, "sms")?;
    let Some(prices) = prices else {
        report.refuse(
            node.at,
            "SMS have no prices, so no spend can be counted",
            "write `sms: { prices: … }`",
        );
        return None;
    };
    budget(node, prices, categories, report)
}

fn budget(
    node: &Node,
    prices: &Prices,
    categories: &mut Categories,
    report: &mut Diagnostics<'_>,
) -> Option<Budget> {
    let members = map(node, "{ per: tenant, most: 20.00, currency: USD, period: day }", report)?;
    check_keys(
        members,
        node.at,
        &["per", "most", "currency", "period", "except"],
        &["per", "most", "currency", "period"],
        report,
    );
    let mut fields = Fields { members, report };
    let per = fields.read("per", |node, report| word(node, "value for `per`", &PER, report));
    let most = fields.read("most", money);
    let week = CalendarPeriod::Week { starts: Weekday::Monday };
    let periods = [
        ("hour", CalendarPeriod::Hour),
        ("day", CalendarPeriod::Day),
        ("week", week),
        ("month", CalendarPeriod::Month),
    ];
    let period = fields.read("period", |node, report| word(node, "period", &periods, report));
    let currency = fields.read("currency", currency);
    let mut except = BTreeSet::new();
    for node in fields.read("except", list).unwrap_or_default() {
        except.extend(category(node, categories, fields.report));
    }
    let (most, currency) = (most?, currency?);
    if currency != prices.currency {
        let at = find(members, "currency").map_or(node.at, |node| node.at);
        let what = format!("the budget is in {currency}, and the prices are in {}", prices.currency);
        report.refuse(at, what, "write both in the currency that you are billed in");
        return None;
    }
    match Limit::new(BUDGET, most.0, Period::Calendar(period?), true) {
        Ok(limit) => Some(Budget { limit, per: per?, except }),
        Err(_) => {
            let at = find(members, "most").map_or(node.at, |node| node.at);
            report.refuse(
                at,
                format!("`{most}` lets no text through, or all of them"),
                "write an amount such as 20.00",
            );
            None
        }
    }
}

fn countries(node: &Node, report: &mut Diagnostics<'_>) -> Option<BTreeSet<String>> {
    let mut countries = BTreeSet::new();
    for node in list(node, report)? {
        let Some(prefix) = text(node, report) else { continue };
        if !is_prefix(&prefix) {
            report.refuse(node.at, format!("`{prefix}` is no beginning of a number"), PREFIX);
        } else if !countries.insert(prefix.clone()) {
            report.refuse(node.at, format!("`{prefix}` stands here twice"), "take one out");
        }
    }
    if list(node, report)?.is_empty() {
        report.refuse(
            node.at,
            "the list of countries is empty, so no SMS can be sent",
            "name a country, or take the key out",
        );
    }
    Some(countries)
}

fn senders(node: &Node, categories: &mut Categories, report: &mut Diagnostics<'_>) -> Option<Senders> {
    let members = map(node, "{ tenants: { clinic-7: Clinic }, categories: { security: Guard } }", report)?;
    check_keys(members, node.at, &["tenants", "categories"], &[], report);
    let mut fields = Fields { members, report };
    let tenants = fields.read("tenants", names).unwrap_or_default();
    if let Some(Kind::Map(entries)) = find(members, "categories").map(|node| &node.kind) {
        categories.extend(entries.iter().map(|entry| (entry.key.clone(), entry.at)));
    }
    let by_category = fields.read("categories", names).unwrap_or_default();
    Some(Senders { tenants, categories: by_category })
}

/// Source: End User Messaging SMS user guide, "Sender IDs": 1 to 11 letters, digits and dashes, not digits alone.
fn names(node: &Node, report: &mut Diagnostics<'_>) -> Option<BTreeMap<String, String>> {
    let mut names = BTreeMap::new();
    for Entry { key, value, .. } in map(node, "{ clinic-7: Clinic }", report)? {
        let Some(name) = text(value, report) else { continue };
        let is_name = (1..=11).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && name.bytes().any(|byte| byte.is_ascii_alphabetic())
            && !name.starts_with('-')
            && !name.ends_with('-');
        if !is_name {
            let fix = "write 1 to 11 letters and digits, and not digits alone: phones show no more";
            report.refuse(value.at, format!("`{name}` is no sender"), fix);
        }
        names.insert(key.clone(), name);
    }
    Some(names)
}

fn prices(node: &Node, report: &mut Diagnostics<'_>) -> Option<Prices> {
    let members = map(node, "{ currency: USD, default: 0.08, \"+44\": 0.0463 }", report)?;
    for key in ["currency", "default"].iter().filter(|key| find(members, key).is_none()) {
        let fix = "write the currency, and what a text costs where no prefix fits";
        report.refuse(node.at, format!("the key `{key}` is missing"), fix);
    }
    let mut by_prefix = BTreeMap::new();
    for Entry { key, at, value } in
        members.iter().filter(|member| !["currency", "default"].contains(&member.key.as_str()))
    {
        if !is_prefix(key) {
            report.refuse(*at, format!("`{key}` is no beginning of a number"), PREFIX);
        }
        by_prefix.extend(money(value, report).map(|money| (key.clone(), money)));
    }
    let mut fields = Fields { members, report };
    let (currency, default) = (fields.read("currency", currency), fields.read("default", money));
    Some(Prices { currency: currency?, default: default?, by_prefix })
}

fn currency(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let name = text(node, report)?;
    if name.len() == 3 && name.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Some(name);
    }
    report.refuse(node.at, format!("`{name}` is no currency"), "write its three letters, such as `USD`");
    None
}

fn money(node: &Node, report: &mut Diagnostics<'_>) -> Option<Micros> {
    let found = match &node.kind {
        Kind::Number(number) => number.to_string(),
        Kind::Text(text) => text.clone(),
        Kind::Null | Kind::Bool(_) | Kind::List(_) | Kind::Map(_) => node.what_there_is().to_owned(),
    };
    let amount = Micros::parse(&found);
    if amount.is_none() {
        let fix = "write an amount with six decimals at most, such as 20.00 or 0.00645";
        report.refuse(node.at, format!("`{found}` is no amount of money"), fix);
    }
    amount
}

fn is_prefix(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (1..=7).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0')
}

#[cfg(test)]
mod tests;
