//! Publishes events to an EventBridge bus of Carillon, and writes them into DynamoDB transactions.
//!
//! [`EventBridge::put`] publishes events in calls of up to ten entries and reads the answer entry by entry.
//! [`PublishCalls::put_in_order`] publishes the events of each aggregate one after the other. With the feature
//! `outbox`, `Outbox::append` adds events to the producer's own DynamoDB transaction, and Carillon publishes them.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use carillon_publish::{Entry, Event, EventBridge, Timestamp};
//!
//! let config = aws_config::load_defaults(aws_config::BehaviorVersion::latest()).await;
//! let bus = EventBridge::new(&config, "carillon-prod");
//! let now: Timestamp = std::time::SystemTime::now().try_into()?;
//! let data = serde_json::json!({ "userId": "u-1", "orderId": "o-1" });
//! let event = Event::new("shop", "order.placed", "o-1/placed".to_owned(), now, &data);
//! for result in bus.put(&[Entry::of(&event)]).await {
//!     println!("on the bus as {}", result?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! **Ids.** Source and id identify an event. An event that is published twice under one id leads to one notification,
//! so a producer makes the id before its first attempt and keeps it.

#![deny(missing_docs)]

/// The examples of the README are compiled with the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

mod event_bridge;
mod order;
#[cfg(feature = "outbox")]
mod outbox;

pub use carillon_event::outbox::{NotInStream, Stream};
pub use carillon_event::{Event, Extension, MAX_EVENT_BYTES, Priority, Refusal, Sequence, Timestamp};
pub use carillon_sdk_error::{CallError, Verdict, chain};
pub use event_bridge::{Entry, EventBridge};
pub use order::{InOrder, PublishCalls, Put};
#[cfg(feature = "outbox")]
pub use outbox::{AppendError, Appended, Conflict, Outbox};
