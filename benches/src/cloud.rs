//! AWS as far as the functions ask it: everybody is known, every write succeeds, every message is taken.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use serde_json::{Value, json};

use crate::http::Request;

/// Far enough ahead that nothing expires, in seconds since 1970.
const FAR_AHEAD: &str = "4070908800";

/// The stubs of DynamoDB, SQS, SES and API Gateway.
pub(crate) struct Cloud {
    people: BTreeMap<String, Value>,
}

/// One call: its operation, what it is answered, and the messages it put into a queue.
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) answer: Value,
    pub(crate) sent: Option<Sent>,
}

/// Messages, and the last part of the address of the queue they went to.
pub(crate) struct Sent {
    pub(crate) queue: String,
    pub(crate) bodies: Vec<String>,
}

impl Cloud {
    /// `people` is the file that `carillon people import` reads.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) fn open(people: &Path) -> io::Result<Cloud> {
        let people: Vec<Value> = serde_json::from_str(&fs::read_to_string(people)?)?;
        let items = people.iter().map(|it| (format!("user#{}", text(&it["id"])), item(it)));
        Ok(Cloud { people: items.collect() })
    }

    /// `None` for an operation that no function asked for when this was written.
    pub(crate) fn answer(&self, request: &Request) -> Option<Call> {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let operation = match &request.target {
            Some(it) => it.rsplit('.').next().unwrap_or_default(),
            None if request.path.starts_with("/v2/email/outbound-emails") => "SendEmail",
            None if request.path.contains("connections/") => "PostToConnection",
            None => return None,
        };
        let sent = (operation == "SendMessageBatch").then(|| Sent {
            queue: text(&body["QueueUrl"]).rsplit('/').next().unwrap_or_default().to_owned(),
            bodies: array(&body["Entries"]).map(|it| text(&it["MessageBody"]).to_owned()).collect(),
        });
        let answer = match operation {
            "BatchGetItem" => self.read(&body),
            "BatchExecuteStatement" => {
                json!({ "Responses": array(&body["Statements"]).map(|_| json!({})).collect::<Vec<_>>() })
            }
            "BatchWriteItem" => json!({ "UnprocessedItems": {} }),
            "TransactWriteItems" => json!({}),
            "GetItem" => {
                let mut who = item(&json!({ "user": "booker-priya", "rooms": ["queue:*"] }));
                who["ttl"] = json!({ "N": FAR_AHEAD });
                json!({ "Item": who })
            }
            "Query" => {
                json!({ "Items": [{ "sk": { "S": "VK1nKeWHliACFIw=" }, "ttl": { "N": FAR_AHEAD } }], "Count": 1 })
            }
            "SendMessageBatch" => {
                json!({ "Failed": [], "Successful": array(&body["Entries"]).map(taken).collect::<Vec<_>>() })
            }
            "SendEmail" => json!({ "MessageId": "0107018f0e3d7c1a-bench" }),
            "PostToConnection" => json!({}),
            _ => return None,
        };
        Some(Call { operation: operation.to_owned(), answer, sent })
    }

    fn read(&self, body: &Value) -> Value {
        let mut responses = serde_json::Map::new();
        for (table, wanted) in body["RequestItems"].as_object().into_iter().flatten() {
            let found = array(&wanted["Keys"]).filter_map(|it| self.people.get(text(&it["pk"]["S"])));
            responses.insert(table.clone(), found.cloned().collect());
        }
        json!({ "Responses": responses, "UnprocessedKeys": {} })
    }
}

/// An object of strings and lists of strings, as DynamoDB writes it.
fn item(object: &Value) -> Value {
    let attribute = |it: &Value| match it.as_array() {
        Some(list) => json!({ "L": list.iter().map(|it| json!({ "S": it })).collect::<Vec<_>>() }),
        None => json!({ "S": it }),
    };
    let members = object.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn taken(entry: &Value) -> Value {
    json!({ "Id": entry["Id"], "MessageId": entry["Id"], "MD5OfMessageBody": "d41d8cd98f00b204e9800998ecf8427e" })
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
