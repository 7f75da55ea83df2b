//! Publishes new outbox entries from changes of the events table.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use domain::Timestamp;
use domain::event::outbox_mark::MarkKey;
use outbox_relay::{Relay, RelayResult, Row};
use queue::{Outgoing, Queue};
use runtime::{Deadline, chain, now};
use store::{Pending, Place};

use crate::intake::Change;

/// How long one invocation keeps trying. A shard waits no longer for events that the bus does not
/// accept.
const PATIENCE: Duration = Duration::from_secs(15);

/// The number of published rows that are remembered after a failed invocation.
const MAX_REMEMBERED: usize = 1_000;

/// The publisher of outbox entries.
pub(crate) struct OutboxRelay {
    relay: Relay,
    critical: Queue,
    critical_types: Vec<String>,
    marks: MarkKey,
    /// Rows published by an invocation that failed because of others. Their records are retried, usually
    /// by this process.
    published: RefCell<BTreeSet<Place>>,
}

/// The number of published rows and of rows to retry.
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

    /// Publishes the new pending rows among the changes. The caller fails its invocation if rows must be
    /// retried.
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
                RelayResult::Published => {
                    counts.published += 1;
                    published.push(row.place().clone());
                }
                RelayResult::SetAside(cause) => {
                    counts.set_aside += 1;
                    tracing::error!(
                        code = "OUTBOX_EVENT_FAILED",
                        row.pk = row.place().pk,
                        row.sk = row.place().sk,
                        cause,
                        "outbox entry marked as failed: the bus refuses its event"
                    );
                }
                RelayResult::Again(cause) => {
                    counts.again += 1;
                    tracing::warn!(
                        code = "OUTBOX_RETRY",
                        row.pk = row.place().pk,
                        row.sk = row.place().sk,
                        cause,
                        "outbox entry stays pending: its event was not published"
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

    /// Sends critical events directly to dispatch. They also arrive by the bus, so a failure here delays
    /// no event.
    async fn hurry(&self, rows: &[Row]) {
        let critical =
            rows.iter().filter_map(|row| row.critical(&self.critical_types, self.relay.producers()));
        let messages: Vec<Outgoing> = critical
            .map(|body| Outgoing { body: body.into(), tenant: None, delay: Duration::ZERO })
            .collect();
        if messages.is_empty() {
            return;
        }
        for refused in self.critical.send(&messages).await.into_iter().filter_map(Result::err) {
            tracing::warn!(
                code = "RELAY_FAST_LANE_FAILED",
                error = chain(&refused),
                "critical event not sent to the critical queue: dispatch receives it from the bus only"
            );
        }
    }
}

fn has_time(began: Timestamp, deadline: Deadline) -> bool {
    let now = now();
    let spent = Duration::try_from(now.duration_since(began)).unwrap_or(Duration::ZERO);
    spent < PATIENCE && !deadline.left(now).is_zero()
}
