//! What must hold of everything that was decided in a world, said again without the engine.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::world::{Entry, Setting, What, World};
use crate::channel::Channel;
use crate::counter::Period;
use crate::event::Priority;
use crate::keyed_hash::KeyedHashes;
use crate::policy::Per;
use crate::preference::{Layers, Question};
use crate::recipient::{Recipient, Settings};
use crate::rule::{Expiry, Rule, Step, Unless, Wait};
use crate::span::Span;
use crate::window::Opening;
use crate::zone::Zone;

/// One run: event, rule, recipient, and how often it has come round.
type Run<'w> = (&'w (String, String), &'w str, &'w str, u32);

/// What a throttle counts apart: rule, step, tenant, recipient and value.
type Counter = (String, usize, String, String, String);

/// A world that came to rest.
pub(super) struct Oracle<'w> {
    pub(super) world: &'w World,
}

impl<'w> Oracle<'w> {
    pub(super) fn check(&self) {
        self.no_member_is_told_twice();
        for sent in self.sent() {
            self.nobody_is_told_what_they_refused(sent);
            self.nothing_goes_to_a_closed_channel(sent);
            self.nobody_is_disturbed(sent);
            self.nothing_is_told_too_late(sent);
            self.nothing_is_told_after_it_was_noticed(sent);
            self.nothing_comes_before_its_wait_is_over(sent);
        }
        self.steps_come_in_order();
        self.every_channel_has_one_answer();
        self.no_throttle_lets_more_through();
        self.no_cap_lets_more_through();
        self.everything_collected_is_told_once();
        assert!(self.world.wakes.is_empty(), "something never comes to an end");
    }

    fn setting(&self) -> &'w Setting {
        &self.world.setting
    }

    /// Every order, also one that the ledger would not let through.
    fn sent(&self) -> impl Iterator<Item = &'w Entry> {
        self.world.log.iter().filter(|it| matches!(it.what, What::Sent { .. }))
    }

    fn rule(&self, it: &Entry) -> &'w Rule {
        self.setting().catalog.rule(&it.rule).unwrap()
    }

    fn person(&self, it: &Entry) -> Option<&'w Recipient> {
        self.setting().recipients.get(&it.recipient)
    }

    fn settings(&self, it: &Entry) -> [Option<&'w Settings>; 2] {
        let tenant = it.about.tenant.as_deref();
        let of = |all: &'w BTreeMap<String, Settings>| tenant.and_then(|tenant| all.get(tenant));
        [self.person(it).and_then(|person| of(&person.in_tenants)), of(&self.setting().tenants)]
    }

    fn no_member_is_told_twice(&self) {
        let mut keys = BTreeMap::new();
        let mut members = BTreeMap::new();
        for it in self.sent() {
            let What::Sent { device, .. } = &it.what else { continue };
            let member = (run(it), it.channel.unwrap().name(), it.step, device.clone());
            assert_eq!(*keys.entry(&it.key).or_insert_with(|| member.clone()), member, "a key for two");
            assert_eq!(*members.entry(member).or_insert(&it.key), &it.key, "two keys for one");
        }
        let first = self.sent().filter(|sent| matches!(sent.what, What::Sent { first: true, .. }));
        let keys: Vec<_> = first.map(|first| &first.key).collect();
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }

    fn nobody_is_told_what_they_refused(&self, it: &Entry) {
        let (Some(person), rule) = (self.person(it), self.rule(it)) else { return };
        let event = &it.about;
        let [in_tenant, tenant] = self.settings(it);
        let layers = Layers {
            environment: self.setting().catalog.policy().preferences.as_ref(),
            tenant: tenant.and_then(|tenant| tenant.preferences.as_ref()),
            recipient: person.preferences.as_ref(),
            recipient_in_tenant: in_tenant.and_then(|in_tenant| in_tenant.preferences.as_ref()),
            unsubscribed: Some(&person.unsubscribed),
        };
        let vote = layers.vote(&Question {
            rule: &rule.name,
            categories: &[&rule.category],
            channel: it.channel.unwrap().name(),
            channel_id: None,
            commercial: rule.commercial,
            critical: rule.priority == Some(Priority::Critical),
            has_tenant: event.tenant.is_some(),
            document: &event.document(),
        });
        assert!(vote.allowed, "{} was told against {}", it.recipient, vote.because);
    }

    fn nothing_goes_to_a_closed_channel(&self, it: &Entry) {
        let Some(person) = self.person(it) else { return };
        let hashes = KeyedHashes::development();
        assert!(person.suppression(it.channel.unwrap(), it.at, &hashes).is_none(), "a closed channel");
    }

    fn nobody_is_disturbed(&self, it: &Entry) {
        let What::Sent { device, .. } = &it.what else { return };
        if !it.channel.unwrap().disturbs() || is_critical(self.rule(it)) {
            return;
        }
        let (person, [in_tenant, tenant]) = (self.person(it), self.settings(it));
        let policy = self.setting().catalog.policy();
        let quiet = in_tenant
            .and_then(|in_tenant| in_tenant.quiet.as_ref())
            .or(person.and_then(|person| person.quiet.as_ref()));
        let quiet = quiet.or(tenant.and_then(|tenant| tenant.quiet.as_ref())).or(policy.quiet.as_ref());
        let Some(windows) = quiet else { return };
        let device = person.and_then(|person| person.devices.iter().find(|it| it.id == *device));
        let zones = [
            device.and_then(|device| device.zone.as_deref()),
            in_tenant.and_then(|in_tenant| in_tenant.zone.as_deref()),
            person.and_then(|person| person.zone.as_deref()),
            tenant.and_then(|tenant| tenant.zone.as_deref()),
        ];
        let zone = zones.into_iter().flatten().find_map(|zone| Zone::parse(zone).ok());
        let zone = zone.unwrap_or_else(|| policy.zone.clone());
        assert_eq!(
            windows.opening(&zone, it.at),
            Opening::Open,
            "{} is disturbed at {}",
            it.recipient,
            it.at
        );
    }

    fn nothing_is_told_too_late(&self, it: &Entry) {
        let by_rule = match &self.rule(it).expires {
            Some(Expiry::After(length)) => Some(it.about.time + *length),
            Some(Expiry::Event(_)) | None => None,
        };
        assert!(by_rule.is_none_or(|end| it.at <= end), "it was too late");
    }

    fn nothing_is_told_after_it_was_noticed(&self, it: &Entry) {
        let Step::Send(send) = &self.rule(it).steps[it.step as usize] else { panic!("it sends nothing") };
        let Some(unless) = send.unless else { return };
        let before = self.sent().filter(|other| run(other) == run(it) && other.step < it.step);
        let noticed = before.filter_map(|other| self.world.tables.seen.get(&other.key));
        let enough = noticed.filter(|(how, at)| *how >= unless && *at < it.at);
        assert_eq!(enough.count(), 0, "it was {} before", Unless::name(unless));
    }

    /// Every wait between where a run came in and this step takes its time.
    fn nothing_comes_before_its_wait_is_over(&self, it: &Entry) {
        let rule = self.rule(it);
        let of_run: Vec<&Entry> = self.world.log.iter().filter(|other| run(other) == run(it)).collect();
        // A closed window is a run of its own that begins behind the digest.
        let begins = if it.event.0 == crate::closing::SOURCE { of_run[0].start.step } else { 0 };
        let begins = begins as usize;
        let waits = (begins..it.step as usize).filter_map(|at| match &rule.steps[at] {
            Step::Wait(Wait::For(length)) => {
                let is_first_word = !rule.steps[..at].iter().any(|step| matches!(step, Step::Send(_)));
                (!is_critical(rule) || !is_first_word).then_some(*length)
            }
            Step::Wait(_) | Step::Send(_) | Step::Digest(_) | Step::Throttle(_) => None,
        });
        let length = waits.fold(SignedDuration::ZERO, |sum, it| sum + it);
        let since = of_run.iter().map(|it| it.at).min().unwrap();
        assert!(it.at >= since + length, "step {} of {} came too early", it.step, it.rule);
    }

    /// Apart from what was held back, a later step is never told before an earlier one.
    fn steps_come_in_order(&self) {
        let mut reached: BTreeMap<Run<'_>, u32> = BTreeMap::new();
        let in_turn = |entry: &&Entry| {
            matches!(entry.what, What::Sent { first: true, .. }) && entry.start.only.is_none()
        };
        for it in self.sent().filter(in_turn) {
            let last = reached.entry(run(it)).or_insert(it.step);
            // One that comes again may send what was refused, held back or collected the first time; or to a device
            // that was not to be disturbed then, when the others of its owner were told.
            let again = self.world.log.iter().any(|other| {
                (run(other), other.step, other.channel) == (run(it), it.step, it.channel)
                    && (!matches!(other.what, What::Sent { .. })
                        || it.channel == Some(Channel::Push) && other.at < it.at)
            });
            assert!(*last <= it.step || again, "step {} came after {last}", it.step);
            *last = it.step.max(*last);
        }
    }

    /// One decision settles each channel of a step in one way.
    fn every_channel_has_one_answer(&self) {
        let mut answers: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        let mut sends = BTreeSet::new();
        for (at, it) in self.world.log.iter().enumerate() {
            let Some(channel) = it.channel else { continue };
            let place = (self.world.batches[at], run(it), it.step, channel.name());
            let answer = match &it.what {
                What::Sent { .. } => "sent",
                What::No(_) => "no",
                // Some of the devices may have to wait.
                What::Later if channel == Channel::Push => continue,
                What::Later => "later",
                What::Merged => "merged",
                What::Cancels => "cancels",
            };
            if matches!(it.what, What::No(_)) {
                assert!(sends.insert(place), "two refusals of one");
            }
            answers.entry(place).or_default().insert(answer);
        }
        for (place, answers) in answers {
            assert_eq!(answers.len(), 1, "{place:?}: {answers:?}");
        }
    }

    /// Windows that open at the first pass, each with so many at most.
    fn no_throttle_lets_more_through(&self) {
        let mut passes: BTreeMap<Counter, BTreeMap<Run<'_>, Timestamp>> = BTreeMap::new();
        for it in &self.world.log {
            let rule = self.rule_of(it);
            let passed = matches!(it.what, What::Sent { .. })
                || (matches!(it.what, What::Merged) && it.start.only.is_none());
            let Some(rule) = rule.filter(|rule| passed && !is_critical(rule)) else { continue };
            // Each is passed once, by the first that is sent or collected after it; what was collected has passed those
            // before its digest, and what goes straight through passes them itself.
            let is_digest = it.event.0 == crate::closing::SOURCE;
            let since = (0..it.step as usize)
                .rev()
                .take_while(|at| !is_digest || !matches!(rule.steps[*at], Step::Digest(_)));
            // What was collected for the morning has passed them before.
            let first = self.world.log.iter().find(|other| run(other) == run(it)).unwrap();
            let guards = since.filter(|_| first.start.only.is_none());
            for at in guards {
                let Step::Throttle(throttle) = &rule.steps[at] else { continue };
                let event = &it.about;
                let envelope = &event.document()["detail"];
                let hashes = KeyedHashes::development();
                let value = crate::decide::limits::value(throttle.key.as_ref(), envelope, &hashes);
                // An event without a key is counted by no throttle.
                let Some(value) = value else { continue };
                let tenant = event.tenant.clone().unwrap_or_default();
                let place = (rule.name.clone(), at, tenant, it.recipient.clone(), value);
                // What goes straight through a digest has passed the throttles before it there, however long it waits
                // behind it. A room is not asked to collect, and passes them when it is told.
                let is_room = it.recipient.starts_with("room:");
                let digest = (at..it.step as usize).find(|at| matches!(rule.steps[*at], Step::Digest(_)));
                let behind = digest.filter(|_| !is_digest && !is_room).and_then(|digest| {
                    let of_run = self.world.log.iter().filter(|other| run(other) == run(it));
                    of_run.filter(|other| other.step as usize > digest).map(|other| other.at).min()
                });
                passes.entry(place).or_default().entry(run(it)).or_insert(behind.unwrap_or(it.at));
            }
        }
        for ((rule, step, ..), passes) in passes {
            let Step::Throttle(throttle) = &self.setting().catalog.rule(&rule).unwrap().steps[step] else {
                continue;
            };
            let Span::For(length) = throttle.per else { continue };
            let mut times: Vec<Timestamp> = passes.into_values().collect();
            times.sort_unstable();
            while let Some(opens) = times.first().copied() {
                let within = times.iter().filter(|it| **it < opens + length).count();
                assert!(within <= throttle.most as usize, "{within} passed the throttle of {rule}");
                times.drain(..within);
            }
        }
    }

    /// Of what a cap may block, nothing is sent while it is full. What is sent at one instant has no order.
    fn no_cap_lets_more_through(&self) {
        for cap in &self.setting().catalog.policy().caps {
            let Period::Rolling(length) = cap.limit.period() else { continue };
            let mut counted: BTreeMap<String, Vec<(Timestamp, bool)>> = BTreeMap::new();
            let mut seen = BTreeSet::new();
            for it in self.sent() {
                let rule = self.rule(it);
                if !seen.insert((run(it), it.step, it.channel.unwrap().name()))
                    || cap.channel.is_some_and(|of| Some(of) != it.channel)
                    || cap.category.as_ref().is_some_and(|of| *of != rule.category)
                {
                    continue;
                }
                let whose = match cap.per {
                    Per::Recipient => it.recipient.clone(),
                    Per::Tenant => it.about.tenant.clone().unwrap_or_default(),
                    Per::Environment => String::new(),
                };
                let free = is_critical(rule) || cap.except.contains(&rule.category);
                counted.entry(whose).or_default().push((it.at, free));
            }
            for times in counted.values() {
                for (at, _) in times.iter().filter(|(_, free)| !free) {
                    let before = times.iter().filter(|(past, _)| past < at && *at < *past + length);
                    let now = times.iter().filter(|(same, free)| same == at && !free);
                    assert!(before.count() + now.count() <= cap.limit.most() as usize, "the cap was full");
                }
            }
        }
    }

    fn everything_collected_is_told_once(&self) {
        let tables = &self.world.tables;
        for (window, items) in &tables.windows {
            let told = self.world.told.get(window);
            for (key, (item, cancel, _)) in items {
                let taken_back =
                    cancel.as_ref().and_then(|cancel| tables.cancelled.get(cancel)).is_some_and(|it| {
                        it.takes_back(item.time, &crate::key::event_part(&item.source, &item.id))
                    });
                assert!(
                    taken_back || told.is_some_and(|told| told.contains(key)),
                    "it was collected and never told"
                );
            }
        }
        let places: Vec<&String> = tables.windows.values().flat_map(BTreeMap::keys).collect();
        assert_eq!(places.len(), places.iter().collect::<BTreeSet<_>>().len(), "it is in two windows");
    }

    fn rule_of(&self, it: &Entry) -> Option<&'w Rule> {
        self.setting().catalog.rule(&it.rule)
    }
}

fn run(it: &Entry) -> Run<'_> {
    (&it.event, &it.rule, &it.recipient, it.start.occurrence)
}

fn is_critical(rule: &Rule) -> bool {
    rule.priority == Some(Priority::Critical)
}
