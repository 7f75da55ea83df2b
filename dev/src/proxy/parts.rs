//! Batch calls: the number of their entries, and answers in which some entries failed.

use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::call::Call;

/// A batch call, split into forwarded and failed entries.
pub(super) struct Split {
    action: String,
    /// The request with the forwarded entries; `None` if all fail.
    pub(super) rest: Option<Bytes>,
    /// The failed entries with their positions.
    failed: Vec<(usize, Value)>,
    /// The number of all entries.
    count: usize,
    /// The table of the entries, for calls that name tables.
    table: String,
}

/// The member with the entries of a call.
fn list(action: &str) -> Option<&'static str> {
    match action {
        "PutEvents" | "SendMessageBatch" => Some("Entries"),
        "BatchExecuteStatement" => Some("Statements"),
        "TransactWriteItems" => Some("TransactItems"),
        "BatchWriteItem" | "BatchGetItem" => Some("RequestItems"),
        _ => None,
    }
}

/// The number of entries of a call; 1 for calls without entries.
pub(super) fn count(action: &str, body: &[u8]) -> usize {
    let found = list(action).and_then(|name| {
        let body: Value = serde_json::from_slice(body).ok()?;
        let parts = &body[name];
        let of_tables = || parts.as_object().map(|object| object.values().map(of_table).sum());
        parts.as_array().map(Vec::len).or_else(of_tables)
    });
    found.unwrap_or(1)
}

/// The number of requests or keys for a table.
fn of_table(table: &Value) -> usize {
    table.as_array().or_else(|| table["Keys"].as_array()).map_or(0, Vec::len)
}

impl Split {
    /// Splits off every second entry, beginning with the first or the second by turns. `None` for calls whose entries
    /// cannot fail alone.
    pub(super) fn of(call: &Call, body: &[u8], turn: u64) -> Option<Split> {
        let action = call.action.as_str();
        let name = list(action).filter(|_| action != "TransactWriteItems")?;
        let mut request: Value = serde_json::from_slice(body).ok()?;
        let mut table = String::new();
        let mut list = &mut request[name];
        if list.is_object() {
            let (found, of_table) = list.as_object_mut()?.iter_mut().next()?;
            found.clone_into(&mut table);
            list = if of_table.is_array() { of_table } else { &mut of_table["Keys"] };
        }
        let parts = list.as_array_mut()?;
        let count = parts.len();
        let first = usize::try_from(turn % 2).unwrap_or(0);
        let fails = |index: usize| index % 2 == first;
        let all = std::mem::take(parts).into_iter().enumerate();
        let (failed, rest): (Vec<_>, Vec<_>) = all.partition(|(index, _)| fails(*index));
        let is_empty = rest.is_empty();
        *parts = rest.into_iter().map(|(_, entry)| entry).collect();
        let rest = (!is_empty).then(|| Bytes::from(request.to_string()));
        Some(Split { action: action.to_owned(), rest, failed, count, table })
    }

    /// The answer for the caller: the service's answer with errors for the failed entries. `service` is `None` if no entry
    /// was forwarded.
    pub(super) fn answer(&self, service: Option<&[u8]>) -> Option<String> {
        let mut answer: Value = match service {
            Some(service) => serde_json::from_slice(service).ok()?,
            None => json!({}),
        };
        match self.action.as_str() {
            "PutEvents" => {
                let error = json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "a fault" });
                self.fill_in(&mut answer, "Entries", &error);
                let more = answer["FailedEntryCount"].as_u64().unwrap_or(0);
                answer["FailedEntryCount"] = json!(self.failed.len() as u64 + more);
            }
            "BatchExecuteStatement" => {
                let error = json!({ "Error": { "Code": "ThrottlingError", "Message": "a fault" } });
                self.fill_in(&mut answer, "Responses", &error);
            }
            "SendMessageBatch" => {
                let errors = self.failed.iter().map(|(_, entry)| {
                    json!({ "Id": entry["Id"], "SenderFault": false, "Code": "InternalError", "Message": "a fault" })
                });
                let mut failed = answer["Failed"].as_array().cloned().unwrap_or_default();
                failed.extend(errors);
                answer["Failed"] = failed.into();
                if answer["Successful"].is_null() {
                    answer["Successful"] = json!([]);
                }
            }
            action => {
                let name = if action == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" };
                let left: Vec<&Value> = self.failed.iter().map(|(_, entry)| entry).collect();
                let left = if action == "BatchGetItem" { json!({ "Keys": left }) } else { json!(left) };
                answer[name] = Map::from_iter([(self.table.clone(), left)]).into();
                if action == "BatchGetItem" && answer["Responses"].is_null() {
                    answer["Responses"] = json!({});
                }
            }
        }
        Some(answer.to_string())
    }

    /// Puts the service's answers at the positions of the forwarded entries, and `error` at the others.
    fn fill_in(&self, answer: &mut Value, name: &str, error: &Value) {
        let answered = answer[name].as_array().cloned().unwrap_or_default();
        let mut answered = answered.into_iter();
        let entries =
            (0..self.count).map(|index| match self.failed.iter().any(|(failed, _)| *failed == index) {
                true => error.clone(),
                false => answered.next().unwrap_or_default(),
            });
        answer[name] = entries.collect::<Vec<Value>>().into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_entries_keep_their_positions_and_the_rest_is_forwarded() {
        let body = br#"{"Entries":[{"Source":"a"},{"Source":"b"},{"Source":"c"}]}"#;
        let split = Split::of(&call("PutEvents"), body, 0).unwrap();
        assert_eq!(split.rest.as_deref(), Some(br#"{"Entries":[{"Source":"b"}]}"#.as_slice()));
        let answer = split.answer(Some(br#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#)).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer["FailedEntryCount"], 2);
        assert_eq!(
            (&answer["Entries"][1]["EventId"], answer["Entries"][2].get("EventId")),
            (&json!("1"), None)
        );
    }

    #[test]
    fn single_entry_fails_in_every_other_turn() {
        let body = br#"{"QueueUrl":"q","Entries":[{"Id":"0"}]}"#;
        let first = Split::of(&call("SendMessageBatch"), body, 0).unwrap();
        assert!(first.rest.is_none());
        assert!(first.answer(None).unwrap().contains(r#""SenderFault":false"#));
        assert!(Split::of(&call("SendMessageBatch"), body, 1).unwrap().rest.is_some());
    }

    #[test]
    fn keys_and_items_are_reported_as_unprocessed() {
        let body = br#"{"RequestItems":{"t":{"Keys":[{"pk":{"S":"1"}},{"pk":{"S":"2"}}]}}}"#;
        let split = Split::of(&call("BatchGetItem"), body, 1).unwrap();
        let answer: Value =
            serde_json::from_str(&split.answer(Some(br#"{"Responses":{"t":[]}}"#)).unwrap()).unwrap();
        assert_eq!(answer["UnprocessedKeys"]["t"]["Keys"], json!([{ "pk": { "S": "2" } }]));
        assert!(Split::of(&call("GetItem"), b"{}", 0).is_none());
    }

    #[test]
    fn entries_are_counted_for_every_batch_operation() {
        assert_eq!(count("SendMessageBatch", br#"{"Entries":[{},{}]}"#), 2);
        assert_eq!(count("BatchGetItem", br#"{"RequestItems":{"a":{"Keys":[{},{}]},"b":{"Keys":[{}]}}}"#), 3);
        assert_eq!(count("BatchWriteItem", br#"{"RequestItems":{"a":[{},{}]}}"#), 2);
        assert_eq!(count("PutItem", b"{}"), 1);
    }

    fn call(action: &str) -> Call {
        Call { service: "s".into(), action: action.into(), function: None }
    }
}
