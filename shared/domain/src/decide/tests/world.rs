//! A simulation of dispatch in memory: people, tables, due continuations, and a log of all decisions. It handles
//! messages with the same calls as dispatch.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::tables::{Collected, Tables};
use super::verdict;
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::catalog::Catalog;
use crate::catalog::rule::{Rule, Unless};
use crate::decide::continuation::{Continuation, Cursor, Start, Task};
use crate::decide::digest_event;
use crate::decide::plan::{self, Audience, Match, Plan};
use crate::decide::{Answers, Decision, Facts, Note, Target, Verdict, decide};
use crate::event::Event;
use crate::event::key::{Key, event_part};
use crate::limits::cancel::Cancellation;
use crate::limits::digest::{self, Due, Item};
use crate::recipient::{Group, Recipients, RoleIn, Settings};

/// The highest number of question rounds of a decision.
const ROUNDS: usize = 60;

/// The constant part of a world.
pub(super) struct Setting {
    pub(super) catalog: Catalog,
    pub(super) recipients: Recipients,
    pub(super) tenants: BTreeMap<String, Settings>,
}

pub(super) struct World {
    pub(super) setting: Rc<Setting>,
    pub(super) tables: Tables,
    pub(super) now: Timestamp,
    /// The number of recipients in one message.
    pub(super) page: usize,
    /// Pending continuations with their times.
    pub(super) continuations: Vec<(Timestamp, String)>,
    pub(super) log: Vec<Entry>,
    /// The decision round of each log entry.
    pub(super) batches: Vec<usize>,
    /// Keys with an outcome or a send. A second send of a key is rejected.
    ledger: BTreeSet<Key>,
    /// The failover continuation of each sent message.
    failovers: BTreeMap<Key, Continuation>,
    /// The events that a closed window sent, by the window's id.
    pub(super) sent_by_window: BTreeMap<String, BTreeSet<String>>,
}

/// One decision with its time.
pub(super) struct Entry {
    pub(super) at: Timestamp,
    /// Source and id.
    pub(super) event: (String, String),
    pub(super) about: Event,
    pub(super) rule: String,
    pub(super) recipient: String,
    pub(super) channel: Option<Channel>,
    pub(super) step: u32,
    pub(super) start: Start,
    pub(super) key: Key,
    pub(super) result: LogResult,
    pub(super) notes: Vec<Note>,
    /// The template summary of a digest.
    pub(super) digest: Option<Value>,
    pub(super) text: String,
}

pub(super) enum LogResult {
    /// `first`: the ledger had no entry. `device` is empty for a channel without devices.
    Sent {
        device: String,
        first: bool,
    },
    Suppressed(Reason),
    Later,
    Merged,
    Cancels,
}

impl World {
    pub(super) fn new(setting: Setting, now: Timestamp) -> World {
        World {
            setting: Rc::new(setting),
            tables: Tables::default(),
            now,
            page: 2,
            continuations: Vec::new(),
            log: Vec::new(),
            batches: Vec::new(),
            ledger: BTreeSet::new(),
            failovers: BTreeMap::new(),
            sent_by_window: BTreeMap::new(),
        }
    }

    /// Delivers an event from the bus.
    pub(super) fn deliver(&mut self, event: &Event) {
        let setting = Rc::clone(&self.setting);
        let mut plan = Plan::of(event, &setting.catalog);
        for matched in &mut plan.matches {
            self.unfold(event, matched);
        }
        self.decide(&setting, &plan);
    }

    /// Delivers a continuation.
    pub(super) fn continuation(&mut self, text: &str) {
        let setting = Rc::clone(&self.setting);
        let continuation = Continuation::read(text).unwrap().unwrap();
        let event = continuation.event().unwrap();
        let rule = setting.catalog.rule(&continuation.rule).unwrap();
        match continuation.task {
            Task::Run { audience, start } => self.run(&setting, &event, rule, vec![audience], start, None),
            Task::FanOut { cursor } => {
                let (audience, next) = self.page(&event, rule, cursor);
                if let Some(next) = next {
                    self.leave(&event, rule, Task::FanOut { cursor: next }, self.now);
                }
                self.run(&setting, &event, rule, audience, Start::default(), None);
            }
            Task::Close { audience, step, only, window, window_id, resume } => {
                let header = self.tables.headers.get(&window);
                match digest::due(header, &window_id, self.now) {
                    Due::NotYet(at) => {
                        let task = Task::Close { audience, step, only, window, window_id, resume };
                        return self.leave(&event, rule, task, at);
                    }
                    Due::Close { next } => drop(self.tables.headers.insert(window.clone(), next)),
                    Due::AlreadyClosed => {}
                }
                let collected = self.tables.windows.get(&window_id).cloned().unwrap_or_default();
                let opened_at = collected.values().map(|(_, _, at)| *at).min().unwrap_or(self.now);
                let items = self.still_wanted(collected);
                if items.is_empty() {
                    return;
                }
                let keys: BTreeSet<String> = items.iter().map(|item| item.event_key.clone()).collect();
                self.sent_by_window.entry(window_id.clone()).or_default().extend(keys);
                let closed = digest::Window { name: &window, step, only, opened_at, closed_at: self.now };
                let digest = digest::Collected::of(items, rule.digest_policy(step), &closed);
                let event = digest_event::event(&event, &window_id, &digest.items, &digest.summary, self.now);
                let start = resume.unwrap_or_else(|| Start::after_digest(step, only));
                self.run(&setting, &event, rule, vec![audience], start, Some(digest));
            }
        }
    }

    fn run(
        &mut self,
        setting: &Setting,
        event: &Event,
        rule: &Rule,
        audience: Vec<Audience>,
        start: Start,
        digest: Option<digest::Collected>,
    ) {
        let matched = Match { rule, audience, groups: Vec::new(), start };
        self.decide(setting, &Plan::resumed(event, &setting.catalog, Some(matched), digest));
    }

    fn still_wanted(&self, items: Collected) -> Vec<Item> {
        let mut items: Vec<Item> = items
            .into_values()
            .filter(|(item, cancel, _)| {
                let cancelled = cancel.as_ref().and_then(|cancel| self.tables.cancelled.get(cancel));
                let event = event_part(&item.source, &item.id);
                !cancelled.is_some_and(|cancelled| cancelled.takes_back(item.time, &event))
            })
            .map(|(item, _, _)| item)
            .collect();
        items.sort_by(|a, b| (a.time, &a.event_key).cmp(&(b.time, &b.event_key)));
        items
    }

    fn unfold(&mut self, event: &Event, matched: &mut Match<'_>) {
        if matched.audience.len() > self.page {
            matched.audience.truncate(self.page);
            self.leave(event, matched.rule, Task::FanOut { cursor: Cursor::Named(self.page) }, self.now);
        }
        for group in std::mem::take(&mut matched.groups) {
            let (members, next) = self.members(group, "");
            if let Some(cursor) = next {
                self.leave(event, matched.rule, Task::FanOut { cursor }, self.now);
            }
            matched.add_members(members);
        }
    }

    fn page(&self, event: &Event, rule: &Rule, cursor: Cursor) -> (Vec<Audience>, Option<Cursor>) {
        match cursor {
            Cursor::Named(from) => {
                let all = plan::audience(rule, &event.document()["detail"]);
                let next = (all.len() > from + self.page).then_some(Cursor::Named(from + self.page));
                (all.into_iter().skip(from).take(self.page).collect(), next)
            }
            Cursor::Member { group, after } => {
                let (members, next) = self.members(group, &after);
                (members.into_iter().map(Audience::Member).collect(), next)
            }
        }
    }

    fn members(&self, group: Group, after: &str) -> (Vec<String>, Option<Cursor>) {
        let is_in = |recipient: &&crate::recipient::Recipient| match &group {
            Group::Role { scope, role } => {
                recipient.roles.contains(&RoleIn { role: role.clone(), scope: scope.clone() })
            }
            Group::Topic { tenant, name } => {
                recipient.topics.contains(name) && recipient.belongs_to(tenant.as_deref())
            }
            Group::Endpoints { .. } => false,
        };
        let mut ids: Vec<String> =
            self.setting.recipients.values().filter(is_in).map(|recipient| recipient.id.clone()).collect();
        ids.retain(|id| id.as_str() > after);
        let more = ids.len() > self.page;
        ids.truncate(self.page);
        let last = ids.last().cloned().filter(|_| more);
        (ids, last.map(|after| Cursor::Member { group, after }))
    }

    fn leave(&mut self, event: &Event, rule: &Rule, task: Task, at: Timestamp) {
        self.continuations.push((at, Continuation::new(event, &rule.name, task).to_json()));
    }

    fn decide(&mut self, setting: &Setting, plan: &Plan<'_>) {
        let decisions = self.decisions(setting, plan);
        let batch = self.batches.last().map_or(0, |last| last + 1);
        self.batches.extend(decisions.iter().map(|_| batch));
        for decision in decisions {
            if let Verdict::Cancel(key) = &decision.verdict {
                let by = event_part(&plan.event.source, &plan.event.id);
                self.tables.cancel(key.clone(), Cancellation { at: plan.event.time, by });
            }
            let task = match &decision.verdict {
                Verdict::Later(later) => Some((later.task(plan), later.until)),
                Verdict::Merge(merge) if merge.timer => Some((merge.task(), merge.closes_at)),
                Verdict::Merge(_) | Verdict::Send(_) | Verdict::Suppress(_) | Verdict::Cancel(_) => None,
            };
            if let (Some((task, at)), Some(rule)) = (task, decision.rule) {
                self.leave(plan.event, rule, task, at);
            }
            self.record(plan, decision);
        }
    }

    /// Asks until no question is open.
    fn decisions<'a>(&mut self, setting: &'a Setting, plan: &Plan<'a>) -> Vec<Decision<'a>> {
        let tenant = plan.event.tenant.as_deref().and_then(|tenant| setting.tenants.get(tenant));
        let mut answers = Answers::default();
        for _ in 0..ROUNDS {
            let facts = Facts { recipients: &setting.recipients, tenant, answers: &answers, now: self.now };
            let decided = decide(plan, &facts);
            if decided.asks.is_empty() {
                let again = decide(plan, &facts).decisions;
                let key_and_verdict =
                    |decision: &Decision<'_>| (decision.key.clone(), verdict(&decision.verdict));
                assert!(
                    decided.decisions.iter().map(key_and_verdict).eq(again.iter().map(key_and_verdict)),
                    "a repeated decision differs"
                );
                let keys: BTreeSet<&Key> = decided.decisions.iter().map(|decision| &decision.key).collect();
                assert_eq!(keys.len(), decided.decisions.len(), "two decisions have one key");
                return decided.decisions;
            }
            for ask in &decided.asks {
                answers.insert(ask, self.tables.answer(ask, self.now));
            }
        }
        panic!("a decision asks too many questions");
    }

    fn record(&mut self, plan: &Plan<'_>, decision: Decision<'_>) {
        let text = verdict(&decision.verdict);
        let result = match decision.verdict {
            Verdict::Send(order) => {
                self.tables.sent.insert(decision.key.clone());
                if let (Some((_, task)), Some(rule)) = (&order.failover, decision.rule) {
                    let continuation = Continuation::new(plan.event, &rule.name, task.clone());
                    self.failovers.insert(decision.key.clone(), continuation);
                }
                let device = match order.target {
                    Target::Push(device) => device.id,
                    Target::Email(_)
                    | Target::Sms(_)
                    | Target::Whatsapp(_)
                    | Target::Message { .. }
                    | Target::Socket(_)
                    | Target::Broadcast(_)
                    | Target::Webhook { .. } => String::new(),
                };
                LogResult::Sent { device, first: self.ledger.insert(decision.key.clone()) }
            }
            Verdict::Suppress(reason) => {
                self.ledger.insert(decision.key.clone());
                LogResult::Suppressed(reason)
            }
            Verdict::Later(_) => LogResult::Later,
            Verdict::Merge(_) => LogResult::Merged,
            Verdict::Cancel(_) => LogResult::Cancels,
        };
        let rule = decision.rule.map_or("-", |rule| rule.name.as_str());
        let matched = plan.matches.iter().find(|matched| matched.rule.name == rule);
        self.log.push(Entry {
            at: self.now,
            event: (plan.event.source.clone(), plan.event.id.clone()),
            about: plan.event.clone(),
            rule: rule.to_owned(),
            recipient: decision.recipient,
            channel: decision.channel,
            step: decision.step,
            start: matched.map(|matched| matched.start.clone()).unwrap_or_default(),
            key: decision.key,
            result,
            notes: decision.notes,
            digest: plan.digest.as_ref().map(|digest| digest.summary.clone()),
            text,
        });
    }

    /// Advances the clock and delivers due continuations at their times.
    pub(super) fn pass(&mut self, length: SignedDuration) {
        let until = self.now.checked_add(length).unwrap();
        while let Some(next) = (0..self.continuations.len()).min_by_key(|index| self.continuations[*index].0)
            && self.continuations[next].0 <= until
        {
            let (at, text) = self.continuations.remove(next);
            self.now = self.now.max(at);
            self.continuation(&text);
        }
        self.now = until;
    }

    /// A provider rejects the latest message on a channel, or to one device.
    pub(super) fn fail(&mut self, on: Channel, device: &str, why: Reason) {
        let sent = self.log.iter().rev().find(|entry| {
            entry.channel == Some(on)
                && matches!(&entry.result, LogResult::Sent { device: sent_to, .. } if sent_to == device)
        });
        let key = sent.unwrap().key.clone();
        self.tables.sent.remove(&key);
        if let Some(continuation) = self.failovers.get(&key).cloned() {
            self.continuation(&continuation.because(why).to_json());
        }
    }

    /// The recipient sees or acknowledges the notification with this key.
    pub(super) fn notice(&mut self, key: &Key, how: Unless) {
        let found = self.tables.seen.entry(key.clone()).or_insert((how, self.now));
        if how > found.0 {
            *found = (how, self.now);
        }
    }

    /// The first sends of each key.
    pub(super) fn sent(&self) -> impl Iterator<Item = &Entry> {
        self.log.iter().filter(|entry| matches!(entry.result, LogResult::Sent { first: true, .. }))
    }
}
