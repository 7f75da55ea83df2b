//! Reads one entry of a field's list: a literal, or an object with one operator.

use serde_json::{Map, Value};

use super::address::{self, Block};
use super::folded::Folded;
use super::glob::{Fault, Glob};
use super::number::{self, Bound, Range};
use super::operator::Operator;
use super::{Invalid, MAX_NUMERIC};
use crate::base::config_error::quoted;

/// Reads the entry at `location`.
pub(super) fn read(source: &Value, location: &str) -> Result<Operator, Invalid> {
    match source {
        Value::Null => Ok(Operator::Null),
        Value::Bool(flag) => Ok(Operator::Bool(*flag)),
        Value::Number(number) => Ok(Operator::Number(number.clone())),
        Value::String(text) => Ok(match address::address_in(text) {
            Some(address) => Operator::Address(address),
            None => Operator::Text(text.clone()),
        }),
        Value::Object(object) => expression(object, source, location),
        Value::Array(_) => {
            Err(Invalid::value(location, source, "a string, a number, true, false, null or an operator"))
        }
    }
}

fn expression(object: &Map<String, Value>, source: &Value, location: &str) -> Result<Operator, Invalid> {
    let (name, operand) = only_key(object, source, location)?;
    match name {
        "exactly" => Ok(Operator::Text(text(name, operand, location)?.to_owned())),
        "prefix" => affix(name, operand, location, Operator::Prefix, Operator::PrefixFolded),
        "suffix" => affix(name, operand, location, Operator::Suffix, Operator::SuffixFolded),
        "equals-ignore-case" => Ok(Operator::Folded(Folded::new(text(name, operand, location)?))),
        "wildcard" => wildcard(operand, location),
        "anything-but" => anything_but(operand, location),
        "numeric" => numeric(operand, location),
        "cidr" => Block::new(text(name, operand, location)?).map(Operator::Cidr).ok_or_else(|| {
            Invalid::value(
                location,
                operand,
                "for cidr an address, a slash and the bits: at most 31 of IPv4, 127 of IPv6",
            )
        }),
        "exists" => match operand.as_bool() {
            Some(true) => Ok(Operator::Present),
            Some(false) => Ok(Operator::Absent),
            None => Err(Invalid::value(location, operand, "for exists true or false")),
        },
        other => Err(Invalid::new(
            location,
            format!("the operator {}", quoted(other)),
            "prefix, suffix, equals-ignore-case, wildcard, anything-but, numeric, cidr or exists",
        )),
    }
}

fn only_key<'s>(
    object: &'s Map<String, Value>,
    source: &Value,
    location: &str,
) -> Result<(&'s str, &'s Value), Invalid> {
    let mut entries = object.iter();
    match (entries.next(), entries.next()) {
        (Some((name, operand)), None) => Ok((name, operand)),
        (None, _) | (Some(_), Some(_)) => {
            Err(Invalid::value(location, source, "an object with one operator as its only key"))
        }
    }
}

fn text<'s>(name: &str, operand: &'s Value, location: &str) -> Result<&'s str, Invalid> {
    operand.as_str().ok_or_else(|| Invalid::value(location, operand, format!("a string for {name}")))
}

fn affix(
    name: &str,
    operand: &Value,
    location: &str,
    plain: fn(String) -> Operator,
    folded: fn(Folded) -> Operator,
) -> Result<Operator, Invalid> {
    let Some(object) = operand.as_object() else {
        return text(name, operand, location).map(|text| plain(text.to_owned()));
    };
    match only_key(object, operand, location)? {
        (inner @ "equals-ignore-case", operand) => Ok(folded(Folded::new(text(inner, operand, location)?))),
        (_, _) => Err(Invalid::value(
            location,
            operand,
            format!("for {name} a string, or equals-ignore-case with a string"),
        )),
    }
}

fn wildcard(operand: &Value, location: &str) -> Result<Operator, Invalid> {
    let source = text("wildcard", operand, location)?;
    let refused = |position: usize, wanted: &str| {
        let found = format!("{} (character {})", quoted(source), position + 1);
        Err(Invalid::new(location, found, wanted))
    };
    match Glob::new(source) {
        Ok(glob) => Ok(Operator::Wildcard(glob)),
        Err(Fault::Consecutive(position)) => refused(position, "no two asterisks side by side"),
        Err(Fault::Escape(position)) => refused(position, "an asterisk or a backslash after a backslash"),
    }
}

fn anything_but(operand: &Value, location: &str) -> Result<Operator, Invalid> {
    if let Some(object) = operand.as_object() {
        let (name, operand) = only_key(object, operand, location)?;
        return each(operand, location, |value| negated(name, value, location)).map(Operator::Not);
    }
    let excluded = each(operand, location, |value| match value {
        Value::String(text) => Ok(Operator::Text(text.clone())),
        Value::Number(number) if number::comparable(number).is_some() => Ok(Operator::Number(number.clone())),
        Value::Number(_) => Err(Invalid::value(location, value, "a number that a double can hold")),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => Err(Invalid::value(
            location,
            value,
            "for anything-but strings, numbers, or prefix, suffix, equals-ignore-case or wildcard",
        )),
    })?;
    let texts = excluded.iter().filter(|operator| operator.as_text().is_some()).count();
    if texts != 0 && texts != excluded.len() {
        return Err(Invalid::new(
            location,
            "strings and numbers",
            "for anything-but either strings or numbers",
        ));
    }
    Ok(Operator::Not(excluded))
}

/// One operand of an operator inside `anything-but`.
fn negated(name: &str, operand: &Value, location: &str) -> Result<Operator, Invalid> {
    let affix = || match text(name, operand, location)? {
        "" => Err(Invalid::value(location, operand, format!("a {name} of at least one character"))),
        other => Ok(other.to_owned()),
    };
    match name {
        "prefix" => affix().map(Operator::Prefix),
        "suffix" => affix().map(Operator::Suffix),
        "equals-ignore-case" => Ok(Operator::Folded(Folded::new(text(name, operand, location)?))),
        "wildcard" => wildcard(operand, location),
        other => Err(Invalid::new(
            location,
            format!("the operator {}", quoted(other)),
            "below anything-but prefix, suffix, equals-ignore-case or wildcard",
        )),
    }
}

/// Reads a single value, or each value of a non-empty list.
fn each(
    operand: &Value,
    location: &str,
    read: impl Fn(&Value) -> Result<Operator, Invalid>,
) -> Result<Vec<Operator>, Invalid> {
    match operand.as_array() {
        None => Ok(vec![read(operand)?]),
        Some(list) if list.is_empty() => {
            Err(Invalid::value(location, operand, "at least one value for anything-but"))
        }
        Some(list) => list.iter().map(read).collect(),
    }
}

fn numeric(operand: &Value, location: &str) -> Result<Operator, Invalid> {
    let wanted = "for numeric one comparison such as [\"<\", 10], or two: > or >= first, then < or <=";
    let refused = || Invalid::value(location, operand, wanted);
    let list = operand.as_array().ok_or_else(refused)?;
    let (comparisons, []) = list.as_chunks::<2>() else {
        return Err(refused());
    };
    let bound = |[sign, limit]: &[Value; 2]| -> Result<(String, Bound), Invalid> {
        let sign = sign.as_str().filter(|sign| matches!(*sign, "=" | "<" | "<=" | ">" | ">="));
        let sign = sign.ok_or_else(refused)?.to_owned();
        let inclusive = sign.ends_with('=');
        Ok((sign, Bound { limit: threshold(limit, location)?, inclusive }))
    };
    let bounds = comparisons.iter().map(bound).collect::<Result<Vec<_>, Invalid>>()?;
    let range = match bounds.as_slice() {
        [(sign, only)] => {
            let (low, high) = (sign != "<" && sign != "<=", sign != ">" && sign != ">=");
            Range { low: low.then_some(*only), high: high.then_some(*only) }
        }
        [(from, low), (to, high)] if from.starts_with('>') && to.starts_with('<') => {
            if low.limit >= high.limit {
                let found = format!("{} to {}", low.limit, high.limit);
                return Err(Invalid::new(location, found, "for numeric a lower bound below the upper one"));
            }
            Range { low: Some(*low), high: Some(*high) }
        }
        _ => return Err(refused()),
    };
    Ok(Operator::Numeric(range))
}

fn threshold(limit: &Value, location: &str) -> Result<f64, Invalid> {
    let number =
        limit.as_number().ok_or_else(|| Invalid::value(location, limit, "a number to compare with"))?;
    number::comparable(number)
        .filter(|comparable| comparable.abs() <= MAX_NUMERIC)
        .ok_or_else(|| Invalid::value(location, limit, "for numeric a number from -5.0e9 to 5.0e9"))
}
