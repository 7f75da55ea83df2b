//! Rows as a release wrote them, in `fixtures/<release>/`. Today's code parses them with the same meaning, and
//! today's rows have every attribute that the last release reads.

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
async fn rows_have_every_attribute_of_the_last_release() {
    for table in script::TABLES {
        let mut today: Vec<Value> = script::write(table).await.iter().map(shown).collect();
        for old in rows(table) {
            let old = shown(&old);
            let keys = |value: &Value| (value["pk"]["S"].clone(), value["sk"]["S"].clone());
            // A key that is a hash can differ today. Then a row of the same kind takes its place.
            let kind = |row: &Value| {
                let begins = |name: &str| {
                    row[name]["S"].as_str().and_then(|key| key.split('#').next()).map(str::to_owned)
                };
                (begins("pk"), begins("sk").filter(|begins| begins.len() < 20))
            };
            let same = today.iter().position(|row| keys(row) == keys(&old) && has_all(&old, row));
            let found =
                same.or_else(|| today.iter().position(|row| kind(row) == kind(&old) && has_all(&old, row)));
            let found =
                found.unwrap_or_else(|| panic!("{table}: no row of today has all attributes of {old}"));
            today.remove(found);
        }
    }
}

/// Records the golden rows of a release: `RECORD_GOLDEN=0.2.0 cargo test -p carillon-store golden`.
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the environment names the release to record")]
async fn golden_rows_are_recorded_on_request() {
    let Ok(release) = std::env::var("RECORD_GOLDEN") else { return };
    for table in script::TABLES {
        let rows: Vec<String> =
            script::write(table).await.iter().map(|item| shown(item).to_string()).collect();
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

/// An item in DynamoDB's JSON.
fn shown(item: &Item) -> Value {
    fn typed(value: &AttributeValue) -> Value {
        if let Ok(text) = value.as_s() {
            return json!({ "S": text });
        }
        if let Ok(number) = value.as_n() {
            return json!({ "N": number });
        }
        let list = value.as_l().expect("rows have only strings, numbers and lists");
        json!({ "L": list.iter().map(typed).collect::<Vec<_>>() })
    }
    let attributes = item.clone().into_map();
    Value::Object(attributes.iter().map(|(name, value)| (name.clone(), typed(value))).collect::<Map<_, _>>())
}

/// Whether every member of `old` is in `new`, with a value of the same kind. JSON text is compared member by
/// member. Values may differ, because hashes and stamps do.
fn has_all(old: &Value, new: &Value) -> bool {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            old.iter().all(|(name, value)| new.get(name).is_some_and(|other| has_all(value, other)))
        }
        (Value::String(old), Value::String(new)) => {
            let object =
                |text: &str| serde_json::from_str::<Map<String, Value>>(text).ok().map(Value::Object);
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
