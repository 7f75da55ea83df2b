//! The JSON form of items in DynamoDB streams: `{"pk": {"S": "…"}, "n": {"N": "1"}}`.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::{Deserializer, Error, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::Item;

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Item, D::Error> {
        let map = BTreeMap::<String, Value>::deserialize(deserializer)?;
        Ok(map.into_iter().filter_map(|(name, value)| Some((name, value.0?))).collect())
    }
}

/// One attribute value. `None` for bytes and sets, which the tables do not use.
struct Value(Option<AttributeValue>);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_map(OneMember)
    }
}

struct OneMember;

impl<'de> Visitor<'de> for OneMember {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value with its type, such as {\"S\": \"text\"}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let Some(kind) = map.next_key::<std::borrow::Cow<'de, str>>()? else {
            return Err(A::Error::custom("a value without a type"));
        };
        let value = match kind.as_ref() {
            "S" => Some(AttributeValue::S(map.next_value()?)),
            "N" => Some(AttributeValue::N(map.next_value()?)),
            "BOOL" => Some(AttributeValue::Bool(map.next_value()?)),
            "NULL" => Some(AttributeValue::Null(map.next_value()?)),
            "L" => {
                let values: Vec<Value> = map.next_value()?;
                Some(AttributeValue::L(values.into_iter().filter_map(|value| value.0).collect()))
            }
            "M" => {
                let values: HashMap<String, Value> = map.next_value()?;
                let known = values.into_iter().filter_map(|(name, value)| Some((name, value.0?)));
                Some(AttributeValue::M(known.collect()))
            }
            _ => {
                map.next_value::<serde::de::IgnoredAny>()?;
                None
            }
        };
        while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
        Ok(Value(value))
    }
}

/// Writes strings and numbers as a stream carries them. The readers of stream items need no other types.
impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self.0.iter().filter_map(|(name, value)| {
            let text = value.as_s().map(|text| ("S", text));
            let shown = text.or_else(|_| value.as_n().map(|number| ("N", number))).ok()?;
            Some((name, BTreeMap::from([shown])))
        });
        serializer.collect_map(shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stream_image_is_parsed_and_unused_types_are_left_out() {
        let text = r#"{"pk":{"S":"a\n"},"n":{"N":"7"},"l":{"L":[{"S":"x"},{"B":"AA=="}]},"b":{"B":"AA=="},
            "m":{"M":{"k":{"BOOL":true}}},"z":{"NULL":true}}"#;
        let item: Item = serde_json::from_str(text).unwrap();
        assert_eq!((item.get("pk"), item.get_number("n")), (Some("a\n"), Some(7)));
        assert_eq!(item.get_texts("l"), ["x"]);
        assert_eq!(item.get("b"), None);
        assert_eq!(serde_json::to_string(&item).unwrap(), r#"{"n":{"N":"7"},"pk":{"S":"a\n"}}"#);
        for wrong in [r#"{"pk":"a"}"#, r#"{"pk":{}}"#, r#"{"pk":{"S":1}}"#, "[]"] {
            assert!(serde_json::from_str::<Item>(wrong).is_err(), "{wrong}");
        }
    }
}
