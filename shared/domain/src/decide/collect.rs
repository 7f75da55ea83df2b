//! The step that collects, and what is collected while somebody is not to be disturbed.

use jiff::Timestamp;

use super::walk::{Go, Walk};
use super::{Answer, Ask, Merge, Note, Verdict, limits};
use crate::channel::Channel;
use crate::digest::{self, DigestPolicy};
use crate::outcome::Reason;
use crate::plan::Audience;
use crate::rule::DigestStep;

impl Walk<'_, '_> {
    pub(super) fn digest(&mut self, step: u32, it: &DigestStep) -> Go {
        if self.overrides() || matches!(self.audience, Audience::Room(_) | Audience::Endpoint(_)) {
            return Go::On;
        }
        // What a throttle before it holds back is not collected either.
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
        let Some(ends) = it.span.end(&zone, self.facts.now) else { return Go::On };
        let value = limits::value(it.key.as_ref(), self.plan.envelope(), self.plan.catalog.hashes());
        let value = value.unwrap_or_else(|| limits::alone(self.plan.event));
        self.join(step, None, &value, it.policy.clone(), ends)
    }

    /// Puts the event into a digest. The run ends there, unless it passes straight through.
    pub(super) fn join(
        &mut self,
        step: u32,
        only: Option<Channel>,
        what: &str,
        policy: DigestPolicy,
        ends: Timestamp,
    ) -> Go {
        let rule = self.matched.rule;
        let what = only.map_or_else(|| what.to_owned(), |it| format!("quiet hours, {}", it.name()));
        let window = limits::window(self.plan.event, rule, step, &self.recipient, &what);
        let key = self.key(only, step, "join");
        // The run, not the event alone, is what a window has once: a recurring rule may bring one event again.
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
