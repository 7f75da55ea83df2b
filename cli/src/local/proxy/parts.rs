//! Calls that carry several things at once: how many, and what is answered when some of them are refused.

use hyper::body::Bytes;
use serde_json::{Map, Value, json};

use super::call::Call;

/// A call of which some parts fail: what goes on, and which places are kept back.
pub(super) struct Split {
    action: String,
    /// What is left of the request; `None` where nothing is.
    pub(super) rest: Option<Bytes>,
    /// What was taken out, in the order of the places.
    failed: Vec<(usize, Value)>,
    /// How many there were.
    count: usize,
    /// The table that the parts are of, where the call names tables.
    table: String,
}

/// Under which name a call has its parts.
fn list(action: &str) -> Option<&'static str> {
    match action {
        "PutEvents" | "SendMessageBatch" => Some("Entries"),
        "BatchExecuteStatement" => Some("Statements"),
        "TransactWriteItems" => Some("TransactItems"),
        "BatchWriteItem" | "BatchGetItem" => Some("RequestItems"),
        _ => None,
    }
}

/// How many things a call carries; one, where it is none of those that carry several.
pub(super) fn count(action: &str, body: &[u8]) -> usize {
    let found = list(action).and_then(|name| {
        let body: Value = serde_json::from_slice(body).ok()?;
        let parts = &body[name];
        let of_tables = || parts.as_object().map(|object| object.values().map(of_table).sum());
        parts.as_array().map(Vec::len).or_else(of_tables)
    });
    found.unwrap_or(1)
}

/// The requests for one table, or the keys that are asked for there.
fn of_table(table: &Value) -> usize {
    table.as_array().or_else(|| table["Keys"].as_array()).map_or(0, Vec::len)
}

impl Split {
    /// Takes every second part out, beginning with the first or the second by turns. `None` for a call that has no
    /// parts that may fail by themselves.
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
        let fails = |at: usize| at % 2 == first;
        let all = std::mem::take(parts).into_iter().enumerate();
        let (failed, rest): (Vec<_>, Vec<_>) = all.partition(|(at, _)| fails(*at));
        let is_empty = rest.is_empty();
        *parts = rest.into_iter().map(|(_, it)| it).collect();
        let rest = (!is_empty).then(|| Bytes::from(request.to_string()));
        Some(Split { action: action.to_owned(), rest, failed, count, table })
    }

    /// The service's answer to what it was asked, with a no for what it was not. `said` is `None` where nothing was
    /// left to ask.
    pub(super) fn answer(&self, said: Option<&[u8]>) -> Option<String> {
        let mut answer: Value = match said {
            Some(said) => serde_json::from_slice(said).ok()?,
            None => json!({}),
        };
        match self.action.as_str() {
            "PutEvents" => {
                let no = json!({ "ErrorCode": "InternalFailure", "ErrorMessage": "a fault" });
                self.fill_in(&mut answer, "Entries", &no);
                let more = answer["FailedEntryCount"].as_u64().unwrap_or(0);
                answer["FailedEntryCount"] = json!(self.failed.len() as u64 + more);
            }
            "BatchExecuteStatement" => {
                let no = json!({ "Error": { "Code": "ThrottlingError", "Message": "a fault" } });
                self.fill_in(&mut answer, "Responses", &no);
            }
            "SendMessageBatch" => {
                let no = self.failed.iter().map(|(_, it)| {
                    json!({ "Id": it["Id"], "SenderFault": false, "Code": "InternalError", "Message": "a fault" })
                });
                let mut failed = answer["Failed"].as_array().cloned().unwrap_or_default();
                failed.extend(no);
                answer["Failed"] = failed.into();
                if answer["Successful"].is_null() {
                    answer["Successful"] = json!([]);
                }
            }
            action => {
                let name = if action == "BatchGetItem" { "UnprocessedKeys" } else { "UnprocessedItems" };
                let left: Vec<&Value> = self.failed.iter().map(|(_, it)| it).collect();
                let left = if action == "BatchGetItem" { json!({ "Keys": left }) } else { json!(left) };
                answer[name] = Map::from_iter([(self.table.clone(), left)]).into();
                if action == "BatchGetItem" && answer["Responses"].is_null() {
                    answer["Responses"] = json!({});
                }
            }
        }
        Some(answer.to_string())
    }

    /// The answers of those that were asked in their places, and a no in the others.
    fn fill_in(&self, answer: &mut Value, name: &str, no: &Value) {
        let asked = answer[name].as_array().cloned().unwrap_or_default();
        let mut asked = asked.into_iter();
        let places = (0..self.count).map(|at| match self.failed.iter().any(|(it, _)| *it == at) {
            true => no.clone(),
            false => asked.next().unwrap_or_default(),
        });
        answer[name] = places.collect::<Vec<Value>>().into();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_back_fails_in_its_place_and_the_rest_goes_on() {
        let body = br#"{"Entries":[{"Source":"a"},{"Source":"b"},{"Source":"c"}]}"#;
        let split = Split::of(&call("PutEvents"), body, 0).unwrap();
        assert_eq!(split.rest.as_deref(), Some(br#"{"Entries":[{"Source":"b"}]}"#.as_slice()));
        let said = split.answer(Some(br#"{"FailedEntryCount":0,"Entries":[{"EventId":"1"}]}"#)).unwrap();
        let said: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(said["FailedEntryCount"], 2);
        assert_eq!((&said["Entries"][1]["EventId"], said["Entries"][2].get("EventId")), (&json!("1"), None));
    }

    #[test]
    fn a_single_part_fails_in_every_other_turn() {
        let body = br#"{"QueueUrl":"q","Entries":[{"Id":"0"}]}"#;
        let first = Split::of(&call("SendMessageBatch"), body, 0).unwrap();
        assert!(first.rest.is_none());
        assert!(first.answer(None).unwrap().contains(r#""SenderFault":false"#));
        assert!(Split::of(&call("SendMessageBatch"), body, 1).unwrap().rest.is_some());
    }

    #[test]
    fn keys_and_items_come_back_as_not_processed() {
        let body = br#"{"RequestItems":{"t":{"Keys":[{"pk":{"S":"1"}},{"pk":{"S":"2"}}]}}}"#;
        let split = Split::of(&call("BatchGetItem"), body, 1).unwrap();
        let said: Value =
            serde_json::from_str(&split.answer(Some(br#"{"Responses":{"t":[]}}"#)).unwrap()).unwrap();
        assert_eq!(said["UnprocessedKeys"]["t"]["Keys"], json!([{ "pk": { "S": "2" } }]));
        assert!(Split::of(&call("GetItem"), b"{}", 0).is_none());
    }

    #[test]
    fn things_are_counted_wherever_a_call_has_them() {
        assert_eq!(count("SendMessageBatch", br#"{"Entries":[{},{}]}"#), 2);
        assert_eq!(count("BatchGetItem", br#"{"RequestItems":{"a":{"Keys":[{},{}]},"b":{"Keys":[{}]}}}"#), 3);
        assert_eq!(count("BatchWriteItem", br#"{"RequestItems":{"a":[{},{}]}}"#), 2);
        assert_eq!(count("PutItem", b"{}"), 1);
    }

    fn call(action: &str) -> Call {
        Call { service: "s".into(), action: action.into(), function: None }
    }
}
