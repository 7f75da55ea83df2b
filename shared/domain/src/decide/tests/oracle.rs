//! Invariants of all decisions in a world, checked independently of the engine.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::world::{Entry, LogResult, Setting, World};
use crate::base::channel::Channel;
use crate::catalog::policy::Per;
use crate::catalog::rule::{Expiry, Rule, Step, Unless, Wait};
use crate::event::Priority;
use crate::limits::counter::Period;
use crate::recipient::keyed_hash::KeyedHashes;
use crate::recipient::preference::{Layers, Question};
use crate::recipient::{Recipient, Settings};
use crate::time::quiet_hours::Opening;
use crate::time::span::Span;
use crate::time::zone::Zone;

/// One run: event, rule, recipient and occurrence.
type Run<'w> = (&'w (String, String), &'w str, &'w str, u32);

/// The counter of a throttle: rule, step, tenant, recipient and value.
type Counter = (String, usize, String, String, String);

/// A world in which no run is pending.
pub(super) struct Oracle<'w> {
    pub(super) world: &'w World,
}

impl<'w> Oracle<'w> {
    pub(super) fn check(&self) {
        self.check_keys_are_unique();
        for sent in self.sent() {
            self.check_preferences(sent);
            self.check_suppression(sent);
            self.check_quiet_hours(sent);
            self.check_expiry(sent);
            self.check_engagement(sent);
            self.check_waits(sent);
        }
        self.check_step_order();
        self.check_one_result_per_channel();
        self.check_throttles();
        self.check_caps();
        self.check_digests();
        assert!(self.world.continuations.is_empty(), "a run never ends");
    }

    fn setting(&self) -> &'w Setting {
        &self.world.setting
    }

    /// Every send, including repeated ones that the ledger rejects.
    fn sent(&self) -> impl Iterator<Item = &'w Entry> {
        self.world.log.iter().filter(|entry| matches!(entry.result, LogResult::Sent { .. }))
    }

    fn rule(&self, entry: &Entry) -> &'w Rule {
        self.setting().catalog.rule(&entry.rule).unwrap()
    }

    fn person(&self, entry: &Entry) -> Option<&'w Recipient> {
        self.setting().recipients.get(&entry.recipient)
    }

    fn settings(&self, entry: &Entry) -> [Option<&'w Settings>; 2] {
        let tenant = entry.about.tenant.as_deref();
        let of = |all: &'w BTreeMap<String, Settings>| tenant.and_then(|tenant| all.get(tenant));
        [self.person(entry).and_then(|person| of(&person.in_tenants)), of(&self.setting().tenants)]
    }

    fn check_keys_are_unique(&self) {
        let mut keys = BTreeMap::new();
        let mut members = BTreeMap::new();
        for entry in self.sent() {
            let LogResult::Sent { device, .. } = &entry.result else { continue };
            let member = (run(entry), entry.channel.unwrap().name(), entry.step, device.clone());
            assert_eq!(
                *keys.entry(&entry.key).or_insert_with(|| member.clone()),
                member,
                "two messages have one key"
            );
            assert_eq!(*members.entry(member).or_insert(&entry.key), &entry.key, "one message has two keys");
        }
        let first = self.sent().filter(|sent| matches!(sent.result, LogResult::Sent { first: true, .. }));
        let keys: Vec<_> = first.map(|first| &first.key).collect();
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
    }

    fn check_preferences(&self, entry: &Entry) {
        let (Some(person), rule) = (self.person(entry), self.rule(entry)) else { return };
        let event = &entry.about;
        let [in_tenant, tenant] = self.settings(entry);
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
            channel: entry.channel.unwrap().name(),
            channel_id: None,
            commercial: rule.commercial,
            critical: rule.priority == Some(Priority::Critical),
            has_tenant: event.tenant.is_some(),
            document: &event.document(),
        });
        assert!(vote.allowed, "{} was notified against {}", entry.recipient, vote.because);
    }

    fn check_suppression(&self, entry: &Entry) {
        let Some(person) = self.person(entry) else { return };
        let hashes = KeyedHashes::development();
        assert!(
            person.suppression(entry.channel.unwrap(), entry.at, &hashes).is_none(),
            "a suppressed channel"
        );
    }

    fn check_quiet_hours(&self, entry: &Entry) {
        let LogResult::Sent { device, .. } = &entry.result else { return };
        if !entry.channel.unwrap().disturbs() || is_critical(self.rule(entry)) {
            return;
        }
        let (person, [in_tenant, tenant]) = (self.person(entry), self.settings(entry));
        let policy = self.setting().catalog.policy();
        let quiet = in_tenant
            .and_then(|in_tenant| in_tenant.quiet.as_ref())
            .or(person.and_then(|person| person.quiet.as_ref()));
        let quiet = quiet.or(tenant.and_then(|tenant| tenant.quiet.as_ref())).or(policy.quiet.as_ref());
        let Some(windows) = quiet else { return };
        let device = person.and_then(|person| person.devices.iter().find(|known| known.id == *device));
        let zones = [
            device.and_then(|device| device.zone.as_deref()),
            in_tenant.and_then(|in_tenant| in_tenant.zone.as_deref()),
            person.and_then(|person| person.zone.as_deref()),
            tenant.and_then(|tenant| tenant.zone.as_deref()),
        ];
        let zone = zones.into_iter().flatten().find_map(|zone| Zone::parse(zone).ok());
        let zone = zone.unwrap_or_else(|| policy.zone.clone());
        assert_eq!(
            windows.opening(&zone, entry.at),
            Opening::Open,
            "{} is disturbed at {}",
            entry.recipient,
            entry.at
        );
    }

    fn check_expiry(&self, entry: &Entry) {
        let by_rule = match &self.rule(entry).expires {
            Some(Expiry::After(length)) => Some(entry.about.time + *length),
            Some(Expiry::Event(_)) | None => None,
        };
        assert!(by_rule.is_none_or(|end| entry.at <= end), "sent after the expiry");
    }

    fn check_engagement(&self, entry: &Entry) {
        let Step::Send(send) = &self.rule(entry).steps[entry.step as usize] else {
            panic!("entry sends nothing")
        };
        let Some(unless) = send.unless else { return };
        let before = self.sent().filter(|other| run(other) == run(entry) && other.step < entry.step);
        let noticed = before.filter_map(|other| self.world.tables.seen.get(&other.key));
        let enough = noticed.filter(|(how, at)| *how >= unless && *at < entry.at);
        assert_eq!(enough.count(), 0, "an earlier notification was {}", Unless::name(unless));
    }

    /// Every wait between the start of the run and this step must have passed.
    fn check_waits(&self, entry: &Entry) {
        let rule = self.rule(entry);
        let of_run: Vec<&Entry> = self.world.log.iter().filter(|other| run(other) == run(entry)).collect();
        // The run of a closed window begins after the digest step.
        let begins =
            if entry.event.0 == crate::event::own_events::DIGEST_SOURCE { of_run[0].start.step } else { 0 };
        let begins = begins as usize;
        let waits = (begins..entry.step as usize).filter_map(|index| match &rule.steps[index] {
            Step::Wait(Wait::For(length)) => {
                let is_before_first_send =
                    !rule.steps[..index].iter().any(|step| matches!(step, Step::Send(_)));
                (!is_critical(rule) || !is_before_first_send).then_some(*length)
            }
            Step::Wait(_) | Step::Send(_) | Step::Digest(_) | Step::Throttle(_) => None,
        });
        let length = waits.fold(SignedDuration::ZERO, |sum, wait| sum + wait);
        let since = of_run.iter().map(|entry| entry.at).min().unwrap();
        assert!(entry.at >= since + length, "step {} of {} was sent too early", entry.step, entry.rule);
    }

    /// A later step is never sent before an earlier one, except for deferred notifications.
    fn check_step_order(&self) {
        let mut reached: BTreeMap<Run<'_>, u32> = BTreeMap::new();
        let in_turn = |entry: &&Entry| {
            matches!(entry.result, LogResult::Sent { first: true, .. }) && entry.start.only.is_none()
        };
        for entry in self.sent().filter(in_turn) {
            let last = reached.entry(run(entry)).or_insert(entry.step);
            // A redelivered run may send a notification that was refused, deferred or collected the first time. It may
            // also send to a device that quiet hours deferred.
            let again = self.world.log.iter().any(|other| {
                (run(other), other.step, other.channel) == (run(entry), entry.step, entry.channel)
                    && (!matches!(other.result, LogResult::Sent { .. })
                        || entry.channel == Some(Channel::Push) && other.at < entry.at)
            });
            assert!(*last <= entry.step || again, "step {} was sent after {last}", entry.step);
            *last = entry.step.max(*last);
        }
    }

    /// One decision round has one result for each channel of a step.
    fn check_one_result_per_channel(&self) {
        let mut answers: BTreeMap<_, BTreeSet<&str>> = BTreeMap::new();
        let mut sends = BTreeSet::new();
        for (index, entry) in self.world.log.iter().enumerate() {
            let Some(channel) = entry.channel else { continue };
            let place = (self.world.batches[index], run(entry), entry.step, channel.name());
            let answer = match &entry.result {
                LogResult::Sent { .. } => "sent",
                LogResult::Suppressed(_) => "no",
                // Some of the devices may be deferred.
                LogResult::Later if channel == Channel::Push => continue,
                LogResult::Later => "later",
                LogResult::Merged => "merged",
                LogResult::Cancels => "cancels",
            };
            if matches!(entry.result, LogResult::Suppressed(_)) {
                assert!(sends.insert(place), "two refusals of one channel");
            }
            answers.entry(place).or_default().insert(answer);
        }
        for (place, answers) in answers {
            assert_eq!(answers.len(), 1, "{place:?}: {answers:?}");
        }
    }

    /// Windows open at the first pass; each window has at most the limit of the throttle.
    fn check_throttles(&self) {
        let mut passes: BTreeMap<Counter, BTreeMap<Run<'_>, Timestamp>> = BTreeMap::new();
        for entry in &self.world.log {
            let rule = self.rule_of(entry);
            let passed = matches!(entry.result, LogResult::Sent { .. })
                || (matches!(entry.result, LogResult::Merged) && entry.start.only.is_none());
            let Some(rule) = rule.filter(|rule| passed && !is_critical(rule)) else { continue };
            // The first send or digest after a throttle passes it. A closed digest has passed the throttles before its
            // step; an event that passed through the digest passes them itself.
            let is_digest = entry.event.0 == crate::event::own_events::DIGEST_SOURCE;
            let since = (0..entry.step as usize)
                .rev()
                .take_while(|at| !is_digest || !matches!(rule.steps[*at], Step::Digest(_)));
            // A digest of quiet hours has passed them before.
            let first = self.world.log.iter().find(|other| run(other) == run(entry)).unwrap();
            let guards = since.filter(|_| first.start.only.is_none());
            for at in guards {
                let Step::Throttle(throttle) = &rule.steps[at] else { continue };
                let event = &entry.about;
                let envelope = &event.document()["detail"];
                let hashes = KeyedHashes::development();
                let value = crate::decide::limits::value(throttle.key.as_ref(), envelope, &hashes);
                // A throttle does not count an event without a key.
                let Some(value) = value else { continue };
                let tenant = event.tenant.clone().unwrap_or_default();
                let place = (rule.name.clone(), at, tenant, entry.recipient.clone(), value);
                // An event that passed through a digest has passed the throttles before it, even if it waits
                // afterwards. A room skips the digest and passes them when it is sent.
                let is_room = entry.recipient.starts_with("room:");
                let digest = (at..entry.step as usize).find(|at| matches!(rule.steps[*at], Step::Digest(_)));
                let behind = digest.filter(|_| !is_digest && !is_room).and_then(|digest| {
                    let of_run = self.world.log.iter().filter(|other| run(other) == run(entry));
                    of_run.filter(|other| other.step as usize > digest).map(|other| other.at).min()
                });
                passes.entry(place).or_default().entry(run(entry)).or_insert(behind.unwrap_or(entry.at));
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
                let within = times.iter().filter(|time| **time < opens + length).count();
                assert!(within <= throttle.most as usize, "{within} passed the throttle of {rule}");
                times.drain(..within);
            }
        }
    }

    /// No notification that a cap blocks is sent while the cap is reached. Sends at one instant have no order.
    fn check_caps(&self) {
        for cap in &self.setting().catalog.policy().caps {
            let Period::Rolling(length) = cap.limit.period() else { continue };
            let mut counted: BTreeMap<String, Vec<(Timestamp, bool)>> = BTreeMap::new();
            let mut seen = BTreeSet::new();
            for entry in self.sent() {
                let rule = self.rule(entry);
                if !seen.insert((run(entry), entry.step, entry.channel.unwrap().name()))
                    || cap.channel.is_some_and(|of| Some(of) != entry.channel)
                    || cap.category.as_ref().is_some_and(|of| *of != rule.category)
                {
                    continue;
                }
                let scope_name = match cap.per {
                    Per::Recipient => entry.recipient.clone(),
                    Per::Tenant => entry.about.tenant.clone().unwrap_or_default(),
                    Per::Environment => String::new(),
                };
                let free = is_critical(rule) || cap.except.contains(&rule.category);
                counted.entry(scope_name).or_default().push((entry.at, free));
            }
            for times in counted.values() {
                for (at, _) in times.iter().filter(|(_, free)| !free) {
                    let before = times.iter().filter(|(past, _)| past < at && *at < *past + length);
                    let now = times.iter().filter(|(same, free)| same == at && !free);
                    assert!(
                        before.count() + now.count() <= cap.limit.most() as usize,
                        "the cap was exceeded"
                    );
                }
            }
        }
    }

    fn check_digests(&self) {
        let tables = &self.world.tables;
        for (window, items) in &tables.windows {
            let sent = self.world.sent_by_window.get(window);
            for (key, (item, cancel, _)) in items {
                let is_cancelled = cancel
                    .as_ref()
                    .and_then(|cancel| tables.cancelled.get(cancel))
                    .is_some_and(|cancellation| {
                        cancellation
                            .takes_back(item.time, &crate::event::key::event_part(&item.source, &item.id))
                    });
                assert!(
                    is_cancelled || sent.is_some_and(|sent| sent.contains(key)),
                    "a collected event was never sent"
                );
            }
        }
        let places: Vec<&String> = tables.windows.values().flat_map(BTreeMap::keys).collect();
        assert_eq!(places.len(), places.iter().collect::<BTreeSet<_>>().len(), "an event is in two windows");
    }

    fn rule_of(&self, entry: &Entry) -> Option<&'w Rule> {
        self.setting().catalog.rule(&entry.rule)
    }
}

fn run(entry: &Entry) -> Run<'_> {
    (&entry.event, &entry.rule, &entry.recipient, entry.start.occurrence)
}

fn is_critical(rule: &Rule) -> bool {
    rule.priority == Some(Priority::Critical)
}
