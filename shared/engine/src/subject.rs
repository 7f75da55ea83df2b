//! The subject of one pass through the loop, and the work that a pass defers.

use domain::Timestamp;
use domain::base::sensitive::Sensitive;
use domain::catalog::Catalog;
use domain::catalog::rule::Rule;
use domain::decide::continuation::{Continuation, Start, Task};
use domain::decide::plan::Audience;
use domain::event::{Event, Priority};
use domain::limits::digest::Collected;

/// An event, or the part of an event's handling that an earlier pass deferred.
pub struct Subject {
    pub event: Event,
    pub part: Part,
    /// Work that is deferred independently of the decisions of this pass.
    pub(crate) follow_ups: Vec<FollowUp>,
    /// The page of a large audience that this pass handles.
    pub(crate) page: Option<String>,
}

/// The part of an event that a pass handles.
pub enum Part {
    /// Every rule that matches the event.
    Event,
    /// One rule, for these recipients, from this step on.
    Rule { rule: String, audience: Vec<Audience>, start: Start, digest: Option<Box<Collected>> },
    /// No work is left, for example because every event of a digest was cancelled.
    Nothing,
    /// A rule that the catalog no longer has.
    RuleGone { rule: String, audience: Option<Audience> },
}

impl Subject {
    #[must_use]
    pub fn event(event: Event) -> Subject {
        Subject::of(event, Part::Event)
    }

    /// One rule of an event for these recipients, from `start` on.
    #[must_use]
    pub fn rule(
        event: Event,
        rule: String,
        audience: Vec<Audience>,
        start: Start,
        digest: Option<Collected>,
    ) -> Subject {
        let digest = digest.map(Box::new);
        Subject::of(event, Part::Rule { rule, audience, start, digest })
    }

    pub(crate) fn of(event: Event, part: Part) -> Subject {
        Subject { event, part, follow_ups: Vec::new(), page: None }
    }
}

/// A lane of dispatch's own queues.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Critical work. It never waits behind other work.
    Critical,
    /// New events, and continuations that are due.
    Normal,
    /// Further pages of large audiences, and events over the rate of their tenant or source.
    Bulk,
}

impl Lane {
    /// The lane for the work of a rule about an event.
    fn of(rule: Option<&Rule>, event: &Event) -> Lane {
        match rule.map_or(event.priority, |rule| rule.priority_for(event)) {
            Some(Priority::Critical) => Lane::Critical,
            Some(Priority::Low | Priority::Normal | Priority::High) | None => Lane::Normal,
        }
    }
}

/// Reports whether an event is critical: by its own priority, or by that of a rule that matches it.
#[must_use]
pub fn is_critical<'r>(event: &Event, rules: impl IntoIterator<Item = &'r Rule>) -> bool {
    let critical = Some(Priority::Critical);
    event.priority == critical || rules.into_iter().any(|rule| rule.priority_for(event) == critical)
}

/// Work on a rule that is deferred.
#[derive(Clone)]
pub(crate) struct FollowUp {
    pub(crate) rule: String,
    pub(crate) task: Task,
    pub(crate) at: Timestamp,
    pub(crate) name: String,
    /// Whether this is a further page of a large audience.
    pub(crate) is_page: bool,
}

/// A message that returns to dispatch at its time.
#[derive(Clone, PartialEq, Eq)]
pub struct ScheduledMessage {
    pub lane: Lane,
    pub at: Timestamp,
    pub body: Sensitive<String>,
    pub tenant: Option<String>,
    /// Identifies the message. A scheduler that knows the name already schedules no second one.
    pub name: String,
}

impl FollowUp {
    pub(crate) fn message(self, catalog: &Catalog, event: &Event) -> ScheduledMessage {
        let lane = match (Lane::of(catalog.rule(&self.rule), event), self.is_page) {
            // A page of a critical rule does not wait behind other large audiences.
            (Lane::Critical, _) => Lane::Critical,
            (Lane::Normal | Lane::Bulk, true) => Lane::Bulk,
            (lane @ (Lane::Normal | Lane::Bulk), false) => lane,
        };
        let body = Continuation::new(event, &self.rule, self.task).to_json().into();
        ScheduledMessage { lane, at: self.at, body, tenant: event.tenant.clone(), name: self.name }
    }
}
