//! Expands a subject to a plan with a known audience. Groups become members, and a closed digest becomes an event.

use domain::Timestamp;
use domain::catalog::rule::Rule;
use domain::decide::continuation::{Continuation, Cursor, Start, Task};
use domain::decide::digest_event;
use domain::decide::plan::{self, Match, Plan};
use domain::decide::{Answer, Ask};
use domain::event::Event;
use domain::event::key::{Key, event_part};
use domain::limits::cancel::CancelKey;
use domain::limits::digest::{self, Collected};

use crate::subject::{FollowUp, Part, Subject};
use crate::{ClosedWindow, Engine, Facts};

/// A subject, the rules that match, and their recipients.
pub struct Planned<'a> {
    pub subject: &'a Subject,
    pub plan: Plan<'a>,
    /// Further pages of large audiences.
    pub(crate) pages: Vec<FollowUp>,
}

impl Planned<'_> {
    /// Reports whether an earlier pass deferred this part. Its event was counted in that pass.
    #[must_use]
    pub fn is_continued(&self) -> bool {
        self.plan.resumed
    }

    /// Reports whether the pass handles a page of a large audience, or defers further pages.
    pub(crate) fn is_of_large_audience(&self) -> bool {
        self.subject.page.is_some() || !(self.pages.is_empty() && self.subject.follow_ups.is_empty())
    }
}

impl<'a, F: Facts> Engine<'a, F> {
    /// Reads the task of a continuation and the facts that it needs.
    ///
    /// # Errors
    /// A look-up failed.
    pub async fn resume(
        &self,
        event: Event,
        rule: String,
        task: Task,
        now: Timestamp,
    ) -> Result<Subject, F::Error> {
        let Some(known) = self.catalog.rule(&rule) else {
            let audience = match task {
                Task::Run { audience, .. } | Task::Close { audience, .. } => Some(audience),
                Task::FanOut { .. } => None,
            };
            return Ok(Subject::of(event, Part::RuleGone { rule, audience }));
        };
        match task {
            Task::Run { audience, start } => Ok(Subject::rule(event, rule, vec![audience], start, None)),
            Task::FanOut { cursor } => self.page(event, known, cursor, now).await,
            Task::Close { audience, step, only, window, window_id, resume } => {
                match self.facts.close_window(&window, &window_id, now).await? {
                    ClosedWindow::Open { until } => {
                        let name = Continuation::name(&Key::from(window_id.clone()), until);
                        let task = Task::Close { audience, step, only, window, window_id, resume };
                        let mut subject = Subject::of(event, Part::Nothing);
                        subject.follow_ups.push(FollowUp { rule, task, at: until, name, is_page: false });
                        Ok(subject)
                    }
                    ClosedWindow::Closed { opened_at, items } => {
                        let items = self.without_cancelled(items, now).await?;
                        if items.is_empty() {
                            return Ok(Subject::of(event, Part::Nothing));
                        }
                        let policy = known.digest_policy(step);
                        let closed = digest::Window { name: &window, step, only, opened_at, closed_at: now };
                        let digest = Collected::of(items, policy, &closed);
                        let event =
                            digest_event::event(&event, &window_id, &digest.items, &digest.summary, now);
                        let start = resume.unwrap_or_else(|| Start::after_digest(step, only));
                        Ok(Subject::rule(event, rule, vec![audience], start, Some(digest)))
                    }
                }
            }
        }
    }

    /// Returns the collected events that were not cancelled while the window was open.
    async fn without_cancelled(
        &self,
        items: Vec<(digest::Item, Option<CancelKey>)>,
        now: Timestamp,
    ) -> Result<Vec<digest::Item>, F::Error> {
        let mut wanted = Vec::with_capacity(items.len());
        for (item, key) in items {
            let cancelled = match key {
                Some(key) => match self.facts.answer(&Ask::Cancelled { key }, now).await? {
                    Answer::Cancelled(cancelled) => cancelled,
                    Answer::Seen(_)
                    | Answer::Notified(_)
                    | Answer::Heard(_)
                    | Answer::Admitted { .. }
                    | Answer::Closed(_)
                    | Answer::Joined { .. }
                    | Answer::PassThrough => None,
                },
                None => None,
            };
            let event = event_part(&item.source, &item.id);
            if !cancelled.is_some_and(|cancelled| cancelled.takes_back(item.time, &event)) {
                wanted.push(item);
            }
        }
        Ok(wanted)
    }

    /// Returns the next recipients of a large audience.
    async fn page(
        &self,
        event: Event,
        rule: &Rule,
        cursor: Cursor,
        now: Timestamp,
    ) -> Result<Subject, F::Error> {
        let page = page_name(&event, rule, &cursor);
        if self.facts.is_page_done(&page).await? {
            return Ok(Subject::of(event, Part::Nothing));
        }
        let (audience, next) = match cursor {
            Cursor::Named(from) => {
                let document = event.document();
                let all = plan::audience(rule, &document["detail"]);
                let end = from.saturating_add(self.page_size);
                let next = (all.len() > end).then_some(Cursor::Named(end));
                (all.into_iter().skip(from).take(self.page_size).collect(), next)
            }
            Cursor::Member { group, after } => {
                let page = self.facts.members(&group, Some(&after), self.page_size).await?;
                let audience = page.ids.into_iter().map(|id| plan::member(&group, id)).collect();
                (audience, page.next.map(|after| Cursor::Member { group, after }))
            }
        };
        let follow_ups = next.map(|next| page_after(&event, rule, next, now)).into_iter().collect();
        let part = Part::Rule { rule: rule.name.clone(), audience, start: Start::default(), digest: None };
        Ok(Subject { event, part, follow_ups, page: Some(page) })
    }

    /// Finds the rules that match and expands their audiences to the first page of each group. Further pages are
    /// deferred.
    ///
    /// # Errors
    /// A look-up failed.
    pub async fn plan<'s>(&self, subject: &'s Subject, now: Timestamp) -> Result<Planned<'s>, F::Error>
    where
        'a: 's,
    {
        let event = &subject.event;
        let (mut plan, pages) = match &subject.part {
            Part::Event => {
                let (mut plan, mut pages) = (Plan::of(event, self.catalog), Vec::new());
                for matched in &mut plan.matches {
                    self.expand(event, matched, now, &mut pages).await?;
                }
                (plan, pages)
            }
            Part::Rule { rule, audience, start, digest } => {
                let matched = self.catalog.rule(rule).map(|rule| Match {
                    rule,
                    audience: audience.clone(),
                    groups: Vec::new(),
                    start: start.clone(),
                });
                (Plan::resumed(event, self.catalog, matched, digest.as_deref().cloned()), Vec::new())
            }
            Part::Nothing | Part::RuleGone { .. } => {
                (Plan::resumed(event, self.catalog, None, None), Vec::new())
            }
        };
        let named = plan.unknown_endpoints();
        if !named.is_empty() {
            for endpoint in self.facts.endpoints(&named).await? {
                plan.endpoints.insert(plan::endpoint_name(&endpoint.id), endpoint);
            }
        }
        Ok(Planned { subject, plan, pages })
    }

    async fn expand(
        &self,
        event: &Event,
        matched: &mut Match<'_>,
        now: Timestamp,
        pages: &mut Vec<FollowUp>,
    ) -> Result<(), F::Error> {
        if matched.audience.len() > self.page_size {
            matched.audience.truncate(self.page_size);
            pages.push(page_after(event, matched.rule, Cursor::Named(self.page_size), now));
        }
        for group in std::mem::take(&mut matched.groups) {
            let page = self.facts.members(&group, None, self.page_size).await?;
            matched.add(&group, page.ids);
            if let Some(after) = page.next {
                pages.push(page_after(event, matched.rule, Cursor::Member { group, after }, now));
            }
        }
        Ok(())
    }
}

fn page_after(event: &Event, rule: &Rule, cursor: Cursor, now: Timestamp) -> FollowUp {
    let name = page_name(event, rule, &cursor);
    FollowUp { rule: rule.name.clone(), task: Task::FanOut { cursor }, at: now, name, is_page: true }
}

fn page_name(event: &Event, rule: &Rule, cursor: &Cursor) -> String {
    let cursor = serde_json::to_string(cursor).expect("a cursor is strings and numbers");
    Key::of(event, &rule.name, "-", None, 0, &cursor).parts().1.to_owned()
}
