//! From a message to plans that can be decided about: groups become people, a closed digest becomes an event.

use aws::Refused;
use domain::Timestamp;
use domain::cancel::CancelKey;
use domain::catalog::Catalog;
use domain::closing;
use domain::decide::{Decision, Verdict};
use domain::digest::{self, Collected};
use domain::event::Event;
use domain::key::{Key, event_part};
use domain::keyed_hash::KeyedHashes;
use domain::outcome::Reason;
use domain::plan::{self, Audience, Match, Plan};
use domain::recipient::Group;
use domain::rule::Rule;
use domain::wake::{Cursor, Start, Task, Wake};
use store::{Closed, Counters, Endpoints, Page, People};

use crate::lane::{Lane, Leaving};

/// How many people one message tells; the next message tells the next.
pub const PAGE: usize = 100;

/// The same, as the table is asked.
const MEMBERS: u32 = 100;

/// What a message is about.
pub(crate) struct Subject {
    pub(crate) event: Event,
    pub(crate) what: What,
}

pub(crate) enum What {
    /// The event itself.
    Event,
    /// One rule of it, for these people, from this step on.
    Rule { rule: String, audience: Vec<Audience>, start: Start, digest: Option<Box<Collected>> },
    /// There is nothing left to do.
    Nothing,
    /// The rule is not in this catalog any more.
    Gone { rule: String, audience: Option<Audience> },
}

/// What a message asks to be left for later, and remembered when all is handed over.
#[derive(Default)]
pub(crate) struct Onward {
    pub(crate) later: Vec<Leaving>,
    /// The page of a fan-out that is done then.
    pub(crate) page: Option<String>,
}

/// Reads the tables that turn messages into plans.
pub(crate) struct Unfold<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) people: &'a People,
    pub(crate) endpoints: &'a Endpoints,
    pub(crate) counters: &'a Counters,
    pub(crate) now: Timestamp,
}

impl<'a> Unfold<'a> {
    /// What an earlier decision left for later.
    pub(crate) async fn wake(
        &self,
        event: Event,
        rule: String,
        task: Task,
        onward: &mut Onward,
    ) -> Result<Subject, Refused> {
        let Some(found) = self.catalog.rule(&rule) else {
            let audience = match task {
                Task::Run { audience, .. } | Task::Close { audience, .. } => Some(audience),
                Task::FanOut { .. } => None,
            };
            return Ok(Subject { event, what: What::Gone { rule, audience } });
        };
        match task {
            Task::Run { audience, start } => {
                let what = What::Rule { rule, audience: vec![audience], start, digest: None };
                Ok(Subject { event, what })
            }
            Task::FanOut { cursor } => self.page(event, found, cursor, onward).await,
            Task::Close { audience, step, only, window, window_id, resume } => {
                match self.counters.close(&window, &window_id, self.now).await? {
                    Closed::NotYet(at) => {
                        let id = window_id.clone();
                        let task = Task::Close { audience, step, only, window, window_id, resume };
                        let wake = Wake::new(&event, &rule, task);
                        let name = Wake::name(&Key::from(id), at);
                        onward.later.push(Leaving::wake(self.catalog, &event, &wake, at, name));
                        Ok(Subject { event, what: What::Nothing })
                    }
                    Closed::Over { opened_at, items } => {
                        let items = self.still_wanted(items).await?;
                        if items.is_empty() {
                            return Ok(Subject { event, what: What::Nothing });
                        }
                        let policy = found.digest_policy(step);
                        let closed =
                            digest::Window { name: &window, step, only, opened_at, closed_at: self.now };
                        let digest = Collected::of(items, policy, &closed);
                        let (items, summary) = (&digest.items, &digest.summary);
                        let event = closing::event(&event, &window_id, items, summary, self.now);
                        let start = resume.unwrap_or_else(|| Start::after_digest(step, only));
                        let digest = Some(Box::new(digest));
                        let what = What::Rule { rule, audience: vec![audience], start, digest };
                        Ok(Subject { event, what })
                    }
                }
            }
        }
    }

    /// What was collected, without what was cancelled since.
    async fn still_wanted(
        &self,
        items: Vec<(digest::Item, Option<CancelKey>)>,
    ) -> Result<Vec<digest::Item>, Refused> {
        let mut wanted = Vec::with_capacity(items.len());
        for (item, cancel) in items {
            let cancelled = match &cancel {
                Some(key) => self.counters.cancelled(key).await?,
                None => None,
            };
            let event = event_part(&item.source, &item.id);
            if !cancelled.is_some_and(|cancelled| cancelled.takes_back(item.time, &event)) {
                wanted.push(item);
            }
        }
        Ok(wanted)
    }

    /// The next people of a large audience.
    async fn page(
        &self,
        event: Event,
        rule: &Rule,
        cursor: Cursor,
        onward: &mut Onward,
    ) -> Result<Subject, Refused> {
        let page = page_name(&event, rule, &cursor);
        if self.counters.is_page_done(&page).await? {
            return Ok(Subject { event, what: What::Nothing });
        }
        onward.page = Some(page);
        let (audience, next) = match cursor {
            Cursor::Named(from) => {
                let document = event.document();
                let all = plan::audience(rule, &document["detail"]);
                let next = (all.len() > from + PAGE).then_some(Cursor::Named(from + PAGE));
                (all.into_iter().skip(from).take(PAGE).collect(), next)
            }
            Cursor::Member { group, after } => {
                let page = self.members(&group, Some(&after)).await?;
                let audience = page.ids.into_iter().map(|id| plan::member(&group, id)).collect();
                (audience, page.next.map(|after| Cursor::Member { group, after }))
            }
        };
        onward.later.extend(next.map(|next| self.next_page(&event, rule, next)));
        let what = What::Rule { rule: rule.name.clone(), audience, start: Start::default(), digest: None };
        Ok(Subject { event, what })
    }

    fn next_page(&self, event: &Event, rule: &Rule, cursor: Cursor) -> Leaving {
        let name = page_name(event, rule, &cursor);
        let wake = Wake::new(event, &rule.name, Task::FanOut { cursor });
        let leaving = Leaving::wake(self.catalog, event, &wake, self.now, name);
        match leaving.lane {
            // An emergency of a large audience does not wait behind other large audiences.
            Lane::Critical => leaving,
            Lane::Normal | Lane::Bulk => Leaving { lane: Lane::Bulk, ..leaving },
        }
    }

    /// The plan of a subject, with the first members of its groups; the rest is left for later.
    pub(crate) async fn plan(&self, subject: &'a Subject, onward: &mut Onward) -> Result<Plan<'a>, Refused> {
        let mut plan = self.matching(subject, onward).await?;
        let named = plan.unknown_endpoints();
        if !named.is_empty() {
            for endpoint in self.endpoints.find(&named).await? {
                plan.endpoints.insert(plan::endpoint_name(&endpoint.id), endpoint);
            }
        }
        Ok(plan)
    }

    async fn matching(&self, subject: &'a Subject, onward: &mut Onward) -> Result<Plan<'a>, Refused> {
        let event = &subject.event;
        match &subject.what {
            What::Event => {
                let mut plan = Plan::of(event, self.catalog);
                for matched in &mut plan.matches {
                    self.unfold(event, matched, onward).await?;
                }
                Ok(plan)
            }
            What::Rule { rule, audience, start, digest } => {
                let matched = self.catalog.rule(rule).map(|rule| Match {
                    rule,
                    audience: audience.clone(),
                    groups: Vec::new(),
                    start: start.clone(),
                });
                Ok(Plan::woken(event, self.catalog, matched, digest.as_deref().cloned()))
            }
            What::Nothing | What::Gone { .. } => Ok(Plan::woken(event, self.catalog, None, None)),
        }
    }

    async fn members(&self, group: &Group, after: Option<&str>) -> Result<Page, Refused> {
        match group {
            Group::Role { .. } | Group::Topic { .. } => self.people.members(group, after, MEMBERS).await,
            Group::Endpoints { tenant } => self.endpoints.ids(tenant.as_deref(), after, MEMBERS).await,
        }
    }

    async fn unfold(
        &self,
        event: &Event,
        matched: &mut Match<'_>,
        onward: &mut Onward,
    ) -> Result<(), Refused> {
        if matched.audience.len() > PAGE {
            matched.audience.truncate(PAGE);
            onward.later.push(self.next_page(event, matched.rule, Cursor::Named(PAGE)));
        }
        let groups: Vec<Group> = std::mem::take(&mut matched.groups);
        for group in groups {
            let page = self.members(&group, None).await?;
            matched.add(&group, page.ids);
            if let Some(after) = page.next {
                let cursor = Cursor::Member { group, after };
                onward.later.push(self.next_page(event, matched.rule, cursor));
            }
        }
        Ok(())
    }
}

/// The decision about what woke up for a rule that is not there any more.
pub(crate) fn gone(
    event: &Event,
    rule: &str,
    audience: Option<&Audience>,
    hashes: &KeyedHashes,
) -> Decision<'static> {
    let recipient = audience.map_or_else(|| "-".to_owned(), |audience| audience.name(hashes));
    Decision {
        key: Key::of(event, rule, &recipient, None, 0, "gone"),
        rule: None,
        recipient,
        channel: None,
        step: 0,
        verdict: Verdict::Suppress(Reason::RuleGone),
        notes: Vec::new(),
    }
}

fn page_name(event: &Event, rule: &Rule, cursor: &Cursor) -> String {
    let cursor = serde_json::to_string(cursor).expect("a cursor is strings and numbers");
    Key::of(event, &rule.name, "-", None, 0, &cursor).parts().1.to_owned()
}
