//! Events of one aggregate, by their versions: forward, backward, and from a snapshot.
//!
//! A stream holds the events that were appended through the outbox. Its order is that of the versions, 1, 2, 3, …
//! without a gap. Reads are consistent and show every append that succeeded before they began, pending or not.

use aws::CallError;
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use carillon_event::outbox::{HEAD, version_position};
use domain::Timestamp;
use domain::base::sensitive::Sensitive;
use domain::event::Event;

use super::Events;
use super::reading::stored;
use crate::item::Item;
use crate::lookup;
use crate::outbox::Stream;

/// The sort key of a stream's snapshot.
const SNAPSHOT: &str = "snapshot";

/// The largest state of a snapshot, in bytes. An item holds 400 KB.
pub const MAX_SNAPSHOT_BYTES: usize = 380 * 1024;

/// The largest page, in events.
pub const MAX_PAGE: u32 = 500;

/// The direction in which a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// From an older version to newer ones.
    Forward,
    /// From a newer version to older ones.
    Back,
}

/// An event in its stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Versioned {
    pub version: u64,
    pub event: Event,
    /// The audit has not seen the event on the bus yet, or the bus refused it.
    pub is_pending: bool,
}

/// A page of a stream's events, in the requested order.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamPage {
    pub events: Vec<Versioned>,
    /// The version that the next page begins with. `None` at the end.
    pub next: Option<u64>,
}

/// The state of an aggregate at one of its versions: a shortcut for readers that the events can always replace.
#[derive(Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub version: u64,
    /// The state in the reader's own format.
    pub state: Sensitive<String>,
}

/// The reason why a snapshot was not kept.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error(
        "the state has {found} bytes, a snapshot keeps {MAX_SNAPSHOT_BYTES}; put it into S3 and keep its address"
    )]
    TooLarge { found: usize },
    #[error("a snapshot of version {there} is there already; this one is of {found}, so leave it")]
    Older { there: u64, found: u64 },
    #[error(transparent)]
    Refused(#[from] CallError),
}

impl Events {
    /// Events of a stream from version `from` on, inclusive: at most `limit`, and at most [`MAX_PAGE`].
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn of_stream(
        &self,
        stream: &Stream,
        from: u64,
        way: Way,
        limit: u32,
    ) -> Result<StreamPage, CallError> {
        let (low, high) = match way {
            Way::Forward => (from, u64::MAX),
            Way::Back => (0, from),
        };
        let limit = limit.clamp(1, MAX_PAGE);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("pk = :pk AND sk BETWEEN :low AND :high")
            .expression_attribute_values(":pk", AttributeValue::S(stream.partition()))
            .expression_attribute_values(":low", AttributeValue::S(version_position(low)))
            .expression_attribute_values(":high", AttributeValue::S(version_position(high)))
            .consistent_read(true)
            .scan_index_forward(way == Way::Forward)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .send()
            .await
            .map_err(|error| CallError::new("read a stream", error))?;
        let more = answer.last_evaluated_key.is_some();
        let events: Vec<Versioned> = answer
            .items
            .unwrap_or_default()
            .into_iter()
            .filter_map(|item| versioned(&Item::from(item)))
            .collect();
        let next = events.last().filter(|_| more).and_then(|event| match way {
            Way::Forward => event.version.checked_add(1),
            Way::Back => event.version.checked_sub(1).filter(|difference| *difference > 0),
        });
        Ok(StreamPage { events, next })
    }

    /// The current version of a stream, 0 for a new one. The next append expects this version.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn version(&self, stream: &Stream) -> Result<u64, CallError> {
        let head = lookup::get(&self.client, &self.table, row(stream, HEAD)).await?;
        Ok(head.as_ref().map_or(0, version_of))
    }

    /// The snapshot of a stream, if there is one. Continue reading at the version after it.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn snapshot(&self, stream: &Stream) -> Result<Option<Snapshot>, CallError> {
        let found = lookup::get(&self.client, &self.table, row(stream, SNAPSHOT)).await?;
        Ok(found.map(|found| Snapshot {
            version: version_of(&found),
            state: found.get("state").unwrap_or_default().into(),
        }))
    }

    /// Stores a snapshot in place of an older one.
    ///
    /// # Errors
    /// [`SnapshotError`]: the state is too large, a newer snapshot exists, or the table could not be written.
    pub async fn keep_snapshot(
        &self,
        stream: &Stream,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<(), SnapshotError> {
        if snapshot.state.expose().len() > MAX_SNAPSHOT_BYTES {
            return Err(SnapshotError::TooLarge { found: snapshot.state.expose().len() });
        }
        let version = i64::try_from(snapshot.version).unwrap_or(i64::MAX);
        let item = row(stream, SNAPSHOT)
            .number("version", version)
            .text("state", snapshot.state.expose())
            .text("kept_at", now.to_string());
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item.into_map()))
            .condition_expression("attribute_not_exists(pk) OR #version < :version")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":version", AttributeValue::N(version.to_string()))
            .send()
            .await;
        let Err(error) = put else { return Ok(()) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(_)) => {
                let there = self.snapshot(stream).await?.map_or(0, |snapshot| snapshot.version);
                Err(SnapshotError::Older { there, found: snapshot.version })
            }
            Some(_) | None => Err(CallError::new("keep a snapshot", error).into()),
        }
    }
}

fn row(stream: &Stream, sk: &str) -> Item {
    Item::default().text("pk", stream.partition()).text("sk", sk)
}

fn version_of(item: &Item) -> u64 {
    item.get_number("version").and_then(|number| u64::try_from(number).ok()).unwrap_or(0)
}

fn versioned(item: &Item) -> Option<Versioned> {
    let event = stored(item, item.get("event")?).ok()?;
    Some(Versioned { version: version_of(item), event, is_pending: item.get("pending").is_some() })
}
