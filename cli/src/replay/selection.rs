//! The selection of events for a replay, and the reasons for leaving some out. Pure decisions.

use domain::Timestamp;
use domain::event::Event;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use store::LedgerRow;

/// The retention of ledger rows. A replay of older events could notify recipients twice.
const LEDGER_RETENTION: SignedDuration = SignedDuration::from_hours(400 * 24);

/// The type prefix of Carillon's own events. A rule of the bus keeps them from dispatch.
const OWN_PREFIX: &str = "carillon.";

/// The selected events, with receiver and mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Selection {
    /// The first and last recording time, both inclusive.
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

/// The receiver of the events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Consumer {
    Dispatch,
    Audit,
    Bus,
    /// The URL of a queue.
    Queue(String),
}

/// The mode of a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Mode {
    /// Events without ledger rows.
    OnlyMissing,
    /// All events, with the original keys.
    All,
    /// All events, with new keys.
    Force,
}

/// The reason for leaving a selected event out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LeftOut {
    /// The ledger has rows of the event.
    Decided,
    /// The event was part of a digest. A replay would add it to a new digest.
    InADigest,
    /// The event is older than the ledger's retention.
    Forgotten,
    /// Carillon's own event, which dispatch never gets.
    Ours,
    /// The event with the replay mark exceeds the size limit.
    TooLarge,
}

impl Consumer {
    /// Whether dispatch receives the events.
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

    /// The reason as a sentence, after `left out: 3, because`.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            LeftOut::Decided => {
                "dispatch has decided about them; --all sends them, too, without duplicate notifications"
            }
            LeftOut::InADigest => "a digest contained them; only --force sends them again",
            LeftOut::Forgotten => "they are older than the ledger's 400 days; only --force sends them",
            LeftOut::Ours => "Carillon's own events never go to dispatch",
            LeftOut::TooLarge => "with the mark of a replay they are over 200 KB",
        }
    }
}

impl Selection {
    /// Whether the event matches all filters.
    pub(super) fn matches(&self, event: &Event) -> bool {
        let is_kind = self.kind.as_deref().is_none_or(|wanted| event.is_called(wanted));
        let is = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
        is_kind
            && is(&self.tenant, &event.tenant)
            && is(&self.stream, &event.subject)
            && (self.ids.is_empty() || self.ids.contains(&event.id))
    }

    /// The reason for leaving an event out that needs no ledger rows.
    pub(super) fn reason_without_ledger(
        &self,
        event: &Event,
        recorded_at: Timestamp,
        now: Timestamp,
    ) -> Option<LeftOut> {
        if !self.consumer.leads_to_dispatch() {
            return None;
        }
        if event.kind.starts_with(OWN_PREFIX)
            && (self.consumer == Consumer::Dispatch || self.mode != Mode::All)
        {
            return Some(LeftOut::Ours);
        }
        let is_known = now.duration_since(recorded_at) < LEDGER_RETENTION;
        (!is_known && self.mode != Mode::Force).then_some(LeftOut::Forgotten)
    }

    /// Whether the ledger rows are needed.
    pub(super) fn needs_ledger(&self) -> bool {
        self.consumer.leads_to_dispatch()
    }

    /// The reason for leaving an event with these ledger rows out.
    pub(super) fn reason_of_rows(&self, rows: &[LedgerRow]) -> Option<LeftOut> {
        match self.mode {
            Mode::OnlyMissing => (!rows.is_empty()).then_some(LeftOut::Decided),
            Mode::All => rows.iter().any(|row| row.joined.is_some()).then_some(LeftOut::InADigest),
            Mode::Force => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use domain::base::outcome::Status;
    use domain::delivery::job::Origin;
    use domain::feedback::receipt::Marks;

    use super::*;

    #[test]
    fn selected_event_matches_all_filters() {
        let event = event("order.paid", "2026-11-20T12:00:00Z");
        let all = selection(Mode::All);
        assert!(all.matches(&event));
        let matches = |selection: Selection| selection.matches(&event);
        let some = |text: &str| Some(text.to_owned());
        assert!(matches(Selection { kind: some("order.*"), tenant: some("t-1"), ..all.clone() }));
        assert!(matches(Selection {
            stream: some("order/7"),
            ids: vec!["0".into(), "1".into()],
            ..all.clone()
        }));
        for other in [
            Selection { kind: some("order"), ..all.clone() },
            Selection { kind: some("user.*"), ..all.clone() },
            Selection { tenant: some("t-2"), ..all.clone() },
            Selection { stream: some("order/8"), ..all.clone() },
            Selection { ids: vec!["2".into()], ..all.clone() },
        ] {
            assert!(!matches(other.clone()), "{other:?}");
        }
    }

    #[test]
    fn events_beyond_ledger_retention_need_force_and_own_events_never_go_to_dispatch() {
        let old = event("order.paid", "2025-01-01T00:00:00Z");
        assert_eq!(
            selection(Mode::OnlyMissing).reason_without_ledger(&old, old.time, now()),
            Some(LeftOut::Forgotten)
        );
        assert_eq!(
            selection(Mode::All).reason_without_ledger(&old, old.time, now()),
            Some(LeftOut::Forgotten)
        );
        assert_eq!(selection(Mode::Force).reason_without_ledger(&old, old.time, now()), None);
        let ours = event("carillon.delivery.sent", "2026-11-20T12:00:00Z");
        for mode in [Mode::OnlyMissing, Mode::All, Mode::Force] {
            assert_eq!(selection(mode).reason_without_ledger(&ours, ours.time, now()), Some(LeftOut::Ours));
        }
        let bus = Selection { consumer: Consumer::Bus, ..selection(Mode::All) };
        assert_eq!(bus.reason_without_ledger(&ours, ours.time, now()), None);
        let queue = Selection { consumer: Consumer::Queue("q".into()), ..selection(Mode::All) };
        assert_eq!(
            queue.reason_without_ledger(&old, old.time, now()),
            None,
            "a queue gets events of any age"
        );
    }

    #[test]
    fn decided_events_go_with_all_unless_they_were_in_a_digest() {
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
            assert_eq!(selection(mode).reason_of_rows(rows), expected, "{mode:?}");
        };
        check(Mode::OnlyMissing, &[], None);
        check(Mode::OnlyMissing, &[row(None)], Some(LeftOut::Decided));
        check(Mode::All, &[row(None)], None);
        check(Mode::All, &[row(None), row(Some("w"))], Some(LeftOut::InADigest));
        check(Mode::Force, &[row(Some("w"))], None);
    }

    fn selection(mode: Mode) -> Selection {
        let (from, to) = (now(), now());
        let consumer = Consumer::Dispatch;
        Selection { from, to, kind: None, tenant: None, stream: None, ids: vec![], consumer, mode }
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
