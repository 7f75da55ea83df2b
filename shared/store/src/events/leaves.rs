//! Records as seals see them: every attribute, from any writer.

use std::collections::{BTreeMap, HashMap};

use aws::CallError;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::Timestamp;
use domain::audit::seal::{Leaf, minute_of};
use jiff::SignedDuration;

use super::reading::{buckets_by_day, query};
use super::{Events, Way};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The leaves of every minute in which a record was written.
pub type Leaves = BTreeMap<Timestamp, Vec<Leaf>>;

impl Events {
    /// The records of the minutes from `from` up to `to`, exclusive: by minute, and within a minute in the order of
    /// a seal. `seen` gets the number of records so far after each page.
    ///
    /// Reads the index, which lags a moment behind the table. Only times some seconds ago are complete.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn leaves(
        &self,
        from: Timestamp,
        to: Timestamp,
        mut seen: impl FnMut(usize),
    ) -> Result<Leaves, CallError> {
        let mut leaves = Leaves::new();
        let mut count = 0;
        // As text, `12:00:00.5Z` sorts before `12:00:00Z`.
        let earlier = from.saturating_sub(SECOND).unwrap_or(from);
        let last = to.saturating_sub(SECOND).unwrap_or(to);
        for bucket in buckets_by_day(from, last.max(from)).into_iter().flatten() {
            let mut after = None;
            loop {
                let (items, next) = query(self, &bucket, (earlier, to), after, Way::Forward).await?;
                let those = items.iter().filter_map(leaf);
                for (minute, leaf) in those.filter(|(minute, _)| (from..to).contains(minute)) {
                    leaves.entry(minute).or_default().push(leaf);
                    count += 1;
                }
                seen(count);
                after = next;
                if after.is_none() {
                    break;
                }
            }
        }
        leaves.values_mut().for_each(|leaves_of_minute| domain::audit::seal::in_order(leaves_of_minute));
        Ok(leaves)
    }
}

/// A record and the minute of its recording. `None` for an outbox row that the audit has not seen yet, whatever
/// attributes its producer wrote. After the audit has seen it, the row does not change any more.
pub(super) fn leaf(item: &HashMap<String, AttributeValue>) -> Option<(Timestamp, Leaf)> {
    let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok());
    if item.contains_key("pending") {
        return None;
    }
    let recorded_at: Timestamp = text("recorded_at")?.parse().ok()?;
    let record = format!("{}\n{}", text("pk")?, text("sk")?);
    let expires = item.get("ttl").and_then(|value| value.as_n().ok()).and_then(|number| number.parse().ok());
    let attributes = item.iter().map(|(name, value)| (name.clone(), canonical(value))).collect();
    Some((minute_of(recorded_at), Leaf::of(record, &attributes, expires)))
}

/// One value as text: the letter of its type, then its content. Parts carry their lengths, so different values give
/// different texts. Sets and maps are sorted, because DynamoDB promises no order.
#[expect(clippy::wildcard_enum_match_arm, reason = "the SDK's enum, which cannot be matched whole")]
fn canonical(value: &AttributeValue) -> String {
    let list = |letter: &str, parts: Vec<String>| {
        let parts: String = parts.iter().map(|part| format!("{}:{part}", part.len())).collect();
        format!("{letter}{parts}")
    };
    let sorted = |letter: &str, mut parts: Vec<String>| {
        parts.sort();
        list(letter, parts)
    };
    match value {
        AttributeValue::S(text) => format!("S{text}"),
        AttributeValue::N(number) => format!("N{number}"),
        AttributeValue::Bool(flag) => format!("BOOL{flag}"),
        AttributeValue::Null(_) => "NULL".to_owned(),
        AttributeValue::B(bytes) => format!("B{}", STANDARD.encode(bytes)),
        AttributeValue::L(values) => list("L", values.iter().map(canonical).collect()),
        AttributeValue::M(map) => {
            let parts: BTreeMap<&String, String> =
                map.iter().map(|(name, value)| (name, canonical(value))).collect();
            list("M", parts.into_iter().flat_map(|(name, value)| [name.clone(), value]).collect())
        }
        AttributeValue::Ss(ss) => sorted("SS", ss.clone()),
        AttributeValue::Ns(ns) => sorted("NS", ns.clone()),
        AttributeValue::Bs(bs) => sorted("BS", bs.iter().map(|bytes| STANDARD.encode(bytes)).collect()),
        // The SDK's enum is non-exhaustive. DynamoDB has had these types since 2014.
        _ => "?".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Item = HashMap<String, AttributeValue>;

    #[test]
    fn every_attribute_of_every_type_changes_the_hash() {
        let hash = |item: &Item| leaf(item).unwrap().1.hash;
        let whole = record();
        for (name, other) in [
            ("event", text("{}")),
            ("digest", text("x")),
            ("ttl", AttributeValue::N("9".into())),
            ("ttl", text("1800000000")),
            ("new", AttributeValue::Null(true)),
            ("tags", AttributeValue::L(vec![text("a"), text("b")])),
            ("tags", AttributeValue::L(vec![text("aSb")])),
        ] {
            let mut touched = whole.clone();
            touched.insert(name.to_owned(), other);
            assert_ne!(hash(&touched), hash(&whole), "{name}");
        }
        for name in ["event", "digest", "ttl"] {
            let mut touched = whole.clone();
            touched.remove(name);
            assert_ne!(hash(&touched), hash(&whole), "{name}");
        }
        assert_eq!(hash(&whole.clone()), hash(&whole));
    }

    #[test]
    fn order_of_sets_and_maps_does_not_change_the_text() {
        let of = |one: &str, two: &str| AttributeValue::Ss(vec![one.to_owned(), two.to_owned()]);
        assert_eq!(canonical(&of("a", "b")), canonical(&of("b", "a")));
        let map = |names: [&str; 2]| AttributeValue::M(names.map(|name| (name.to_owned(), text("x"))).into());
        assert_eq!(canonical(&map(["a", "b"])), canonical(&map(["b", "a"])));
        assert_ne!(canonical(&of("a", "b")), canonical(&AttributeValue::Ss(vec!["a1:b".into()])));
    }

    #[test]
    fn pending_row_has_no_leaf_and_a_leaf_has_the_minute_of_its_recording() {
        let (minute, leaf) = leaf(&record()).unwrap();
        assert_eq!(minute.to_string(), "2026-11-20T12:34:00Z");
        assert_eq!((leaf.record.as_str(), leaf.expires), ("stream#-#a\nevent#b", Some(1_800_000_000)));
        let mut pending = record();
        pending.insert("pending".into(), text("0"));
        assert!(super::leaf(&pending).is_none());
    }

    fn record() -> Item {
        let texts = [
            ("pk", "stream#-#a"),
            ("sk", "event#b"),
            ("recorded_at", "2026-11-20T12:34:56.789Z"),
            ("event", "{\"a\":1}"),
            ("digest", "sha256:abc"),
        ];
        let mut item: Item = texts.map(|(name, value)| (name.to_owned(), text(value))).into();
        item.insert("ttl".into(), AttributeValue::N("1800000000".into()));
        item
    }

    fn text(value: &str) -> AttributeValue {
        AttributeValue::S(value.to_owned())
    }
}
