//! `PutEvents`, in batches, with the answer read entry by entry.

use std::time::Duration;

use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::config::Builder;
use aws_sdk_eventbridge::primitives::DateTime;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use carillon_event::batches::{Batch, split};
use carillon_event::{Event, Timestamp};
use carillon_sdk_error::{CallError, Verdict, chain, classify_call};

/// The limit of EventBridge for one `PutEvents` call.
pub(crate) const ENTRIES_PER_CALL: usize = 10;

/// The limit of EventBridge for the entries of one call, in bytes.
///
/// Source: EventBridge User Guide, "Calculating event size".
pub(crate) const BYTES_PER_CALL: usize = 1024 * 1024;

/// How often entries are sent that EventBridge did not accept at first.
const ROUNDS: u32 = 3;

/// The pause before the second attempt. It doubles with every further attempt. Tests use a shorter one.
const PAUSE: Duration = Duration::from_millis(if cfg!(test) { 1 } else { 100 });

/// A client of one EventBridge bus.
#[derive(Clone)]
pub struct EventBridge {
    client: Client,
    name: String,
}

/// One event in the form of `PutEvents`.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// The producer. Carillon compares it with the `source` of the envelope.
    pub source: String,
    /// The type of the event. Carillon compares it with the `type` of the envelope.
    pub detail_type: String,
    /// A JSON object.
    pub detail: String,
    /// The event's time, used if its detail has none. Without it the time of the `PutEvents` call
    /// counts. EventBridge stores whole seconds.
    pub time: Option<Timestamp>,
    /// The `resources` of the EventBridge event.
    pub resources: Vec<String>,
}

impl Entry {
    /// The entry of a CloudEvent. Its envelope is the detail, its type the detail type.
    #[must_use]
    pub fn of(event: &Event) -> Entry {
        Entry::new(&event.source, &event.kind, event.to_json())
    }

    /// An entry with any JSON object as its detail, such as an envelope of another system.
    #[must_use]
    pub fn new(
        source: impl Into<String>,
        detail_type: impl Into<String>,
        detail: impl Into<String>,
    ) -> Entry {
        let (source, detail_type, detail) = (source.into(), detail_type.into(), detail.into());
        Entry { source, detail_type, detail, time: None, resources: Vec::new() }
    }

    /// The same entry with this time.
    #[must_use]
    pub fn with_time(self, time: Option<Timestamp>) -> Entry {
        Entry { time, ..self }
    }

    /// The same entry with these resources.
    #[must_use]
    pub fn with_resources(self, resources: Vec<String>) -> Entry {
        Entry { resources, ..self }
    }

    /// The size by EventBridge's rules: the strings, and 14 bytes for the time.
    pub(crate) fn bytes(&self) -> usize {
        let resources = self.resources.iter().map(String::len).sum::<usize>();
        14 + self.source.len() + self.detail_type.len() + self.detail.len() + resources
    }
}

impl EventBridge {
    /// Creates a client of the bus `name`. The SDK's retries are off, because this crate knows which entries EventBridge has
    /// accepted. An SDK retry after a lost answer would publish an event without an id twice.
    #[must_use]
    pub fn new(config: &SdkConfig, name: impl Into<String>) -> EventBridge {
        let config = Builder::from(config).retry_config(RetryConfig::disabled()).build();
        EventBridge::with_client(Client::from_conf(config), name)
    }

    /// Creates a bus with an existing client. Turn the retries of that client off.
    #[must_use]
    pub fn with_client(client: Client, name: impl Into<String>) -> EventBridge {
        EventBridge { client, name: name.into() }
    }

    /// Publishes all entries, in calls of up to ten entries and 1 MiB. The results are in the order of
    /// the entries: EventBridge's id, or the error. Entries that EventBridge did not accept but may
    /// accept later are sent up to three times, with pauses. [`Verdict::Unanswered`] is left to the
    /// caller, who knows whether a repeat is harmful.
    pub async fn put(&self, entries: &[Entry]) -> Vec<Result<String, CallError>> {
        let mut results = Vec::with_capacity(entries.len());
        for some in split(entries, ENTRIES_PER_CALL, BYTES_PER_CALL, Entry::bytes) {
            match some {
                Batch::TooLarge(bytes) => results.push(Err(too_large(bytes))),
                Batch::Fits(some) => {
                    let some: Vec<&Entry> = some.iter().collect();
                    results.extend(self.put_entries(&some).await);
                }
            }
        }
        results
    }

    /// Sends one call of up to ten entries.
    pub(crate) async fn put_entries(&self, entries: &[&Entry]) -> Vec<Result<String, CallError>> {
        let unanswered = || Err(refused(Verdict::Unanswered, "no answer for this entry".to_owned()));
        let mut results: Vec<Result<String, CallError>> = entries.iter().map(|_| unanswered()).collect();
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
                    let verdict = classify_call(&error);
                    let said = chain(&error);
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

fn request(bus: &str, entry: &Entry) -> PutEventsRequestEntry {
    PutEventsRequestEntry::builder()
        .event_bus_name(bus)
        .set_resources(Some(entry.resources.clone()).filter(|resources| !resources.is_empty()))
        .source(&entry.source)
        .detail_type(&entry.detail_type)
        .detail(&entry.detail)
        .set_time(entry.time.map(|time| DateTime::from_secs(time.as_second())))
        .build()
}

/// Reads the result of one entry. Only two error codes are retryable.
///
/// Source: EventBridge API reference, `PutEventsResultEntry`.
fn read(entry: &PutEventsResultEntry) -> Result<String, CallError> {
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

pub(crate) fn too_large(bytes: usize) -> CallError {
    refused(Verdict::Permanent, format!("{bytes} bytes, EventBridge takes {BYTES_PER_CALL}"))
}

fn refused(verdict: Verdict, said: String) -> CallError {
    CallError { doing: "put an event on the bus", verdict, source: said.into() }
}

#[cfg(test)]
mod tests;
