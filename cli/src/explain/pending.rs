//! Decisions about an event that have no ledger row yet. A row exists from the moment at which a channel claims a
//! message. The event is decided again with the current rules, people and settings, and compared with the ledger.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use domain::Timestamp;
use domain::base::outcome::Status;
use domain::catalog::Catalog;
use domain::catalog::rule::Record;
use domain::decide::plan::user_name;
use domain::event::Event;
use domain::event::key::event_part;
use domain::recipient::{self, Group, Recipients, Settings};
use domain::webhook::endpoint::{Endpoint, EndpointId};
use engine::{Engine, Fixtures};
use store::{Endpoints, Events, LedgerRow, People};
use templates::Renderer;

use crate::cloud::Cloud;
use crate::deciding::{self, PreviewedDecision, PreviewedOutcome, preview};
use crate::error::Error;
use crate::project::CONFIG;

/// The catalog that was built for the deployment.
const BUILT: &str = "target/lambda/dispatch/catalog.json";

/// The age after which a decision without a row no longer counts as pending. Queues hold a message for a day at most.
const LONGEST: Duration = Duration::from_secs(48 * 3_600);

/// The most members of a group that are read.
pub(crate) const MAX_MEMBERS: usize = 1_000;

/// The number of members in one request.
const PAGE: u32 = 500;

/// Decides about past events, with the profiles of the people table.
pub(crate) struct Decider {
    catalog: Catalog,
    people: People,
    events: Events,
    endpoints: Endpoints,
    groups: RefCell<BTreeMap<Group, Vec<String>>>,
    /// Whether a group had more than [`MAX_MEMBERS`] members.
    pub(crate) is_cut: RefCell<bool>,
}

impl Decider {
    /// Opens the catalog `config`, which is a folder or a compiled catalog. Without `config`, opens the catalog that
    /// was built for the deployment, or else the folder `config`.
    ///
    /// # Errors
    /// There is no such catalog, or the stack's secret cannot be read.
    pub(crate) async fn open(config: Option<&Path>, cloud: &Cloud) -> Result<Decider, Error> {
        let path = config.unwrap_or_else(|| match Path::new(BUILT).exists() {
            true => Path::new(BUILT),
            false => Path::new(CONFIG),
        });
        let catalog = super::catalog(path)?.with_hashes(cloud.hashes().await?);
        let tables = store::client(&cloud.config);
        Ok(Decider {
            catalog,
            people: People::new(&tables, cloud.name("people")),
            events: Events::new(&tables, cloud.name("events")),
            endpoints: Endpoints::new(&tables, cloud.name("endpoints")),
            groups: RefCell::default(),
            is_cut: RefCell::default(),
        })
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Returns the time at which the audit recorded an event. Dispatch saw the event at about this time.
    ///
    /// # Errors
    /// The table could not be read.
    pub(crate) async fn seen_at(&self, event: &Event) -> Result<Timestamp, Error> {
        let record = self.events.find(event).await?;
        let recorded_at = record.as_ref().and_then(|record| record.get("recorded_at")?.parse().ok());
        Ok(recorded_at.unwrap_or(event.time))
    }

    /// Returns all decisions about an event that dispatch saw at `at`. `only` limits them to one person.
    ///
    /// # Errors
    /// A table could not be read.
    pub(crate) async fn decide(
        &self,
        event: &Event,
        at: Timestamp,
        only: Option<&str>,
    ) -> Result<Vec<PreviewedDecision>, Error> {
        // Outbox entries are recorded under the type name that the producer gave them.
        let event = &self.catalog.policy().producers.completed(event.clone());
        let tenants: BTreeSet<&str> = event.tenant.as_deref().into_iter().collect();
        if let Some(id) = only {
            let found = self.people.look_up(&BTreeSet::from([id]), &tenants).await?;
            let tenant = found.tenant(event.tenant.as_deref());
            return Ok(self.decide_for_one(event, at, &found.recipients, tenant));
        }
        let endpoints = match deciding::groups(event, &self.catalog).iter().any(is_endpoints) {
            true => self.endpoints.of_tenant(event.tenant.as_deref()).await?,
            false => Vec::new(),
        };
        for group in deciding::groups(event, &self.catalog) {
            if !self.groups.borrow().contains_key(&group) {
                let ids = match is_endpoints(&group) {
                    true => endpoints.iter().map(|endpoint| endpoint.id.id.clone()).collect(),
                    false => self.members(&group).await?,
                };
                self.groups.borrow_mut().insert(group, ids);
            }
        }
        let members = |group: &Group| self.groups.borrow().get(group).cloned().unwrap_or_default();
        let ids = deciding::people(event, &self.catalog, &members);
        let ids: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
        let found = self.people.look_up(&ids, &tenants).await?;
        let tenant = found.tenant(event.tenant.as_deref());
        Ok(self.preview(event, at, &found.recipients, tenant, &members, &endpoints))
    }

    /// Decides like [`Decider::decide`] over profiles that are already loaded. The profiles determine the group
    /// members.
    pub(crate) fn decide_for_one(
        &self,
        event: &Event,
        at: Timestamp,
        people: &Recipients,
        tenant: Option<&Settings>,
    ) -> Vec<PreviewedDecision> {
        let members = |group: &Group| recipient::members(group, people);
        let mut previewed = self.preview(event, at, people, tenant, &members, &[]);
        previewed.retain(|previewed| people.keys().any(|id| user_name(id) == previewed.recipient));
        previewed
    }

    fn preview(
        &self,
        event: &Event,
        at: Timestamp,
        recipients: &Recipients,
        tenant: Option<&Settings>,
        members: &dyn Fn(&Group) -> Vec<String>,
        endpoints: &[Endpoint],
    ) -> Vec<PreviewedDecision> {
        let renderer = Renderer::new(&self.catalog);
        let known = |id: &EndpointId| endpoints.iter().find(|endpoint| endpoint.id == *id).cloned();
        let endpoint: &dyn Fn(&EndpointId) -> Option<Endpoint> = &known;
        let facts =
            Fixtures { tenant, members: Some(members), endpoint: Some(endpoint), ..Fixtures::of(recipients) };
        preview(event, &Engine::unpaged(&self.catalog, &renderer, &facts), at)
    }

    async fn members(&self, group: &Group) -> Result<Vec<String>, Error> {
        let (mut ids, mut start) = (Vec::new(), None::<String>);
        while ids.len() < MAX_MEMBERS {
            let page = self.people.members(group, start.as_deref(), PAGE).await?;
            ids.extend(page.ids);
            start = page.next;
            if start.is_none() {
                return Ok(ids);
            }
        }
        self.is_cut.replace(true);
        Ok(ids)
    }
}

fn is_endpoints(group: &Group) -> bool {
    matches!(group, Group::Endpoints { .. })
}

/// Reports whether an event is one of Carillon's own delivery events, for which dispatch sends no notifications.
pub(crate) fn is_own(event: &Event) -> bool {
    event.kind.starts_with("carillon.") || domain::feedback::delivery_events::is_communication(event)
}

/// Returns the decisions without a ledger row. If the event has no rows at all, these are all decisions of the first
/// pass. Otherwise they are the sends, because all other decisions are recorded as soon as they are made.
pub(crate) fn missing<'t>(
    previewed: &'t [PreviewedDecision],
    rows: &[LedgerRow],
    event: &Event,
    now: Timestamp,
) -> Vec<&'t PreviewedDecision> {
    let own = event_part(&event.source, &event.id);
    let first = previewed.iter().map(|previewed| previewed.at).min();
    let is_missing = |previewed: &&PreviewedDecision| {
        let is_due =
            previewed.at <= now && now <= previewed.at.saturating_add(LONGEST).unwrap_or(Timestamp::MAX);
        let is_wanted = match rows.is_empty() {
            true => Some(previewed.at) == first,
            false => previewed.what == PreviewedOutcome::Send,
        };
        is_due
            && is_wanted
            && previewed.broadcast != Some(Record::None)
            && previewed.key.parts().0 == own
            && !rows.iter().any(|row| row.key == previewed.key)
            && !has_another_end(previewed, rows, now)
    };
    previewed.iter().filter(is_missing).collect()
}

/// Reports whether a row shows that the recipient's run ended before this step, or still waits before it.
fn has_another_end(previewed: &PreviewedDecision, rows: &[LedgerRow], now: Timestamp) -> bool {
    rows.iter().any(|row| {
        let is_of_run = Some(&row.rule) == previewed.rule.as_ref() && row.recipient == previewed.recipient;
        let is_of_all = row.channel.is_none();
        let is_of_this = row.channel == previewed.channel && row.step == previewed.step;
        let ended = row.status == Status::Suppressed && is_of_all;
        let is_ahead = row.until.is_none_or(|until| until > now);
        let waits = row.status == Status::Deferred && is_ahead && (is_of_all || is_of_this);
        is_of_run && row.step <= previewed.step && (ended || waits)
    })
}

#[cfg(test)]
mod tests {
    use domain::base::channel::Channel;
    use domain::base::outcome::Reason;
    use domain::delivery::job::Origin;
    use domain::event::key::Key;
    use domain::feedback::receipt::Marks;
    use serde_json::json;
    use store::Times;

    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn message_in_a_queue_is_the_difference_between_what_is_decided_and_what_is_on_record() {
        let previewed = [previewed("ann", "email", 0, 0), previewed("ann", "socket", 0, 0)];
        assert_eq!(
            channels(&missing(&previewed, &[row("ann", "email", 0, Status::Sent)], &event(), NOON)),
            ["socket"]
        );
        let all = [row("ann", "email", 0, Status::Sent), row("ann", "socket", 0, Status::Claimed)];
        assert!(missing(&previewed, &all, &event(), NOON).is_empty());
    }

    #[test]
    fn broadcast_without_a_record_does_not_wait_in_a_queue_for_ever() {
        let of = |record| PreviewedDecision {
            broadcast: Some(record),
            ..previewed("room:clinic:7", "socket", 0, 0)
        };
        assert!(missing(&[of(Record::None)], &[], &event(), NOON).is_empty());
        assert_eq!(channels(&missing(&[of(Record::Targets)], &[], &event(), NOON)), ["socket"]);
    }

    #[test]
    fn event_of_which_nothing_is_on_record_is_shown_with_all_first_decisions() {
        let mut previewed = vec![
            previewed("ann", "email", 0, 0),
            previewed("ben", "email", 0, 0),
            previewed("ann", "sms", 2, 60),
        ];
        previewed[1].what = PreviewedOutcome::Suppress(Reason::NoAddress);
        assert_eq!(channels(&missing(&previewed, &[], &event(), NOON)), ["email", "email"]);
        previewed.iter_mut().for_each(|previewed| previewed.at = NOON + Duration::from_secs(1));
        assert!(missing(&previewed, &[], &event(), NOON).is_empty(), "it lies ahead");
        previewed.iter_mut().for_each(|previewed| previewed.at = NOON - Duration::from_secs(49 * 3_600));
        assert!(missing(&previewed, &[], &event(), NOON).is_empty(), "it is too long ago to lie in a queue");
    }

    #[test]
    fn run_that_ended_or_waits_leaves_nothing_in_a_queue() {
        let later = [previewed("ann", "sms", 2, 0)];
        let over = LedgerRow { channel: None, ..row("ann", "sms", 1, Status::Suppressed) };
        assert!(missing(&later, &[over], &event(), NOON).is_empty(), "cancelled, collected or throttled");
        let ahead = Some(NOON + Duration::from_secs(60));
        let waits = LedgerRow { channel: None, until: ahead, ..row("ann", "sms", 1, Status::Deferred) };
        assert!(missing(&later, std::slice::from_ref(&waits), &event(), NOON).is_empty(), "it still waits");
        let resumed = LedgerRow { until: Some(NOON - Duration::from_secs(60)), ..waits };
        assert_eq!(channels(&missing(&later, &[resumed], &event(), NOON)), ["sms"]);
        let no_address = row("ann", "sms", 0, Status::Suppressed);
        assert_eq!(channels(&missing(&later, &[no_address], &event(), NOON)), ["sms"], "another step's end");
    }

    fn channels(missing: &[&PreviewedDecision]) -> Vec<&'static str> {
        missing.iter().filter_map(|previewed| previewed.channel.map(Channel::name)).collect()
    }

    fn event() -> Event {
        let event = json!({ "specversion": "1.0", "id": "1", "source": "/s", "type": "t", "time": NOON });
        Event::parse(&event.to_string()).unwrap()
    }

    fn key(recipient: &str, channel: &str, step: u32) -> Key {
        Key::of(&event(), "rule", recipient, Channel::from_name(channel), step, "")
    }

    fn previewed(recipient: &str, channel: &str, step: u32, seconds_ago: u64) -> PreviewedDecision {
        PreviewedDecision {
            at: NOON - Duration::from_secs(100) + Duration::from_secs(seconds_ago),
            key: key(recipient, channel, step),
            rule: Some("rule".to_owned()),
            recipient: recipient.to_owned(),
            channel: Channel::from_name(channel),
            step,
            what: PreviewedOutcome::Send,
            notes: Vec::new(),
            broadcast: None,
        }
    }

    fn row(recipient: &str, channel: &str, step: u32, status: Status) -> LedgerRow {
        LedgerRow {
            key: key(recipient, channel, step),
            status,
            reason: None,
            origin: Origin::of(&event()),
            rule: "rule".into(),
            catalog: "c".into(),
            recipient: recipient.into(),
            channel: Channel::from_name(channel),
            step,
            until: None,
            joined: None,
            note: None,
            provider_id: None,
            marks: Marks::default(),
            set: None,
            times: Times::default(),
        }
    }
}
