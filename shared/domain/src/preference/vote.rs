//! The vote over one notification on one channel.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::merge::{Said, Stack};
use super::{Because, Scope, Setting};
use crate::unsubscribe::{self, Unsubscribed};

/// What is to be decided: one notification by one rule on one channel.
#[derive(Clone, Copy)]
pub struct Question<'a> {
    /// The rule's name: the workflow.
    pub rule: &'a str,
    /// The rule's categories; each of them votes.
    pub categories: &'a [&'a str],
    /// The channel type, as [`crate::channel::Channel::name`] writes it.
    pub channel: &'a str,
    /// The provider's id; `None` where the type has one provider and goes by its own name.
    pub channel_id: Option<&'a str>,
    /// Whether the rule advertises something.
    pub commercial: bool,
    /// Whether the rule overrides preferences. It never overrides suppression, opt-out lists or a legal stop: those
    /// are not asked here.
    pub critical: bool,
    /// Whether the event has a tenant.
    pub has_tenant: bool,
    /// [`crate::event::Event::document`].
    pub document: &'a Value,
}

/// How a vote came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vote {
    pub allowed: bool,
    /// The first no; without one, the last yes, which is the narrowest; without that, that nobody was asked.
    pub because: Because,
    /// Every vote in the order of evaluation, also those after the first no.
    pub votes: Vec<Because>,
}

/// Source: `semantics.md`, section 4.3, "Evaluate": the model is Knock's, the order of its steps 1 to 4 is kept.
pub(super) fn hold(sets: &Stack<'_>, unsubscribed: Option<&Unsubscribed>, question: &Question<'_>) -> Vote {
    if question.critical {
        return Vote { allowed: true, because: Because::unasked(Scope::Critical), votes: Vec::new() };
    }
    let mut votes = Vec::new();
    let left = |scope: &unsubscribe::Scope| {
        unsubscribed.is_some_and(|unsubscribed| unsubscribed.contains_key(scope))
    };
    if question.commercial && left(&unsubscribe::Scope::Commercial) {
        votes.push(Because::unsubscribed(Scope::Commercial));
    }
    if question.commercial
        && let Some(said) = sets.below("commercial_subscribed").switch()
    {
        votes.push(cast(Scope::Commercial, Setting::Switch, &said));
    }
    ask(sets, &Scope::TopLevel, question, &mut votes);
    let rule = sets.below("workflows").below(question.rule);
    ask(&rule, &Scope::Rule(question.rule.to_owned()), question, &mut votes);
    let categories = sets.below("categories");
    for &name in question.categories {
        let (sets, scope) = (categories.below(name), Scope::Category(name.to_owned()));
        if !sets.is_locked() && left(&unsubscribe::Scope::Category(name.to_owned())) {
            votes.push(Because::unsubscribed(scope.clone()));
        }
        ask(&sets, &scope, question, &mut votes);
    }
    let deciding = votes.iter().find(|vote| !vote.allowed).or(votes.last());
    let because = deciding.cloned().unwrap_or_else(|| Because::unasked(Scope::Default));
    Vote { allowed: because.allowed, because, votes }
}

/// What one scope has to say, if it exists.
fn ask(sets: &Stack<'_>, scope: &Scope, question: &Question<'_>, votes: &mut Vec<Because>) {
    if let Some(said) = sets.switch() {
        votes.push(cast(scope.clone(), Setting::Switch, &said));
    }
    if let Some(said) = sets.below("conditions").conditions() {
        let failed = said.value.iter().position(|it| !it.pattern().matches(question.document));
        let said = Said { value: failed.is_none(), layer: said.layer, locked: said.locked };
        votes.push(cast(scope.clone(), Setting::Conditions { failed }, &said));
    }
    let id = question.channel_id.unwrap_or(question.channel);
    if let Some(said) = sets.below("channels").below(id).switch() {
        votes.push(cast(scope.clone(), Setting::Channel(id.to_owned()), &said));
    } else if let Some(said) = sets.below("channel_types").below(question.channel).switch() {
        votes.push(cast(scope.clone(), Setting::ChannelType(question.channel.to_owned()), &said));
    }
}

fn cast(scope: Scope, setting: Setting, said: &Said<bool>) -> Because {
    Because {
        scope,
        setting: Some(setting),
        layer: Some(said.layer),
        locked: said.locked,
        allowed: said.value,
    }
}
