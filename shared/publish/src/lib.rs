//! Putting events on the bus: the crate that producers depend on.
//!
//! ```no_run
//! # async fn example(config: &aws_types::SdkConfig) -> Result<(), Box<dyn std::error::Error>> {
//! use domain::event::Event;
//! use publish::{Bus, Entry};
//!
//! let bus = Bus::new(config, "carillon-dev".to_owned());
//! let event = Event::parse(r#"{"specversion":"1.0","id":"1","source":"shop","type":"order.placed",
//!     "time":"2026-11-20T09:30:00Z","data":{"userId":"u-1"}}"#)?;
//! for result in bus.put(&[Entry::of(&event)]).await {
//!     result?;
//! }
//! # Ok(())
//! # }
//! ```

mod order;
mod relay;

use std::time::Duration;

use aws::{Refused, Verdict};
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Builder;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use aws_types::SdkConfig;
use domain::Timestamp;
use domain::batches::{Batch, split};
use domain::event::Event;

pub use order::{InOrder, Put, Takes};
pub use relay::{Quarantine, Relay, Relayed, Row};
pub use store::{Appended, Conflict, NotAppended, Outbox, Stream};

/// EventBridge's limit for one `PutEvents` call.
const ENTRIES_PER_CALL: usize = 10;

/// EventBridge's limit for the entries of one call, in bytes.
///
/// Source: EventBridge User Guide, "Calculating event size".
const BYTES_PER_CALL: usize = 1024 * 1024;

/// How often entries that EventBridge could not take at once are offered.
const ROUNDS: u32 = 3;

/// The pause before entries are offered a second time; it doubles with every further one. Tests have no time for it.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 100 });

/// An event bus.
#[derive(Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

/// One event as EventBridge takes it.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    pub source: String,
    pub detail_type: String,
    /// One JSON object.
    pub detail: String,
    /// The time of an event whose detail names none; of its `PutEvents` call where it is left out. EventBridge keeps whole
    /// seconds.
    pub time: Option<Timestamp>,
}

impl Entry {
    /// A CloudEvent: the whole envelope is the detail, its type the detail type.
    #[must_use]
    pub fn of(event: &Event) -> Entry {
        let (source, detail_type) = (event.source.clone(), event.kind.clone());
        Entry { source, detail_type, detail: event.to_json(), time: None }
    }

    /// As EventBridge counts it: the strings, and 14 bytes for the time.
    fn bytes(&self) -> usize {
        14 + self.source.len() + self.detail_type.len() + self.detail.len()
    }
}

impl Bus {
    /// Offering again is this crate's business: it knows which entries EventBridge has taken. So the SDK's own retries
    /// are off, which would put an event without an id of its own on the bus a second time when an answer is lost.
    #[must_use]
    pub fn new(config: &SdkConfig, name: String) -> Bus {
        let config = Builder::from(config).retry_config(aws::never_again()).build();
        Bus { client: Client::from_conf(config), name }
    }

    /// For tests and for callers that have a client of their own.
    #[must_use]
    pub fn with_client(client: Client, name: String) -> Bus {
        Bus { client, name }
    }

    /// Puts all entries on the bus, ten and 1 MiB to a call. The answers are in the order of the entries: EventBridge's
    /// id, or why the entry is not known to be on the bus. Entries that EventBridge says it has not taken and may still take
    /// are offered up to three times, with a pause; [`Verdict::Unanswered`] is left to the caller, who knows whether
    /// a second one does harm.
    pub async fn put(&self, entries: &[Entry]) -> Vec<Result<String, Refused>> {
        let mut results = Vec::with_capacity(entries.len());
        for some in split(entries, ENTRIES_PER_CALL, BYTES_PER_CALL, Entry::bytes) {
            match some {
                Batch::TooLarge(bytes) => results.push(Err(too_large(bytes))),
                Batch::Fits(some) => {
                    let some: Vec<(&Entry, &[String])> = some.iter().map(|it| (it, [].as_slice())).collect();
                    results.extend(self.put_call(&some).await);
                }
            }
        }
        results
    }

    /// Each entry comes with its resources.
    async fn put_call(&self, entries: &[(&Entry, &[String])]) -> Vec<Result<String, Refused>> {
        let unanswered = || Err(refused(Verdict::Unanswered, "no answer for this entry".to_owned()));
        let mut results: Vec<Result<String, Refused>> = entries.iter().map(|_| unanswered()).collect();
        let mut open: Vec<usize> = (0..entries.len()).collect();
        for round in 0..ROUNDS {
            if round > 0 {
                tokio::time::sleep(PAUSE * (1 << (round - 1))).await;
            }
            let offered = open.iter().map(|&at| request(&self.name, entries[at])).collect();
            match self.client.put_events().set_entries(Some(offered)).send().await {
                Ok(answer) => {
                    for (&at, entry) in open.iter().zip(answer.entries()) {
                        results[at] = read(entry);
                    }
                }
                Err(error) => {
                    let verdict = aws::classify_call(&error);
                    let said = aws::chain(&error);
                    for &at in &open {
                        results[at] = Err(refused(verdict, said.clone()));
                    }
                }
            }
            open.retain(|&at| match &results[at] {
                Ok(_) => false,
                Err(error) => matches!(error.verdict, Verdict::Transient | Verdict::Throttled),
            });
            if open.is_empty() {
                break;
            }
        }
        results
    }
}

fn request(bus: &str, (entry, resources): (&Entry, &[String])) -> PutEventsRequestEntry {
    PutEventsRequestEntry::builder()
        .event_bus_name(bus)
        .set_resources((!resources.is_empty()).then(|| resources.to_vec()))
        .source(&entry.source)
        .detail_type(&entry.detail_type)
        .detail(&entry.detail)
        .set_time(entry.time.map(|time| DateTime::from_secs(time.as_second())))
        .build()
}

/// Source: EventBridge API reference, `PutEventsResultEntry`: only these two codes are worth another try.
fn read(entry: &PutEventsResultEntry) -> Result<String, Refused> {
    if let Some(id) = entry.event_id() {
        return Ok(id.to_owned());
    }
    let code = entry.error_code().unwrap_or("no code");
    let verdict = match code {
        "ThrottlingException" => Verdict::Throttled,
        "InternalFailure" | "InternalException" => Verdict::Transient,
        _ => Verdict::Permanent,
    };
    Err(refused(verdict, format!("{code}: {}", entry.error_message().unwrap_or_default())))
}

fn too_large(bytes: usize) -> Refused {
    refused(Verdict::Permanent, format!("{bytes} bytes, EventBridge takes {BYTES_PER_CALL}"))
}

fn refused(verdict: Verdict, said: String) -> Refused {
    Refused { doing: "put an event on the bus", verdict, source: said.into() }
}

#[cfg(test)]
mod tests;
