//! Deciding without tables: who is in a group is read off the people themselves, and each question has an answer.

use domain::Timestamp;
use domain::decide::{Answer, Answers, Ask, Facts, decide};
use domain::digest::{DigestPolicy, Item, summary};
use domain::event::Event;
use domain::plan::Collected;
use domain::plan::Plan;
use domain::recipient::{Group, Recipients, Settings};

/// A run has a few questions for each of its steps, and every answer leads it on.
const MAX_ROUNDS: usize = 200;

/// What every question of the plan is answered, one after the other.
pub(crate) fn answers(
    plan: &Plan<'_>,
    people: &Recipients,
    tenant: Option<&Settings>,
    now: Timestamp,
    answer: impl Fn(&Ask) -> Answer,
) -> Answers {
    let mut answers = Answers::default();
    for _ in 0..MAX_ROUNDS {
        let asks = decide(plan, &Facts { recipients: people, tenant, answers: &answers, now }).asks;
        if asks.is_empty() {
            break;
        }
        for ask in asks {
            answers.insert(&ask, answer(&ask));
        }
    }
    answers
}

/// Those who say of themselves that they are in the group, in the order of their ids.
pub(crate) fn members(group: &Group, people: &Recipients) -> Vec<String> {
    let is_in = |it: &&domain::recipient::Recipient| match group {
        Group::Role { scope, role } => it.roles.iter().any(|it| it.role == *role && it.scope == *scope),
        Group::Topic { tenant, name } => it.topics.contains(name) && it.belongs_to(tenant.as_deref()),
    };
    people.values().filter(is_in).map(|it| it.id.clone()).collect()
}

/// What a template would get of two events such as this one.
pub(crate) fn digest_of(event: &Event, policy: &DigestPolicy) -> Collected {
    let one = Item::of(event);
    let other = Item { event_key: format!("{}-2", one.event_key), ..one.clone() };
    let summary = summary(&[one, other], policy, event.time, event.time);
    Collected { summary, window: String::new(), step: 0, only: None }
}
