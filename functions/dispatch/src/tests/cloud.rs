//! Tables and queues that answer over HTTP, and the calls that they received.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use aws_types::SdkConfig;
use serde_json::{Value, json};

/// The cloud of one test.
#[derive(Debug, Clone, Default)]
pub(super) struct Cloud {
    /// The items of all tables, by partition key.
    pub(super) items: BTreeMap<String, Value>,
    /// Operations whose calls are throttled if the request contains the text.
    pub(super) throttled: Vec<(&'static str, String)>,
    /// Texts of messages that a queue refuses.
    pub(super) refused: BTreeSet<String>,
    /// The code with which the ledger answers each insert.
    pub(super) insert_error: Option<&'static str>,
    /// The number of events that the rate counters have counted.
    pub(super) counted: u32,
    pub(super) calls: Arc<Mutex<Vec<(String, Value)>>>,
}

/// A message in a queue.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sent {
    /// The last part of the queue's URL.
    pub(super) queue: String,
    pub(super) body: String,
    pub(super) group: Option<String>,
    pub(super) delay_s: u64,
}

impl Cloud {
    pub(super) fn config(&self) -> SdkConfig {
        let connector = SharedHttpConnector::new(self.clone());
        let variable = |name: &str| match name {
            "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            _ => None,
        };
        let config = aws::Settings::read(variable).unwrap().config().into_builder();
        let config = config.retry_config(aws::no_retries());
        config.http_client(http_client_fn(move |_, _| connector.clone())).build()
    }

    /// The requests of an operation.
    pub(super) fn calls(&self, operation: &str) -> Vec<Value> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|(name, _)| name == operation).map(|(_, body)| body.clone()).collect()
    }

    /// The operations in the order of their calls.
    pub(super) fn operations(&self) -> Vec<String> {
        self.calls.lock().unwrap().iter().map(|(name, _)| name.clone()).collect()
    }

    /// The messages that queues accepted, by queue and body.
    pub(super) fn sent(&self) -> Vec<Sent> {
        let mut sent = Vec::new();
        for call in self.calls("SendMessageBatch") {
            for entry in call["Entries"].as_array().unwrap() {
                if !self.refuses(entry) {
                    sent.push(Sent {
                        queue: queue(&call),
                        body: text(&entry["MessageBody"]),
                        group: entry["MessageGroupId"].as_str().map(str::to_owned),
                        delay_s: entry["DelaySeconds"].as_u64().unwrap_or(0),
                    });
                }
            }
        }
        sent.sort_by(|one, other| (&one.queue, &one.body).cmp(&(&other.queue, &other.body)));
        sent
    }

    /// The rows that the ledger was asked to insert, by recipient. Each is its attributes as texts.
    pub(super) fn rows(&self) -> Vec<BTreeMap<String, String>> {
        let calls = self.calls("BatchExecuteStatement");
        let statements = calls.iter().flat_map(|call| call["Statements"].as_array().unwrap());
        let mut rows: Vec<BTreeMap<String, String>> = statements.map(row).collect();
        rows.sort_by_key(|row| (row["recipient"].clone(), row["rule"].clone()));
        rows
    }

    fn refuses(&self, entry: &Value) -> bool {
        let body = text(&entry["MessageBody"]);
        self.refused.iter().any(|refused| body.contains(refused.as_str()))
    }

    fn answer(&self, operation: &str, body: &Value) -> Value {
        match operation {
            "GetItem" => {
                let found = self.items.get(body["Key"]["pk"]["S"].as_str().unwrap());
                found.map_or_else(|| json!({}), |item| json!({ "Item": item }))
            }
            "BatchGetItem" => {
                let tables = body["RequestItems"].as_object().unwrap();
                let found = tables.iter().map(|(table, wanted)| {
                    let keys = wanted["Keys"].as_array().unwrap().iter();
                    let keys = keys.map(|key| key["pk"]["S"].as_str().unwrap());
                    let items: Vec<&Value> = keys.filter_map(|pk| self.items.get(pk)).collect();
                    (table.clone(), json!(items))
                });
                json!({ "Responses": found.collect::<BTreeMap<String, Value>>() })
            }
            "Query" => json!({ "Items": [{ "id": { "S": "ann" } }, { "id": { "S": "ben" } }] }),
            "UpdateItem" => json!({ "Attributes": { "n": { "N": self.counted.max(1).to_string() } } }),
            "SendMessageBatch" => {
                let (failed, taken): (Vec<&Value>, Vec<&Value>) =
                    body["Entries"].as_array().unwrap().iter().partition(|entry| self.refuses(entry));
                let taken: Vec<Value> = taken
                    .iter()
                    .map(|entry| json!({ "Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": "x" }))
                    .collect();
                let failed: Vec<Value> = failed
                    .iter()
                    .map(|entry| json!({ "Id": entry["Id"], "SenderFault": false, "Code": "InternalError" }))
                    .collect();
                json!({ "Successful": taken, "Failed": failed })
            }
            "SendMessage" => json!({ "MessageId": "m", "MD5OfMessageBody": "x" }),
            "BatchExecuteStatement" => {
                let answer = match self.insert_error {
                    Some(code) => json!({ "Error": { "Code": code, "Message": "no" } }),
                    None => json!({}),
                };
                let count = body["Statements"].as_array().unwrap().len();
                json!({ "Responses": vec![answer; count] })
            }
            _ => json!({}),
        }
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or_default();
        let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
        let text = String::from_utf8(request.body().bytes().unwrap().to_vec()).unwrap();
        let body: Value = serde_json::from_str(&text).unwrap();
        let is_throttled =
            self.throttled.iter().any(|(name, part)| *name == operation && text.contains(part.as_str()));
        let (status, answer) = if is_throttled {
            let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
            (400, json!({ "__type": kind, "message": "too many calls" }))
        } else {
            (200, self.answer(&operation, &body))
        };
        self.calls.lock().unwrap().push((operation, body));
        let status = StatusCode::try_from(status).unwrap();
        HttpConnectorFuture::ready(Ok(HttpResponse::new(status, SdkBody::from(answer.to_string()))))
    }
}

/// The last part of the URL of a call's queue.
fn queue(call: &Value) -> String {
    text(&call["QueueUrl"]).rsplit('/').next().unwrap().to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// The attributes of `INSERT INTO "table" VALUE {'name': ?, …}`.
fn row(statement: &Value) -> BTreeMap<String, String> {
    let (_, item) = statement["Statement"].as_str().unwrap().split_once(" VALUE ").unwrap();
    let names = item.split('\'').skip(1).step_by(2).map(str::to_owned);
    let values = statement["Parameters"].as_array().unwrap().iter();
    let values = values.map(|value| text(value.as_object().unwrap().values().next().unwrap()));
    names.zip(values).collect()
}
