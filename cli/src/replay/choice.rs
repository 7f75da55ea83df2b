//! Which events a replay is about, and what is done with each: nothing of it asks a cloud.

use domain::Timestamp;
use domain::event::Event;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use store::LedgerRow;

/// How long the ledger knows what was told. What is older cannot be replayed without telling it twice.
const KNOWN_FOR: SignedDuration = SignedDuration::from_hours(400 * 24);

/// What our own events' types begin with. The bus has a rule that keeps them from dispatch.
const OURS: &str = "carillon.";

/// Which events, and how they are replayed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Choice {
    /// Recorded from then up to then, both included.
    pub(super) from: Timestamp,
    pub(super) to: Timestamp,
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub(super) kind: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tenant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) stream: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) ids: Vec<String>,
    pub(super) consumer: Consumer,
    pub(super) mode: Mode,
}

/// Where events go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Consumer {
    Dispatch,
    Audit,
    Bus,
    /// The URL of somebody's queue.
    Queue(String),
}

/// Which of the chosen events go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    /// What no row of the ledger is about.
    OnlyMissing,
    /// All; the keys are those of the first telling.
    All,
    /// All, under keys of this replay's own.
    Force,
}

/// Why an event that was chosen does not go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LeftOut {
    /// The ledger has rows about it.
    Decided,
    /// It was told in a digest, and would be collected again once that is forgotten.
    InADigest,
    /// Older than the ledger remembers.
    Forgotten,
    /// An event of our own, which dispatch never gets.
    Ours,
    /// With the mark it is larger than an event may be.
    TooLarge,
}

impl Consumer {
    /// Whether dispatch gets what goes there.
    pub(super) fn leads_to_dispatch(&self) -> bool {
        matches!(self, Consumer::Dispatch | Consumer::Bus)
    }
}

impl LeftOut {
    pub(super) fn name(self) -> &'static str {
        match self {
            LeftOut::Decided => "decided",
            LeftOut::InADigest => "in_a_digest",
            LeftOut::Forgotten => "forgotten",
            LeftOut::Ours => "ours",
            LeftOut::TooLarge => "too_large",
        }
    }

    /// After `left out: 3, because`.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            LeftOut::Decided => {
                "dispatch has decided about them already; --all sends them too, and tells nobody twice"
            }
            LeftOut::InADigest => "they were told in a digest; only --force tells them again",
            LeftOut::Forgotten => {
                "they are older than the 400 days for which the ledger knows who was told; only --force sends them"
            }
            LeftOut::Ours => "Carillon's own events never go to dispatch",
            LeftOut::TooLarge => "with the mark of a replay they are over 200 KB",
        }
    }
}

impl Choice {
    /// Whether the event is one of those that were named.
    pub(super) fn means(&self, event: &Event) -> bool {
        let is_kind = self.kind.as_deref().is_none_or(|wanted| event.is_called(wanted));
        let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        is_kind
            && is(&self.tenant, &event.tenant)
            && is(&self.stream, &event.subject)
            && (self.ids.is_empty() || self.ids.contains(&event.id))
    }

    /// What keeps an event back that was recorded `at`, as far as the ledger need not be asked.
    pub(super) fn at_first_sight(&self, event: &Event, at: Timestamp, now: Timestamp) -> Option<LeftOut> {
        if !self.consumer.leads_to_dispatch() {
            return None;
        }
        if event.kind.starts_with(OURS) && (self.consumer == Consumer::Dispatch || self.mode != Mode::All) {
            return Some(LeftOut::Ours);
        }
        let is_known = now.duration_since(at) < KNOWN_FOR;
        (!is_known && self.mode != Mode::Force).then_some(LeftOut::Forgotten)
    }

    /// Whether the ledger must be asked about it at all.
    pub(super) fn asks_the_ledger(&self) -> bool {
        self.consumer.leads_to_dispatch()
    }

    /// What keeps an event back of which the ledger has these rows.
    pub(super) fn after_a_look(&self, rows: &[LedgerRow]) -> Option<LeftOut> {
        match self.mode {
            Mode::OnlyMissing => (!rows.is_empty()).then_some(LeftOut::Decided),
            Mode::All => rows.iter().any(|row| row.joined.is_some()).then_some(LeftOut::InADigest),
            Mode::Force => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::job::Origin;
    use domain::outcome::Status;
    use domain::receipt::Marks;

    use super::*;

    #[test]
    fn an_event_is_meant_that_fits_everything_that_was_said() {
        let event = event("order.paid", "2026-11-20T12:00:00Z");
        let all = choice(Mode::All);
        assert!(all.means(&event));
        let fits = |choice: Choice| choice.means(&event);
        let some = |it: &str| Some(it.to_owned());
        assert!(fits(Choice { kind: some("order.*"), tenant: some("t-1"), ..all.clone() }));
        assert!(fits(Choice { stream: some("order/7"), ids: vec!["0".into(), "1".into()], ..all.clone() }));
        for other in [
            Choice { kind: some("order"), ..all.clone() },
            Choice { kind: some("user.*"), ..all.clone() },
            Choice { tenant: some("t-2"), ..all.clone() },
            Choice { stream: some("order/8"), ..all.clone() },
            Choice { ids: vec!["2".into()], ..all.clone() },
        ] {
            assert!(!fits(other.clone()), "{other:?}");
        }
    }

    #[test]
    fn what_the_ledger_has_forgotten_goes_only_by_force_and_our_own_never_to_dispatch() {
        let old = event("order.paid", "2025-01-01T00:00:00Z");
        assert_eq!(choice(Mode::OnlyMissing).at_first_sight(&old, old.time, now()), Some(LeftOut::Forgotten));
        assert_eq!(choice(Mode::All).at_first_sight(&old, old.time, now()), Some(LeftOut::Forgotten));
        assert_eq!(choice(Mode::Force).at_first_sight(&old, old.time, now()), None);
        let ours = event("carillon.delivery.sent", "2026-11-20T12:00:00Z");
        for mode in [Mode::OnlyMissing, Mode::All, Mode::Force] {
            assert_eq!(choice(mode).at_first_sight(&ours, ours.time, now()), Some(LeftOut::Ours));
        }
        let bus = Choice { consumer: Consumer::Bus, ..choice(Mode::All) };
        assert_eq!(bus.at_first_sight(&ours, ours.time, now()), None);
        let queue = Choice { consumer: Consumer::Queue("q".into()), ..choice(Mode::All) };
        assert_eq!(queue.at_first_sight(&old, old.time, now()), None, "a projection wants all of history");
    }

    #[test]
    fn what_was_decided_goes_when_all_go_unless_it_was_told_in_a_digest() {
        let row = |joined: Option<&str>| LedgerRow {
            key: "k".repeat(43).into(),
            status: Status::Suppressed,
            reason: None,
            origin: Origin::of(&event("order.paid", "2026-11-20T12:00:00Z")),
            rule: "r".into(),
            catalog: "c".into(),
            recipient: "ann".into(),
            channel: None,
            step: 0,
            until: None,
            joined: joined.map(str::to_owned),
            note: None,
            provider_id: None,
            marks: Marks::default(),
            set: None,
            times: store::Times::default(),
        };
        let check = |mode, rows: &[LedgerRow], expected| {
            assert_eq!(choice(mode).after_a_look(rows), expected, "{mode:?}");
        };
        check(Mode::OnlyMissing, &[], None);
        check(Mode::OnlyMissing, &[row(None)], Some(LeftOut::Decided));
        check(Mode::All, &[row(None)], None);
        check(Mode::All, &[row(None), row(Some("w"))], Some(LeftOut::InADigest));
        check(Mode::Force, &[row(Some("w"))], None);
    }

    fn choice(mode: Mode) -> Choice {
        let (from, to) = (now(), now());
        let consumer = Consumer::Dispatch;
        Choice { from, to, kind: None, tenant: None, stream: None, ids: vec![], consumer, mode }
    }

    fn event(kind: &str, time: &str) -> Event {
        let text = serde_json::json!({
            "specversion": "1.0", "id": "1", "source": "s", "type": kind, "time": time, "tenant": "t-1",
            "subject": "order/7",
        });
        Event::parse(&text.to_string()).unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-21T12:00:00Z".parse().unwrap()
    }
}
