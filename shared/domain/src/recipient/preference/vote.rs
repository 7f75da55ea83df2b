//! The vote over one notification on one channel.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::merge::{Effective, Stack};
use super::{Because, Scope, Setting};
use crate::recipient::unsubscribe::{self, Unsubscribed};

/// The subject of a vote: one notification of one rule on one channel.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The rule's name, which is the workflow.
    pub rule: &'a str,
    /// The rule's categories. Each of them votes.
    pub categories: &'a [&'a str],
    /// The channel type, as [`crate::base::channel::Channel::name`] writes it.
    pub channel: &'a str,
    /// The provider's id. `None` if the channel type has one provider, whose id is the type.
    pub channel_id: Option<&'a str>,
    /// Whether the rule is commercial.
    pub commercial: bool,
    /// Whether the rule overrides preferences. It never overrides suppressions, opt-out lists or legal restrictions,
    /// which are checked elsewhere.
    pub critical: bool,
    /// Whether the event has a tenant.
    pub has_tenant: bool,
    /// [`crate::event::Event::document`].
    pub document: &'a Value,
}

/// The result of a vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    pub allowed: bool,
    /// The first no, otherwise the last yes (the most specific one), otherwise the absence of votes.
    pub because: Because,
    /// All votes in the order of evaluation, including those after the first no.
    pub votes: Vec<Because>,
}

/// Evaluates the vote, in the order that the documentation of [`crate::recipient::preference`] describes.
pub(super) fn evaluate(
    sets: &Stack<'_>,
    unsubscribed: Option<&Unsubscribed>,
    question: &Question<'_>,
) -> Vote {
    if question.critical {
        return Vote { allowed: true, because: Because::without_vote(Scope::Critical), votes: Vec::new() };
    }
    let mut votes = Vec::new();
    let has_unsubscribed = |scope: &unsubscribe::Scope| {
        unsubscribed.is_some_and(|unsubscribed| unsubscribed.contains_key(scope))
    };
    if question.commercial && has_unsubscribed(&unsubscribe::Scope::Commercial) {
        votes.push(Because::unsubscribed(Scope::Commercial));
    }
    if question.commercial
        && let Some(effective) = sets.below("commercial_subscribed").switch()
    {
        votes.push(vote_of(Scope::Commercial, Setting::Switch, &effective));
    }
    collect_votes(sets, &Scope::TopLevel, question, &mut votes);
    let rule = sets.below("workflows").below(question.rule);
    collect_votes(&rule, &Scope::Rule(question.rule.to_owned()), question, &mut votes);
    let categories = sets.below("categories");
    for &name in question.categories {
        let (sets, scope) = (categories.below(name), Scope::Category(name.to_owned()));
        if !sets.is_locked() && has_unsubscribed(&unsubscribe::Scope::Category(name.to_owned())) {
            votes.push(Because::unsubscribed(scope.clone()));
        }
        collect_votes(&sets, &scope, question, &mut votes);
    }
    let deciding = votes.iter().find(|vote| !vote.allowed).or(votes.last());
    let because = deciding.cloned().unwrap_or_else(|| Because::without_vote(Scope::Default));
    Vote { allowed: because.allowed, because, votes }
}

/// Collects the votes of one scope, if the scope exists.
fn collect_votes(sets: &Stack<'_>, scope: &Scope, question: &Question<'_>, votes: &mut Vec<Because>) {
    if let Some(effective) = sets.switch() {
        votes.push(vote_of(scope.clone(), Setting::Switch, &effective));
    }
    if let Some(effective) = sets.below("conditions").conditions() {
        let failed =
            effective.value.iter().position(|condition| !condition.pattern().matches(question.document));
        let effective =
            Effective { value: failed.is_none(), layer: effective.layer, locked: effective.locked };
        votes.push(vote_of(scope.clone(), Setting::Conditions { failed }, &effective));
    }
    let id = question.channel_id.unwrap_or(question.channel);
    if let Some(effective) = sets.below("channels").below(id).switch() {
        votes.push(vote_of(scope.clone(), Setting::Channel(id.to_owned()), &effective));
    } else if let Some(effective) = sets.below("channel_types").below(question.channel).switch() {
        votes.push(vote_of(scope.clone(), Setting::ChannelType(question.channel.to_owned()), &effective));
    }
}

fn vote_of(scope: Scope, setting: Setting, effective: &Effective<bool>) -> Because {
    Because {
        scope,
        setting: Some(setting),
        layer: Some(effective.layer),
        locked: effective.locked,
        allowed: effective.value,
    }
}
