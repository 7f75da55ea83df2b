//! The DynamoDB tables: their keys, their items, and the conditions of their writes.
//!
//! No other crate names a key, an attribute or a condition. ARCHITECTURE.md lists the access patterns.

#[cfg(test)]
mod canned;
mod connections;
mod counters;
mod endpoints;
mod events;
#[cfg(test)]
mod golden;
mod inbox;
mod item;
mod ledger;
mod lookup;
mod outbox;
mod pause;
mod people;
mod recovery;
mod statements;
mod transactions;
mod writes;

pub use aws_sdk_dynamodb::Client;
pub use aws_sdk_dynamodb::types::{CancellationReason, TransactWriteItem};
pub use connections::{Connection, Connections, Identity, MAX_SESSION, RedeemedTicket, SignOut, Ticket};
pub use counters::{Closed, Counters, DigestArrival, Kept, Once, RequestClaim, Taken, UsedLink, WriteResult};
pub use endpoints::{
    Attempt, AttemptPage, EndpointPage, Endpoints, Message, MessageState, NewHeaders, Registered, Sending,
    Undelivered,
};
pub use events::{
    AppendedRecord, Claim, EventPage, EventPlace, Events, Leaves, MAX_PAGE, MAX_SNAPSHOT_BYTES, Record,
    RecordedEvent, RefusedEvent, Snapshot, SnapshotError, StreamPage, Timeline, Versioned, Way,
};
pub use inbox::{Inbox, InboxPage, Marked, MarkedAll, Missed, StoredEntry, mark, mark_all};
pub use item::{Item, Malformed};
pub use ledger::{
    ClaimDecision, ClaimStatus, Ledger, LedgerPage, LedgerRow, MAX_RECEIVED, Noticed, Received, ReceivedPage,
    RecipientCursor, Settlement, StoredReceipts, Times, claimed, evaluate_claim, recorded, stands_since,
};
pub use outbox::{Backlog, Pending, Place, RowMismatch, Stream, Waiting};
pub use people::{ChangeResult, EditError, Found, MAX_PER_ADDRESS, NotApplied, Page, People};
pub use recovery::{Recovery, RecoveryPart, RecoveryPlace};

/// Builds the client that all tables of a process share. Building one takes a fifth of a function's start-up time,
/// so build only one.
#[must_use]
pub fn client(config: &aws_types::SdkConfig) -> Client {
    Client::new(config)
}

/// All items of a table, for manual inspection. Reads and pays for the whole table.
///
/// # Errors
/// The table could not be read.
pub async fn scan(config: &aws_types::SdkConfig, table: &str) -> Result<Vec<Item>, aws::CallError> {
    lookup::scan(&client(config), table).await
}

/// A time in DynamoDB's unit for expiry: whole seconds since 1970.
pub(crate) fn seconds(time: domain::Timestamp) -> i64 {
    time.as_second()
}
