//! The expected notifications of a sample event, and the actual ones.

use std::collections::BTreeSet;

use catalog::BusEntry;
use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::{Reason, Status};
use domain::catalog::Catalog;
use domain::decide::Verdict;
use domain::decide::plan::{Audience, Plan};
use domain::delivery::job::{Content, SocketTarget};
use domain::event::Event;
use domain::event::bus::BusEvent;
use domain::event::key::Key;
use domain::recipient::Recipients;
use engine::{Engine, Evaluation, Fixtures, Subject, run_ready};
use store::{Events, Ledger, LedgerRow, Record};
use templates::Renderer;

use cli::error::Error;
use cli::publishing::Ready;

/// A published sample with its notifications.
pub(super) struct SampleRun {
    pub(super) place: String,
    pub(super) event: Event,
    pub(super) notifications: Vec<Notification>,
    pub(super) record: Option<Record>,
}

/// A notification: the expected result and the ledger row.
pub(super) struct Notification {
    pub(super) key: Key,
    pub(super) rule: String,
    pub(super) recipient: String,
    pub(super) channel: Option<Channel>,
    pub(super) expected: Expected,
    pub(super) row: Option<LedgerRow>,
}

/// The expected result of a notification.
pub(super) enum Expected {
    /// An e-mail.
    Email {
        to: String,
        subject: String,
    },
    /// An in-app message for every socket of a user, or of a room of the event's tenant.
    InApp {
        to: SocketTarget,
        title: String,
    },
    /// A broadcast to every socket of a user or room, except those of `exclude`.
    Broadcast {
        to: SocketTarget,
        exclude: Vec<String>,
        /// Whether the ledger has a row for it.
        recorded: bool,
    },
    /// A message on a channel whose receiving side is not read.
    OtherChannel,
    Suppressed(Reason),
    /// The notification waits.
    Deferred,
    Failed(Reason),
}

/// A room: its tenant and its name.
pub(super) type Room = (Option<String>, String);

/// All rooms that the samples address.
pub(super) fn rooms(samples: &[Ready], catalog: &Catalog) -> BTreeSet<Room> {
    let mut rooms = BTreeSet::new();
    for sample in samples {
        let Ok(event) = event(sample, "sample", catalog, Timestamp::UNIX_EPOCH) else { continue };
        for matched in Plan::of(&event, catalog).matches {
            rooms.extend(matched.audience.into_iter().filter_map(|audience| match audience {
                Audience::Room(room) => Some((event.tenant.clone(), room)),
                Audience::User(_)
                | Audience::Member(_)
                | Audience::Address { .. }
                | Audience::Endpoint(_) => None,
            }));
        }
    }
    rooms
}

impl SampleRun {
    /// Decides about a published sample with the code of dispatch.
    ///
    /// # Errors
    /// The sample is no event.
    pub(super) fn expected(
        sample: &Ready,
        bus_id: &str,
        catalog: &Catalog,
        people: &Recipients,
        now: Timestamp,
    ) -> Result<SampleRun, Error> {
        let event = event(sample, bus_id, catalog, now)?;
        let renderer = Renderer::new(catalog);
        let facts = Fixtures::of(people);
        let engine = Engine::unpaged(catalog, &renderer, &facts);
        let subject = Subject::event(event);
        let notifications = run_ready(engine.run(&subject, now, notifications));
        let event = subject.event;
        Ok(SampleRun { place: sample.place.clone(), event, notifications, record: None })
    }

    /// Reads the missing ledger rows and the audit record.
    ///
    /// # Errors
    /// A table cannot be read.
    pub(super) async fn update(&mut self, ledger: &Ledger, events: &Events) -> Result<(), Error> {
        if self.record.is_none() {
            self.record = events.find(&self.event).await?;
        }
        if self.notifications.iter().any(Notification::is_open) {
            let rows = ledger.of_event(&self.event.source, &self.event.id).await?;
            for notification in &mut self.notifications {
                notification.find(&rows);
            }
        }
        Ok(())
    }

    /// The number of expected outcomes and records.
    pub(super) fn expects(&self) -> usize {
        self.notifications.len() + 1
    }

    /// The number of missing outcomes and records.
    pub(super) fn open(&self) -> usize {
        let open = self.notifications.iter().filter(|notification| notification.is_open()).count();
        open + usize::from(self.record.is_none())
    }
}

impl Notification {
    fn is_open(&self) -> bool {
        if self.is_unrecorded() {
            return false;
        }
        !self.row.as_ref().is_some_and(|row| row.status.is_final())
    }

    /// Whether the ledger gets no row for this notification.
    fn is_unrecorded(&self) -> bool {
        matches!(self.expected, Expected::Broadcast { recorded: false, .. })
    }

    /// Finds the notification's row, or the row of a different decision that earlier events caused.
    fn find(&mut self, rows: &[LedgerRow]) {
        let own = rows.iter().find(|row| row.key == self.key);
        let other = || {
            let mut of_run =
                rows.iter().filter(|row| row.rule == self.rule && row.recipient == self.recipient);
            of_run.find(|row| row.reason.is_some_and(is_of_earlier_events))
        };
        self.row = own.or_else(other).cloned();
    }

    /// Whether earlier events decided the outcome. The expectation does not know these events.
    pub(super) fn is_of_earlier_events(&self) -> bool {
        self.row.as_ref().and_then(|row| row.reason).is_some_and(is_of_earlier_events)
    }

    /// Whether the ledger row has the expected outcome.
    pub(super) fn is_as_expected(&self) -> bool {
        let Some(row) = &self.row else { return self.is_unrecorded() };
        if self.is_of_earlier_events() {
            return true;
        }
        match &self.expected {
            Expected::Broadcast { recorded: false, .. } => false,
            // A room can be empty except for excluded users. The report compares the receivers.
            Expected::Broadcast { recorded: true, .. } => {
                row.status == Status::Sent || row.reason == Some(Reason::NotConnected)
            }
            Expected::Email { .. } | Expected::InApp { .. } | Expected::OtherChannel => {
                row.status == Status::Sent
            }
            Expected::Deferred => row.status == Status::Deferred,
            Expected::Suppressed(reason) => row.status == Status::Suppressed && row.reason == Some(*reason),
            Expected::Failed(reason) => row.status == Status::Failed && row.reason == Some(*reason),
        }
    }
}

/// The notifications that the decisions lead to.
fn notifications(mut evaluation: Evaluation<'_>) -> Vec<Notification> {
    let decisions = std::mem::take(&mut evaluation.decisions).into_iter();
    decisions
        .map(|decision| Notification {
            expected: match &decision.verdict {
                Verdict::Suppress(reason) => Expected::Suppressed(*reason),
                Verdict::Merge(_) => Expected::Suppressed(Reason::Merged),
                Verdict::Cancel(_) => Expected::Suppressed(Reason::Cancels),
                Verdict::Later(_) => Expected::Deferred,
                Verdict::Send(order) => match evaluation.preview(order) {
                    Ok(Content::Email(email)) => {
                        Expected::Email { to: email.to.into(), subject: email.subject.into_exposed() }
                    }
                    Ok(Content::Socket(socket)) => {
                        Expected::InApp { to: socket.to, title: socket.title.into_exposed() }
                    }
                    Ok(Content::Broadcast(live)) => Expected::Broadcast {
                        recorded: live.record == domain::catalog::rule::Record::Targets,
                        to: live.to,
                        exclude: live.exclude,
                    },
                    Ok(
                        Content::Push(_)
                        | Content::Sms(_)
                        | Content::Whatsapp(_)
                        | Content::Webhook(_)
                        | Content::Message(_),
                    ) => Expected::OtherChannel,
                    Err(_) => Expected::Failed(Reason::Template),
                },
            },
            key: decision.key,
            rule: decision.rule.map_or("-", |rule| rule.name.as_str()).to_owned(),
            recipient: decision.recipient,
            channel: decision.channel,
            row: None,
        })
        .collect()
}

fn is_of_earlier_events(reason: Reason) -> bool {
    [Reason::Throttled, Reason::Capped, Reason::Cancelled, Reason::Merged, Reason::Seen].contains(&reason)
}

/// The event as dispatch reads it from the bus.
fn event(sample: &Ready, bus_id: &str, catalog: &Catalog, now: Timestamp) -> Result<Event, Error> {
    let entry = BusEntry {
        source: sample.entry.source.clone(),
        detail_type: sample.entry.detail_type.clone(),
        detail: sample.entry.detail.clone(),
        time: sample.entry.time,
        bus: None,
        notes: Vec::new(),
    };
    let wrapped = entry.to_bus_event(bus_id, now);
    BusEvent::parse(&wrapped)
        .and_then(|bus_event| bus_event.event(&catalog.policy().producers))
        .map_err(|error| Error::usage(format!("{}: {error}", sample.place), "correct the sample"))
}
