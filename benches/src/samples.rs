//! Input of the functions: the sample events as SQS batches from the bus, and the jobs that dispatch created from them.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde_json::{Value, json};

/// Messages of one invocation, as in the template.
pub(crate) const BATCH: usize = 10;

/// Records of one stream invocation, as in the template.
pub(crate) const RECORDS: usize = 100;

/// Event time so far ahead that no sample expires.
pub(crate) const TIME: &str = "2099-11-20T12:00:00Z";

/// Client of `events/lambda/gateway.json`.
const CONNECTION: &str = "VK1nKeWHliACFIw=";

/// Event types that the rules of benches/powertools/config match.
const PLAIN_KINDS: [&str; 14] = [
    "appointment.booked",
    "appointment.moved",
    "appointment.cancelled",
    "invoice.ready",
    "invoice.overdue",
    "payment.failed",
    "payment.received",
    "prescription.ready",
    "queue.moved",
    "report.ready",
    "task.assigned",
    "task.completed",
    "task.overdue",
    "video.invited",
];

/// The sample events as EventBridge sends them to a queue.
pub(crate) struct Samples {
    /// Ordered by path.
    bodies: Vec<String>,
    gateway: String,
    api: String,
}

impl Samples {
    /// Reads `packs/<pack>/events/<type>.json` and the payloads in `events/lambda`.
    ///
    /// # Errors
    /// A sample cannot be read.
    pub(crate) fn read(packs: &Path, events: &Path) -> io::Result<Samples> {
        let mut paths = Vec::new();
        for pack in entries(packs)? {
            let folder = pack.join("events");
            if folder.is_dir() {
                paths.extend(entries(&folder)?);
            }
        }
        let bodies =
            paths.iter().map(|path| Ok(bus_event(serde_json::from_str(&fs::read_to_string(path)?)?)));
        Ok(Samples {
            bodies: bodies.collect::<io::Result<_>>()?,
            gateway: fs::read_to_string(events.join("lambda/gateway.json"))?,
            api: fs::read_to_string(events.join("lambda/api.json"))?,
        })
    }

    /// Number of samples. This many batches contain each of them equally often.
    pub(crate) fn count(&self) -> usize {
        self.bodies.len()
    }

    /// `count` batches of events that have recipients.
    pub(crate) fn batches(&self, count: usize) -> Vec<String> {
        batches(&self.bodies, count)
    }

    /// `count` batches of an event that matches no rule.
    pub(crate) fn unasked(count: usize) -> Vec<String> {
        let event = json!({ "specversion": "1.0", "id": "62f746b4", "source": "/bench", "type": "bench.unasked",
            "time": TIME, "subject": "bench/1", "datacontenttype": "application/json", "tenant": "team-harbour",
            "data": { "to": ["owner-sam"], "message": "Nobody asked for this one." } });
        batches(&[bus_event(event)], count)
    }

    /// `count` batches of plain events: each is of one of the 14 types of benches/powertools/config and concerns one of
    /// `people`.
    pub(crate) fn plain(people: &[&str], count: usize) -> Vec<String> {
        let bodies: Vec<String> = (0..PLAIN_KINDS.len() * people.len())
            .map(|at| {
                let (kind, who) = (PLAIN_KINDS[at % PLAIN_KINDS.len()], people[at % people.len()]);
                bus_event(json!({ "specversion": "1.0", "id": format!("62f746b4-84e6-4ceb-95bd-{at:012}"),
                    "source": "/bench", "type": format!("bench.{kind}"), "time": TIME, "subject": format!("{kind}/{at}"),
                    "tenant": "clinic-westend", "datacontenttype": "application/json",
                    "data": { "to": [who], "title": "A word from the house",
                        "message": "What was planned for Tuesday at ten is on Wednesday at eleven instead." } }))
            })
            .collect();
        batches(&bodies, count)
    }

    /// `count` batches of changes of unknown people.
    pub(crate) fn people(count: usize) -> Vec<String> {
        let bodies: Vec<String> = (0..BATCH).map(|at| person(&format!("bench-{at}"))).collect();
        batches(&bodies, count)
    }

    /// `count` API requests of a program.
    pub(crate) fn questions(&self, count: usize) -> Vec<String> {
        vec![self.api.clone(); count]
    }

    /// `count` requests, each of a WebSocket client of its own because of the limit per client.
    pub(crate) fn requests(&self, count: usize) -> Vec<String> {
        self.requests_named(CONNECTION, count)
    }

    /// The same from clients with this name prefix.
    pub(crate) fn requests_named(&self, name: &str, count: usize) -> Vec<String> {
        let of = |number: usize| self.gateway.replace(CONNECTION, &format!("{name}{number}"));
        (0..count).map(of).collect()
    }
}

/// `count` invocations by the events table's stream, each with a hundred new events of a hundred aggregates.
pub(crate) fn outbox(count: usize) -> Vec<String> {
    let batch = |at: usize| records(&(0..RECORDS).map(|n| format!("{at}-{n}")).collect::<Vec<_>>());
    (0..count).map(batch).collect()
}

/// `count` scheduled invocations.
pub(crate) fn ticks(count: usize) -> Vec<String> {
    let tick = json!({ "version": "0", "id": "53dc4d37-cffa-4f76-80c9-8b7d4a4d2eaa", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "000000000000", "time": TIME, "region": "eu-central-1", "resources": [], "detail": {} });
    vec![tick.to_string(); count]
}

/// New outbox entries with these ids, as a stream delivers them.
pub(crate) fn records(ids: &[String]) -> String {
    let record = |id: &String| {
        let event = json!({
            "specversion": "1.0", "id": id, "source": "shop", "type": "order.paid", "time": TIME, "subject": format!("order/{id}"),
            "tenant": "t-1", "correlationid": "story-1", "sequence": "1",
            "data": { "orderId": id, "customerId": "ann", "total": 12.5, "lines": [{ "sku": "bell", "count": 2 }] },
        });
        let text = |item: &str| json!({ "S": item });
        json!({
            "eventID": id, "eventName": "INSERT", "eventSource": "aws:dynamodb", "eventVersion": "1.1",
            "eventSourceARN": "arn:aws:dynamodb:eu-central-1:000000000000:table/carillon-bench-events/stream/2099-11-20T00:00:00.000",
            "dynamodb": {
                "SequenceNumber": "1", "SizeBytes": 900, "StreamViewType": "NEW_IMAGE",
                "NewImage": {
                    "pk": text(&format!("stream#t-1#order/{id}")), "sk": text("version#00000000000000000001"),
                    "id": text(id), "source": text("shop"), "type": text("order.paid"), "time": text(TIME),
                    "subject": text(&format!("order/{id}")), "tenant": text("t-1"), "correlation_id": text("story-1"),
                    "version": { "N": "1" }, "digest": text("sha256:0"), "pending": text("3"), "appended_at": text(TIME),
                    "event": text(&event.to_string()),
                },
            },
        })
    };
    json!({ "Records": ids.iter().map(record).collect::<Vec<_>>() }).to_string()
}

/// `count` SQS batches whose messages carry these bodies in turn. Empty when there are no bodies.
pub(crate) fn batches(bodies: &[String], count: usize) -> Vec<String> {
    let mut turn = bodies.iter().cycle().enumerate();
    let all = (0..count).map(|_| turn.by_ref().take(BATCH).map(|(at, body)| message(at, body)).collect());
    let full = |value: &Vec<Value>| !value.is_empty();
    all.filter(full).map(|all| json!({ "Records": all }).to_string()).collect()
}

/// `count` batches of these jobs in turn. Each has a key of its own, because a channel sends a key once.
pub(crate) fn jobs(bodies: &[String], count: usize) -> Vec<String> {
    let turn = bodies.iter().cycle().take(if bodies.is_empty() { 0 } else { count * BATCH });
    let keyed = turn.enumerate().map(|(at, body)| {
        let mut job: Value = serde_json::from_str(body).unwrap_or_default();
        job["key"] = format!("{at:A<43}").into();
        job.to_string()
    });
    batches(&keyed.collect::<Vec<_>>(), count)
}

fn message(at: usize, body: &str) -> Value {
    json!({
        "messageId": format!("d0d95517-c09a-4c26-992d-{at:012}"),
        "receiptHandle": "AQEBad79c8a4a7c987177422ee984adcacd517d557c303796ba0004383e5e65c",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": "1795173900085",
            "SenderId": "AIDAJXNJGGKNS7OSV23OI",
            "ApproximateFirstReceiveTimestamp": "1795173900097",
        },
        "messageAttributes": {},
        "md5OfBody": "e89e7352a58af86b575522dc53831fa4",
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-central-1:000000000000:carillon-bench",
        "awsRegion": "eu-central-1",
    })
}

/// A change of a person as a rule sends it. Its time is not in the future, which would be refused.
fn person(id: &str) -> String {
    let kind = "carillon.recipient.updated";
    let event = json!({ "specversion": "1.0", "id": id, "source": "/bench", "type": kind,
        "time": "2026-01-01T00:00:00Z", "data": { "id": id, "name": "Ann", "topics": ["project:42"] } });
    json!({ "version": "0", "id": id, "detail-type": kind, "source": "/bench", "account": "000000000000",
        "time": "2026-01-01T00:00:00Z", "region": "eu-central-1", "resources": [], "detail": event })
    .to_string()
}

/// A sample, which is an event or a whole bus entry, as a rule sends it.
fn bus_event(mut sample: Value) -> String {
    let whole = sample.get("detail-type").is_some();
    let mut detail = if whole { sample["detail"].take() } else { sample.clone() };
    for name in ["time", "timestamp"] {
        if let Some(item) = detail.get_mut(name) {
            *item = TIME.into();
        }
    }
    let kind = if whole { &sample["detail-type"] } else { member(&detail, ["type", "eventType"]) };
    json!({
        "version": "0",
        "id": "375277c6-6c54-41f1-8059-13eef2ecb7d9",
        "detail-type": kind,
        "source": sample["source"],
        "account": "000000000000",
        "time": TIME,
        "region": "eu-central-1",
        "resources": [],
        "detail": detail,
    })
    .to_string()
}

fn member<'a>(object: &'a Value, names: [&str; 2]) -> &'a Value {
    names.iter().find_map(|name| object.get(name)).unwrap_or(&Value::Null)
}

/// Entries of a folder, ordered by name.
pub(crate) fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = fs::read_dir(folder)?.map(|dir| Ok(dir?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_batch_is_full_and_continues_after_the_previous_one() {
        let bodies = ["a", "b", "c"].map(str::to_owned);
        let second: Value = serde_json::from_str(&batches(&bodies, 2)[1]).unwrap();
        let records = second["Records"].as_array().unwrap();
        assert_eq!(records.len(), BATCH);
        assert_eq!(records[0]["body"], "b", "the eleventh message");
        assert!(batches(&[], 3).is_empty());
    }

    #[test]
    fn jobs_have_distinct_keys() {
        let payloads = jobs(&[json!({ "key": "k" }).to_string()], 2);
        let keys = payloads.iter().flat_map(|payload| {
            let batch: Value = serde_json::from_str(payload).unwrap();
            batch["Records"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["body"].to_string())
                .collect::<Vec<_>>()
        });
        assert_eq!(keys.collect::<std::collections::BTreeSet<_>>().len(), 2 * BATCH);
        assert!(jobs(&[], 2).is_empty());
    }

    #[test]
    fn sample_with_its_own_bus_entry_keeps_it() {
        let wrapped =
            json!({ "source": "s", "detail-type": "t", "detail": { "timestamp": "2026-01-01T00:00:00Z" } });
        for sample in [wrapped, json!({ "source": "s", "type": "t", "timestamp": "2026-01-01T00:00:00Z" })] {
            let event: Value = serde_json::from_str(&bus_event(sample)).unwrap();
            assert_eq!((&event["source"], &event["detail-type"]), (&"s".into(), &"t".into()));
            assert_eq!(event["detail"]["timestamp"], TIME);
        }
    }
}
