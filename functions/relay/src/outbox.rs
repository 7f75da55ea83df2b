//! Changes of the events table: what producers put into the outbox goes on the bus.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use domain::Timestamp;
use domain::outbox_mark::MarkKey;
use publish::{Relay, Relayed, Row};
use queue::{Outgoing, Queue};
use runtime::{Deadline, chain, now};
use store::{Pending, Place};

use crate::intake::Change;

/// The longest that one invocation goes on offering: a shard waits no longer for what the bus does not take.
const PATIENCE: Duration = Duration::from_secs(15);

/// How many rows are remembered as published although their invocation failed.
const MAX_REMEMBERED: usize = 1_000;

/// The outbox's way to the bus.
pub(crate) struct OutboxRelay {
    relay: Relay,
    critical: Queue,
    critical_types: Vec<String>,
    marks: MarkKey,
    /// What was published by an invocation that failed for the sake of others: its records come again, to this process
    /// most of the time.
    published: RefCell<BTreeSet<Place>>,
}

/// What was done, and how much of it must come again.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) published: usize,
    pub(crate) set_aside: usize,
    pub(crate) again: usize,
}

impl OutboxRelay {
    pub(crate) fn new(
        relay: Relay,
        critical: Queue,
        critical_types: Vec<String>,
        marks: MarkKey,
    ) -> OutboxRelay {
        OutboxRelay { relay, critical, critical_types, marks, published: RefCell::default() }
    }

    /// Publishes what is new and pending among the changes. The caller fails its invocation if some must come again.
    pub(crate) async fn publish(&self, changes: Vec<Change>, deadline: Deadline) -> Counts {
        let rows = self.rows(changes);
        if rows.is_empty() {
            return Counts::default();
        }
        let began = now();
        self.hurry(&rows).await;
        let relayed = self.relay.publish(&rows, began, || has_time(began, deadline)).await;
        let mut counts = Counts::default();
        let mut published = Vec::new();
        for (row, relayed) in rows.iter().zip(relayed) {
            match relayed {
                Relayed::Published => {
                    counts.published += 1;
                    published.push(row.place().clone());
                }
                Relayed::SetAside(cause) => {
                    counts.set_aside += 1;
                    tracing::error!(
                        row.pk = row.place().pk,
                        row.sk = row.place().sk,
                        cause,
                        "an event is set aside"
                    );
                }
                Relayed::Again(cause) => {
                    counts.again += 1;
                    tracing::warn!(
                        row.pk = row.place().pk,
                        row.sk = row.place().sk,
                        cause,
                        "not published yet"
                    );
                }
            }
        }
        let mut remembered = self.published.borrow_mut();
        if counts.again == 0 || remembered.len() > MAX_REMEMBERED {
            remembered.clear();
        }
        if counts.again > 0 {
            remembered.extend(published);
        }
        counts
    }

    fn rows(&self, changes: Vec<Change>) -> Vec<Row> {
        let published = self.published.borrow();
        let pending = changes
            .into_iter()
            .filter(|change| change.name == "INSERT")
            .filter_map(|change| Pending::read(&change.images.new?));
        pending
            .filter(|pending| !published.contains(&pending.place))
            .map(|pending| Row::read(pending, &self.marks))
            .collect()
    }

    /// Sends what is critical straight to dispatch. The bus brings it too, so a failure here delays nothing.
    async fn hurry(&self, rows: &[Row]) {
        let critical =
            rows.iter().filter_map(|row| row.critical(&self.critical_types, self.relay.producers()));
        let messages: Vec<Outgoing> =
            critical.map(|body| Outgoing { body, tenant: None, delay: Duration::ZERO }).collect();
        if messages.is_empty() {
            return;
        }
        for refused in self.critical.send(&messages).await.into_iter().filter_map(Result::err) {
            tracing::warn!(error = chain(&refused), "a critical event goes by the bus alone");
        }
    }
}

fn has_time(began: Timestamp, deadline: Deadline) -> bool {
    let now = now();
    let spent = Duration::try_from(now.duration_since(began)).unwrap_or(Duration::ZERO);
    spent < PATIENCE && !deadline.left(now).is_zero()
}
