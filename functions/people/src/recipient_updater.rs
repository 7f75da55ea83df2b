//! Handles one batch of updates.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use aws::{CallError, Verdict};
use aws_types::SdkConfig;
use domain::event::own_events::PEOPLE_SOURCE;
use domain::event::producers::Producers;
use domain::recipient::Settings;
use domain::recipient::address_change::announcement;
use domain::recipient::recipient_changes::{Change, Notice, RecipientChange, Stamp};
use publish::{Entry, EventBridge};
use queue::{Cause, MessageHistory, Queue, Sqs};
use runtime::{Batch, Message, Report, chain, now};
use sockets::Sessions;
use store::{ChangeResult, Connections, Inbox, NotApplied, People};

use crate::{Config, read};

/// The clients of the function, kept between invocations.
pub struct RecipientUpdater {
    people: People,
    inbox: Inbox,
    sessions: Sessions,
    dead_letters: Queue,
    producers: Producers,
    aws: SdkConfig,
    bus_name: String,
    /// The client, created on the first address change. Creating a client takes a fifth of the start-up
    /// time.
    bus: OnceLock<EventBridge>,
}

/// The updates of a batch, each with the index of its message.
#[derive(Default)]
struct Harvest {
    people: Vec<RecipientChange>,
    behind: Vec<usize>,
    tenants: Vec<(usize, String, Box<Settings>, Stamp)>,
}

/// The failure of a message. Ordered: a permanent failure outweighs a retry.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Setback {
    /// A retry may succeed.
    Later(String),
    /// Every retry fails.
    Never { class: &'static str, detail: String },
}

impl RecipientUpdater {
    #[must_use]
    pub fn new(aws: &SdkConfig, config: Config) -> RecipientUpdater {
        let tables = store::client(aws);
        let connections = Connections::new(&tables, config.connections_table);
        RecipientUpdater {
            sessions: Sessions::new(aws, config.socket_endpoint, connections),
            people: People::new(&tables, config.people_table).with_addresses(),
            inbox: Inbox::new(&tables, config.inbox_table),
            dead_letters: Queue::new(&Sqs::new(aws), config.dead_letters_url),
            producers: config.producers,
            aws: aws.clone(),
            bus_name: config.bus,
            bus: OnceLock::new(),
        }
    }

    /// Applies every update of the batch. Failed messages return to the queue, and permanently refused
    /// ones go to the dead-letter queue. A repeat is harmless.
    pub async fn handle(&self, batch: Batch) -> Report {
        let mut report = Report::default();
        let mut harvest = Harvest::default();
        let mut setbacks: Vec<Option<Setback>> = Vec::with_capacity(batch.messages.len());
        for (at, message) in batch.messages.iter().enumerate() {
            setbacks.push(match read(message.body.expose(), &self.producers, now()) {
                Ok(notice) => {
                    harvest.take(at, notice);
                    None
                }
                Err(refusal) => {
                    Some(Setback::Never { class: refusal.class.name(), detail: refusal.to_string() })
                }
            });
        }
        let changed = self.carry_out(&harvest, &mut setbacks).await;
        for (message, setback) in batch.messages.iter().zip(setbacks) {
            match setback {
                None => {}
                Some(Setback::Later(error)) => {
                    tracing::warn!(
                        code = "PEOPLE_RETRY",
                        message.id = message.message_id,
                        error,
                        "message returned to the queue: the update was not stored"
                    );
                    report.redeliver(message);
                }
                Some(Setback::Never { class, detail }) => {
                    self.dead_letter(message, class, detail, &mut report).await;
                }
            }
        }
        let (messages, returned) = (batch.messages.len(), report.returned());
        tracing::info!(
            code = "PEOPLE_BATCH",
            messages,
            changes = harvest.people.len(),
            changed,
            returned,
            "batch of updates applied"
        );
        report
    }

    /// Applies the updates and returns the number of effective ones. Failures are added to `setbacks`.
    async fn carry_out(&self, harvest: &Harvest, setbacks: &mut [Option<Setback>]) -> usize {
        let mut changed = 0;
        let mut note = |at: usize, applied: Result<bool, NotApplied>| match applied {
            Ok(applied) => changed += usize::from(applied),
            Err(error) => {
                let setback = Some(setback(error));
                if setbacks[at] < setback {
                    setbacks[at] = setback;
                }
            }
        };
        let mut announcements = Vec::new();
        let applied = self.people.amend_all(&harvest.people).await;
        for ((at, amendment), applied) in harvest.behind.iter().zip(&harvest.people).zip(applied) {
            let of_change = |amended: &ChangeResult| announced(amendment, amended);
            announcements.extend(applied.as_ref().map(of_change).unwrap_or_default());
            let applied = applied.map(|amended| amended.changed);
            let is_done = applied.is_ok();
            note(*at, applied);
            if is_done && let Err(refused) = self.follow_up(amendment).await {
                note(*at, Err(NotApplied::Refused(refused)));
            }
        }
        self.announce(&announcements).await;
        for (at, id, settings, stamp) in &harvest.tenants {
            note(*at, self.people.put_tenant(id, settings, stamp).await.map_err(NotApplied::Refused));
        }
        changed
    }

    /// Publishes address changes, so that the old addresses are notified. The changes remain if the bus
    /// refuses the events, and a redelivery changes no row again. A refused event is logged.
    async fn announce(&self, announcements: &[Entry]) {
        if announcements.is_empty() {
            return;
        }
        let bus = self.bus.get_or_init(|| EventBridge::new(&self.aws, self.bus_name.clone()));
        for refused in bus.put(announcements).await.into_iter().filter_map(Result::err) {
            tracing::error!(
                code = "ADDRESS_CHANGE_NOT_ANNOUNCED",
                error = chain(&refused),
                "address change event not published: the old address is not notified"
            );
        }
    }

    /// Deletes the inbox of a deleted person, and ends sessions that the person must no longer have. For
    /// a deleted person these are all sessions, otherwise those of tenants that the person left. The
    /// table is read again, because a later update may have restored the person.
    async fn follow_up(&self, amendment: &RecipientChange) -> Result<(), CallError> {
        if !ends_sessions(&amendment.change) {
            return Ok(());
        }
        let id = amendment.id.as_str();
        let found = self.people.find(&BTreeSet::from([id])).await?;
        let person = found.get(id);
        match (person, &amendment.change) {
            (None, Change::Remove) => self.inbox.forget(id).await?,
            // The person is not described yet, or a newer release wrote the row. No session is ended.
            (None, _) => return Ok(()),
            (Some(_), _) => {}
        }
        let ended = self.sessions.enforce(id, person, now()).await?;
        if ended > 0 {
            tracing::info!(
                code = "SESSIONS_ENDED",
                ended,
                "sockets closed: the recipient was deleted or left the tenant"
            );
        }
        Ok(())
    }

    async fn dead_letter(&self, message: &Message, class: &'static str, detail: String, report: &mut Report) {
        tracing::error!(
            code = "MESSAGE_REFUSED",
            message.id = message.message_id,
            detail,
            "message moves to the dead-letter queue: its content cannot be processed"
        );
        let cause = Cause { class, detail, by: "people" };
        let past = MessageHistory { first_at: message.first_sent_at(), attempts: message.receive_count() };
        if let Err(refused) = self.dead_letters.dead_letter(message.body.expose(), None, &cause, past).await {
            tracing::error!(
                code = "DEAD_LETTER_NOT_SENT",
                error = chain(&refused),
                "message returned to the queue: the dead-letter queue did not accept it"
            );
            report.redeliver(message);
        }
    }
}

impl Harvest {
    fn take(&mut self, at: usize, notice: Notice) {
        match notice {
            Notice::People(amendments) => {
                self.behind.extend(std::iter::repeat_n(at, amendments.len()));
                self.people.extend(amendments);
            }
            Notice::Tenant { id, settings, stamp } => self.tenants.push((at, id, settings, stamp)),
        }
    }
}

/// The events about the addresses that an update removed from a person.
fn announced(amendment: &RecipientChange, amended: &ChangeResult) -> Vec<Entry> {
    let event = |change| announcement(PEOPLE_SOURCE, &amendment.id, change, &amendment.stamp, now());
    amended.addresses.iter().map(|change| Entry::of(&event(change))).collect()
}

/// Whether an update can remove a tenant from a person, or the person.
fn ends_sessions(change: &Change) -> bool {
    match change {
        Change::Put(_) | Change::Create(_) | Change::Remove => true,
        Change::Update(patch) => patch.contains_key("tenants"),
        Change::Join(_) | Change::Leave(_) | Change::Close(_) | Change::Unregister(_) => false,
    }
}

fn setback(error: NotApplied) -> Setback {
    match error {
        NotApplied::Unfit(refusal) => {
            Setback::Never { class: refusal.class.name(), detail: refusal.to_string() }
        }
        NotApplied::Refused(refused) => match refused.verdict {
            Verdict::Permanent => Setback::Never { class: "not_storable", detail: chain(&refused) },
            Verdict::Transient | Verdict::Throttled | Verdict::Denied | Verdict::Unanswered => {
                Setback::Later(chain(&refused))
            }
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    #[test]
    fn change_that_may_take_a_tenant_ends_sessions() {
        let patch = |member: &str| Change::Update(Map::from_iter([(member.to_owned(), json!(null))]));
        assert!(ends_sessions(&Change::Remove) && ends_sessions(&patch("tenants")));
        assert!(!ends_sessions(&patch("email")));
    }
}
