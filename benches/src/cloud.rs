//! Stub of AWS for the functions. All people exist, every write succeeds and every message is accepted. Counters start
//! at zero: no limit is reached, no run is cancelled, and every digest is opened anew.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use domain::recipient::{Group, NO_TENANT, Recipient};
use serde_json::{Value, json};

use crate::hooks::Hooks;
use crate::http::Request;
use crate::{receipts, sealing};

/// A time in seconds since 1970 that never passes during a run.
const FAR_AHEAD: &str = "4070908800";

/// Response of SNS, the only service with XML.
const PUBLISHED: &str = "<PublishResponse><PublishResult><MessageId>0107018f-bench</MessageId></PublishResult>\
    <ResponseMetadata><RequestId>bench</RequestId></ResponseMetadata></PublishResponse>";

/// Stubs of DynamoDB, SQS, EventBridge, SES, SNS, End User Messaging, Scheduler, API Gateway, S3 and KMS.
pub(crate) struct Cloud {
    people: BTreeMap<String, Value>,
    /// Members of every audience, by partition key.
    groups: BTreeMap<String, Vec<Value>>,
    hooks: Hooks,
}

/// One call: operation, response, and messages that it sent to a queue.
pub(crate) struct Call {
    pub(crate) operation: String,
    pub(crate) answer: String,
    pub(crate) sent: Option<Sent>,
    /// Ids of the events that the call put on the bus.
    pub(crate) published: Vec<String>,
}

/// Messages, and the last part of their queue's URL.
pub(crate) struct Sent {
    pub(crate) queue: String,
    pub(crate) bodies: Vec<String>,
}

impl Cloud {
    /// Reads people from `packs`. Each pack may have a file `people.json` in the format of `carillon people import`.
    ///
    /// # Errors
    /// The file cannot be read, or no port is free for the endpoints.
    pub(crate) fn open(packs: &Path) -> io::Result<Cloud> {
        let mut people: Vec<Value> = Vec::new();
        for pack in fs::read_dir(packs)? {
            let file = pack?.path().join("people.json");
            if file.exists() {
                let of_pack: Vec<Value> = serde_json::from_str(&fs::read_to_string(file)?)?;
                people.extend(of_pack);
            }
        }
        let hooks = Hooks::open()?;
        let mut cloud = Cloud { people: BTreeMap::new(), groups: BTreeMap::new(), hooks };
        for object in &people {
            let person: Recipient = serde_json::from_value(object.clone())?;
            for group in person.groups() {
                let member = json!({ "id": { "S": person.id } });
                cloud.groups.entry(partition(&group)).or_default().push(member);
            }
            let key = format!("user#{}", person.id);
            let mut item = item(object);
            item["pk"] = json!({ "S": key });
            cloud.people.insert(key, item);
        }
        Ok(cloud)
    }

    /// Base URL of the webhook endpoints.
    pub(crate) fn hooks(&self) -> &str {
        self.hooks.origin()
    }

    /// Answers a request. `None` for an operation that the stub does not support.
    pub(crate) fn answer(&self, request: &Request) -> Option<Call> {
        if let Some((operation, answer)) = sealing::answer(request) {
            return Some(Call { operation: operation.to_owned(), answer, sent: None, published: Vec::new() });
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let operation = operation(request)?;
        let sent = match operation {
            "SendMessageBatch" => array(&body["Entries"]).map(|array| text(&array["MessageBody"])).collect(),
            "SendMessage" => vec![text(&body["MessageBody"])],
            _ => Vec::new(),
        };
        let sent = sent.into_iter().map(str::to_owned).collect::<Vec<_>>();
        let queue = text(&body["QueueUrl"]).rsplit('/').next().unwrap_or_default().to_owned();
        let answer = match operation {
            "Publish" => PUBLISHED.to_owned(),
            _ => self.json(operation, &body)?.to_string(),
        };
        let sent = (!sent.is_empty()).then_some(Sent { queue, bodies: sent });
        let published = match operation {
            "PutEvents" => {
                array(&body["Entries"]).filter_map(|item| event_id(text(&item["Detail"]))).collect()
            }
            _ => Vec::new(),
        };
        Some(Call { operation: operation.to_owned(), answer, sent, published })
    }

    fn json(&self, operation: &str, body: &Value) -> Option<Value> {
        let table = text(&body["TableName"]).rsplit('-').next().unwrap_or_default();
        Some(match operation {
            "BatchGetItem" => self.read(body),
            "BatchExecuteStatement" => {
                json!({ "Responses": array(&body["Statements"]).map(|_| json!({})).collect::<Vec<_>>() })
            }
            "BatchWriteItem" => json!({ "UnprocessedItems": {} }),
            "TransactWriteItems" | "PutItem" | "CreateSchedule" | "PostToConnection" => json!({}),
            // Counter of a source, for its first event in this second.
            "UpdateItem" => match body["ExpressionAttributeValues"].get(":n") {
                Some(count) => json!({ "Attributes": { "n": count } }),
                None => json!({}),
            },
            "GetItem" if table == "connections" => {
                let mut who = item(&json!({ "user": "booker-priya" }));
                who["rooms"] = json!({ "L": [{ "S": "queue:*" }] });
                who["ttl"] = json!({ "N": FAR_AHEAD });
                json!({ "Item": who })
            }
            "GetItem" if table == "ledger" => match receipts::row(text(&body["Key"]["pk"]["S"])) {
                Some(row) => json!({ "Item": row }),
                None => json!({}),
            },
            "GetItem" => json!({}),
            "Query" if table == "connections" => {
                json!({ "Items": [{ "sk": { "S": "VK1nKeWHliACFIw=" }, "ttl": { "N": FAR_AHEAD } }], "Count": 1 })
            }
            "Query" if body["ExpressionAttributeNames"]["#bucket"] == "bucket" => {
                json!({ "Items": sealing::records(&body["ExpressionAttributeValues"]) })
            }
            "Query" if body["IndexName"] == "by_provider" => {
                let provider_id = text(&body["ExpressionAttributeValues"][":value"]["S"]);
                json!({ "Items": [receipts::key_of(provider_id)], "Count": 1 })
            }
            "Query" => {
                let partition = text(&body["ExpressionAttributeValues"][":pk"]["S"]);
                json!({ "Items": self.groups.get(partition).cloned().unwrap_or_default() })
            }
            // Query of the sparse index of pending entries, which is empty.
            "Scan" => json!({ "Items": [], "Count": 0 }),
            "PutEvents" => {
                let entries: Vec<Value> =
                    array(&body["Entries"]).map(|_| json!({ "EventId": "bench" })).collect();
                json!({ "FailedEntryCount": 0, "Entries": entries })
            }
            "SendMessage" => json!({ "MessageId": "bench" }),
            "SendMessageBatch" => {
                json!({ "Failed": [], "Successful": array(&body["Entries"]).map(taken).collect::<Vec<_>>() })
            }
            "Sign" => {
                json!({ "KeyId": "bench", "Signature": "MEUCIQ==", "SigningAlgorithm": "ECDSA_SHA_256" })
            }
            "SendEmail" => json!({ "MessageId": "0107018f0e3d7c1a-bench" }),
            "SendWhatsAppMessage" => json!({ "messageId": "0107018f-bench" }),
            _ => return None,
        })
    }

    fn read(&self, body: &Value) -> Value {
        let mut responses = serde_json::Map::new();
        for (table, wanted) in body["RequestItems"].as_object().into_iter().flatten() {
            let found = array(&wanted["Keys"]).filter_map(|item| {
                let (pk, sk) = (text(&item["pk"]["S"]), text(&item["sk"]["S"]));
                self.people.get(pk).cloned().or_else(|| self.hooks.row(pk, sk))
            });
            responses.insert(table.clone(), found.collect());
        }
        json!({ "Responses": responses, "UnprocessedKeys": {} })
    }
}

/// Operation of a request: JSON services name it in a header, others in the path, SNS in the form body.
fn operation(request: &Request) -> Option<&str> {
    const PATHS: [(&str, &str); 4] = [
        ("/v2/email/outbound-emails", "SendEmail"),
        ("/v1/whatsapp/send", "SendWhatsAppMessage"),
        ("/schedules/", "CreateSchedule"),
        ("/live/@connections/", "PostToConnection"),
    ];
    if let Some(target) = &request.target {
        return target.rsplit('.').next();
    }
    let path = request.path.replace("%40", "@");
    let by_path = PATHS.into_iter().find(|(item, _)| path.starts_with(item)).map(|(_, operation)| operation);
    by_path.or_else(|| request.body.starts_with(b"Action=Publish&").then_some("Publish"))
}

/// Partition of the people table that holds the members of an audience.
fn partition(group: &Group) -> String {
    match group {
        Group::Role { scope, role } => format!("role#{scope}#{role}"),
        Group::Topic { tenant, name } => format!("topic#{}#{name}", tenant.as_deref().unwrap_or(NO_TENANT)),
        Group::Endpoints { tenant } => format!("endpoints#{}", tenant.as_deref().unwrap_or(NO_TENANT)),
    }
}

/// An object as the people table stores it: strings, lists of strings, and other values as JSON strings.
fn item(object: &Value) -> Value {
    let attribute = |item: &Value| match (item.as_str(), item.as_array()) {
        (Some(text), _) => json!({ "S": text }),
        (None, Some(list)) if list.iter().all(Value::is_string) => {
            json!({ "L": list.iter().map(|item| json!({ "S": item })).collect::<Vec<_>>() })
        }
        (None, Some(_) | None) => json!({ "S": item.to_string() }),
    };
    let members = object.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.clone(), attribute(value))).collect()
}

fn event_id(detail: &str) -> Option<String> {
    serde_json::from_str::<Value>(detail).ok()?["id"].as_str().map(str::to_owned)
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
