//! Publishes events to the bus. Producers depend on this crate.
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
use domain::base::batches::{Batch, split};
use domain::event::Event;

pub use order::{InOrder, PublishCalls, Put};
pub use relay::{Quarantine, Relay, RelayResult, Row};
pub use store::{AppendError, Appended, Conflict, Outbox, Stream};

/// The limit of EventBridge for one `PutEvents` call.
const ENTRIES_PER_CALL: usize = 10;

/// The limit of EventBridge for the entries of one call, in bytes.
///
/// Source: EventBridge User Guide, "Calculating event size".
const BYTES_PER_CALL: usize = 1024 * 1024;

/// How often entries are sent that EventBridge did not accept at first.
const ROUNDS: u32 = 3;

/// The pause before the second attempt. It doubles with every further attempt. Tests use a shorter one.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 100 });

/// An event bus.
#[derive(Clone)]
pub struct Bus {
    client: Client,
    name: String,
}

/// One event in the form of `PutEvents`.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    pub source: String,
    pub detail_type: String,
    /// A JSON object.
    pub detail: String,
    /// The event's time, used if its detail has none. Without it the time of the `PutEvents` call
    /// counts. EventBridge stores whole seconds.
    pub time: Option<Timestamp>,
}

impl Entry {
    /// The entry of a CloudEvent. Its envelope is the detail, its type the detail type.
    #[must_use]
    pub fn of(event: &Event) -> Entry {
        let (source, detail_type) = (event.source.clone(), event.kind.clone());
        Entry { source, detail_type, detail: event.to_json(), time: None }
    }

    /// The size by EventBridge's rules: the strings, and 14 bytes for the time.
    fn bytes(&self) -> usize {
        14 + self.source.len() + self.detail_type.len() + self.detail.len()
    }
}

impl Bus {
    /// Creates a bus. The SDK's retries are off, because this crate knows which entries EventBridge has
    /// accepted. An SDK retry after a lost answer would publish an event without an id twice.
    #[must_use]
    pub fn new(config: &SdkConfig, name: String) -> Bus {
        let config = Builder::from(config).retry_config(aws::no_retries()).build();
        Bus { client: Client::from_conf(config), name }
    }

    /// Creates a bus with an existing client, for tests and special callers.
    #[must_use]
    pub fn with_client(client: Client, name: String) -> Bus {
        Bus { client, name }
    }

    /// Publishes all entries, in calls of up to ten entries and 1 MiB. The results are in the order of
    /// the entries: EventBridge's id, or the error. Entries that EventBridge did not accept but may
    /// accept later are sent up to three times, with pauses. [`Verdict::Unanswered`] is left to the
    /// caller, who knows whether a repeat is harmful.
    pub async fn put(&self, entries: &[Entry]) -> Vec<Result<String, Refused>> {
        let mut results = Vec::with_capacity(entries.len());
        for some in split(entries, ENTRIES_PER_CALL, BYTES_PER_CALL, Entry::bytes) {
            match some {
                Batch::TooLarge(bytes) => results.push(Err(too_large(bytes))),
                Batch::Fits(some) => {
                    let some: Vec<(&Entry, &[String])> =
                        some.iter().map(|entry| (entry, [].as_slice())).collect();
                    results.extend(self.put_call(&some).await);
                }
            }
        }
        results
    }

    /// Sends one call. Each entry comes with its resources.
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

/// Reads the result of one entry. Only two error codes are retryable.
///
/// Source: EventBridge API reference, `PutEventsResultEntry`.
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
