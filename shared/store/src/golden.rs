//! Rows as a release wrote them, in `fixtures/<release>/`: they are read as what they meant, and the rows of today have
//! every attribute that the release wrote, so that its readers find what they need.

mod reading;
mod script;
pub(crate) mod table;

use std::fs;
use std::path::PathBuf;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value, json};

use crate::item::Item;

/// The release whose rows are in the tables when this one is deployed.
const LAST_RELEASE: &str = "0.1.0";

#[tokio::test]
async fn rows_of_today_have_every_attribute_that_the_last_release_reads() {
    for table in script::TABLES {
        let mut today: Vec<Value> = script::write(table).await.iter().map(shown).collect();
        for old in rows(table) {
            let old = shown(&old);
            let keys = |value: &Value| (value["pk"]["S"].clone(), value["sk"]["S"].clone());
            // Where a key is a hash that is made otherwise today, a row of the same kind stands for it.
            let kind = |it: &Value| {
                let begins = |name: &str| {
                    it[name]["S"].as_str().and_then(|it| it.split('#').next()).map(str::to_owned)
                };
                (begins("pk"), begins("sk").filter(|begins| begins.len() < 20))
            };
            let same = today.iter().position(|it| keys(it) == keys(&old) && has_all(&old, it));
            let found =
                same.or_else(|| today.iter().position(|it| kind(it) == kind(&old) && has_all(&old, it)));
            let found =
                found.unwrap_or_else(|| panic!("{table}: no row of today has all attributes of {old}"));
            today.remove(found);
        }
    }
}

/// Writes the golden rows of a release that is named: `RECORD_GOLDEN=0.2.0 cargo test -p store golden`.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "whoever records a release names it")]
async fn rows_are_recorded_for_a_release_that_is_named() {
    let Ok(release) = std::env::var("RECORD_GOLDEN") else { return };
    for table in script::TABLES {
        let rows: Vec<String> = script::write(table).await.iter().map(|it| shown(it).to_string()).collect();
        let path = file(&release, table);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, format!("[\n{}\n]\n", rows.join(",\n"))).unwrap();
    }
}

/// The golden rows of a table.
fn rows(table: &str) -> Vec<Item> {
    serde_json::from_str(&fs::read_to_string(file(LAST_RELEASE, table)).unwrap()).unwrap()
}

fn file(release: &str, table: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(release).join(format!("{table}.json"))
}

/// An item as DynamoDB's JSON has it.
fn shown(item: &Item) -> Value {
    fn value(it: &AttributeValue) -> Value {
        if let Ok(text) = it.as_s() {
            return json!({ "S": text });
        }
        if let Ok(number) = it.as_n() {
            return json!({ "N": number });
        }
        let list = it.as_l().expect("no row of ours has a value of another type");
        json!({ "L": list.iter().map(value).collect::<Vec<_>>() })
    }
    let attributes = item.clone().into_map();
    Value::Object(attributes.iter().map(|(name, it)| (name.clone(), value(it))).collect::<Map<_, _>>())
}

/// Whether every member of `old` is in `new`, as a value of the same kind. JSON in a text is compared member by member;
/// the values themselves may differ: hashes and stamps do.
fn has_all(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            old.iter().all(|(name, value)| new.get(name).is_some_and(|it| has_all(value, it)))
        }
        (Value::String(old), Value::String(new)) => {
            let object = |it: &str| serde_json::from_str::<Map<String, Value>>(it).ok().map(Value::Object);
            match (object(old), object(new)) {
                (Some(old), Some(new)) => has_all(&old, &new),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            }
        }
        (Value::Array(old), Value::Array(new)) => old.len() == new.len(),
        (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_))
        | (Value::Null, Value::Null) => true,
        _ => false,
    }
}
