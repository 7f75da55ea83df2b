//! Publishes outcomes of notifications from changes of the ledger.

use std::collections::BTreeSet;

use aws::{CallError, Verdict};
use domain::base::outcome::Status;
use domain::event::Event;
use domain::feedback::delivery_events::{Set, communication, delivery};
use publish::{Entry, EventBridge, InOrder, PublishCalls as _, Put};
use queue::{Cause, MessageHistory, Queue};
use runtime::{Deadline, chain, now};
use store::{Item, Ledger, LedgerRow, stands_since};

use crate::intake::Change;

/// The publisher of delivery events.
pub(crate) struct DeliveryEventRelay {
    pub(crate) bus: EventBridge,
    pub(crate) ledger: Ledger,
    pub(crate) dead_letters: Queue,
}

/// The number of published events and of events to retry.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) delivery_state: usize,
    pub(crate) again: usize,
}

impl DeliveryEventRelay {
    /// Publishes an event for each changed status, and one for each communication that is now complete.
    ///
    /// # Errors
    /// The ledger was not read for the rest of a communication. All records must be retried.
    pub(crate) async fn tell(&self, changes: &[Change], deadline: Deadline) -> Result<Counts, CallError> {
        let mut news: Vec<InOrder> = Vec::new();
        let mut complete: BTreeSet<(String, String)> = BTreeSet::new();
        for change in changes {
            let Some((row, event)) = change_of(change) else { continue };
            news.extend(event.map(|event| in_order(row.key.as_str(), &event)));
            if let Some(set) = finished_set(change, &row) {
                complete.insert((row.key.parts().0.to_owned(), set.id));
            }
        }
        for (event_part, set) in complete {
            let rows = self.ledger.of_set(&event_part, &set).await?;
            // The rows of suppressed notifications differ. The row without later steps has the final
            // count.
            let sets = rows.iter().filter_map(|(row, _)| row.set.clone());
            let Some(set) = sets.min_by_key(|set| set.of) else { continue };
            let delivery_state: Vec<_> = rows.iter().map(|(row, at)| row.delivery_state(*at)).collect();
            news.extend(
                communication(&set, &delivery_state)
                    .map(|communication| in_order(&event_part, &communication)),
            );
        }
        let puts = self.bus.put_in_order(&news, || !deadline.left(now()).is_zero()).await;
        let mut counts = Counts::default();
        for (event, put) in news.iter().zip(puts) {
            match put {
                Put::Done(_) => counts.delivery_state += 1,
                Put::Never(refused) => counts.again += usize::from(!self.dead_letter(event, &refused).await),
                Put::NotYet(refused) => {
                    counts.again += 1;
                    tracing::warn!(
                        code = "RELAY_OUTCOME_RETRY",
                        error = chain(&refused),
                        "stream records returned: the delivery event was not published"
                    );
                }
                Put::Held => counts.again += 1,
            }
        }
        Ok(counts)
    }

    async fn dead_letter(&self, event: &InOrder, refused: &CallError) -> bool {
        let detail = chain(refused);
        tracing::error!(
            code = "RELAY_OUTCOME_REFUSED",
            detail,
            kind = event.entry.detail_type,
            "delivery event moves to the dead-letter queue: the bus refuses it"
        );
        let cause = Cause { class: "refused", detail, by: "relay" };
        let dead_lettered =
            self.dead_letters.dead_letter(&event.entry.detail, None, &cause, MessageHistory::default()).await;
        dead_lettered
            .inspect_err(|refused| {
                tracing::error!(
                    code = "RELAY_OUTCOME_RETRY",
                    error = chain(refused),
                    "stream records returned: the dead-letter queue did not accept the delivery event"
                );
            })
            .is_ok()
    }
}

fn in_order(aggregate: &str, event: &Event) -> InOrder {
    InOrder::new(Some(aggregate.to_owned()), Entry::of(event))
}

/// The current row and its event, if the status has changed. Some changes have no event.
fn change_of(change: &Change) -> Option<(LedgerRow, Option<Event>)> {
    let new = change.images.new.as_ref()?;
    let before = change.images.old.as_ref().and_then(status_of);
    if status_of(new) == before {
        return None;
    }
    let Some(row) = LedgerRow::read(new) else {
        // Another release or a foreign program wrote the row.
        tracing::warn!(
            code = "RELAY_LEDGER_ROW_UNREADABLE",
            row.pk = new.get("pk"),
            row.sk = new.get("sk"),
            "ledger row skipped: its attributes cannot be read, no delivery event is published"
        );
        return None;
    };
    let event = stands_since(new).and_then(|at| delivery(&row.delivery_state(at)));
    Some((row, event))
}

/// The communication that may be complete now, because the row was open until this change.
fn finished_set(change: &Change, row: &LedgerRow) -> Option<Set> {
    let was_under_way =
        change.images.old.as_ref().and_then(status_of).is_none_or(|status| !status.is_final());
    row.set.clone().filter(|_| was_under_way && row.status.is_final())
}

fn status_of(item: &Item) -> Option<Status> {
    Status::from_name(item.get("status")?)
}

/// Whether a retry is useless.
pub(crate) fn is_over(refused: &CallError) -> bool {
    match refused.verdict {
        Verdict::Permanent => true,
        Verdict::Transient | Verdict::Throttled | Verdict::Denied | Verdict::Unanswered => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_changed_status_has_an_event() {
        check(None, "sent", Some("carillon.delivery.sent"));
        check(Some("claimed"), "sent", Some("carillon.delivery.sent"));
        check(Some("sent"), "unknown", Some("carillon.delivery.unknown"));
        check(Some("sent"), "sent", None);
        check(None, "claimed", None);
        check(Some("claimed"), "released", None);
        check(Some("claimed"), "one of a later release", None);
    }

    #[test]
    fn set_is_complete_when_a_row_becomes_final() {
        for (old, new, may_be) in [
            (Some("claimed"), "sent", true),
            (None, "failed", true),
            (Some("sent"), "unknown", false),
            (Some("claimed"), "released", false),
        ] {
            let change = change(old, new);
            let (row, _) = change_of(&change).unwrap();
            assert_eq!(finished_set(&change, &row).is_some(), may_be, "{old:?} {new}");
        }
    }

    #[track_caller]
    fn check(old: Option<&str>, new: &str, expected: Option<&str>) {
        let delivery_state = change_of(&change(old, new)).and_then(|(_, event)| event);
        assert_eq!(
            delivery_state.map(|delivery_state| delivery_state.kind).as_deref(),
            expected,
            "{old:?} {new}"
        );
    }

    fn change(old: Option<&str>, new: &str) -> Change {
        let row = |status: &str| {
            let item =
                Item::default().text("pk", "p".repeat(16)).text("sk", "s".repeat(27)).text("status", status);
            let item =
                item.text("event_id", "e-1").text("event_source", "tasks").text("event_type", "task.done");
            let item =
                item.text("event_time", "2026-11-20T12:00:00Z").text("rule", "done").text("catalog", "c");
            item.text("recipient", "ann").text("channel", "email").text("set_id", "event").number("set_of", 1)
        };
        Change::of_stream("MODIFY", "arn:table/ledger/stream/1", Some(row(new)), old.map(row))
    }
}
