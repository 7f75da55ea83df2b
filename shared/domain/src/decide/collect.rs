//! Digest steps, and the collection of notifications during quiet hours.

use jiff::Timestamp;

use super::step_runner::{Go, StepRunner};
use super::{Answer, Ask, Merge, Note, Verdict, limits};
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::catalog::rule::{DigestStep, Step};
use crate::decide::plan::Audience;
use crate::limits::digest::{self, DigestPolicy};

impl StepRunner<'_, '_> {
    pub(super) fn digest(&mut self, step: u32, digest: &DigestStep) -> Go {
        if self.overrides() || matches!(self.audience, Audience::Room(_) | Audience::Endpoint(_)) {
            return Go::On;
        }
        // Events refused by an earlier throttle are not collected.
        let channels = self.channels_after(step);
        if channels.is_empty() {
            return Go::On;
        }
        let throttles = self.throttles.clone();
        let Some(admitted) = self.ask_to_admit(self.key(None, step, "admit"), throttles, &channels) else {
            return Go::Stop;
        };
        self.pass_throttles(step, &admitted);
        if !admitted.refused.is_empty() {
            for (channel, full) in &admitted.refused {
                self.suppress(step, *channel, Reason::Throttled, vec![limits::full(full)]);
            }
            return Go::Stop;
        }
        let (zone, _) = self.zone(None, &mut Vec::new());
        let Some(ends) = digest.span.end(&zone, self.facts.now) else { return Go::On };
        let value = limits::value(digest.key.as_ref(), self.plan.envelope(), self.plan.catalog.hashes());
        let value = value.unwrap_or_else(|| limits::alone(self.plan.event));
        self.join(step, None, &value, digest.policy.clone(), ends)
    }

    /// Joins the digest again that an earlier delivery of a cancelled event joined. That delivery may have crashed before
    /// it made the window's timer, which other events of the window need. The window leaves the event out when it
    /// closes.
    pub(super) fn rejoin(&mut self) -> bool {
        let first = usize::try_from(self.matched.start.step).unwrap_or(usize::MAX);
        let mut steps = self.matched.rule.steps.iter().enumerate().skip(first);
        let next = steps.find(|(_, step)| !matches!(step, Step::Throttle(_)));
        let Some((index, Step::Digest(digest))) = next else { return false };
        let step = u32::try_from(index).unwrap_or(u32::MAX);
        let key = self.key(None, step, "join");
        let Some(Answer::Joined { .. }) = self.answer(Ask::Collected { key }) else { return false };
        matches!(self.digest(step, digest), Go::Stop)
    }

    /// Adds the event to a digest window. The run ends there unless the event passes through.
    pub(super) fn join(
        &mut self,
        step: u32,
        only: Option<Channel>,
        group: &str,
        policy: DigestPolicy,
        ends: Timestamp,
    ) -> Go {
        let rule = self.matched.rule;
        let group =
            only.map_or_else(|| group.to_owned(), |channel| format!("quiet hours, {}", channel.name()));
        let window = limits::window(self.plan.event, rule, step, &self.recipient, &group);
        let key = self.key(only, step, "join");
        // A window holds a run once, not an event once, because a recurring rule may collect one event several times.
        let item = Box::new(digest::Item {
            event_key: key.as_str().to_owned(),
            ..digest::Item::of(self.plan.event)
        });
        let cancel = self.cancel_key();
        let ask = Ask::Join { key: key.clone(), window: window.clone(), policy, ends, item, cancel };
        match self.answer(ask) {
            Some(Answer::Joined { window_id, closes_at, timer }) => {
                let audience = self.audience.clone();
                let verdict =
                    Verdict::Merge(Merge { window, window_id, closes_at, timer, audience, step, only });
                let decision = self.decision(key, only, step, verdict, vec![Note::Collected { closes_at }]);
                self.decisions.push(decision);
                Go::Stop
            }
            Some(_) => Go::On,
            None => Go::Stop,
        }
    }
}
