//! The decisions of one event: recipients, channels and their order.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::{catalog, decided, describe, known, now, paid, room, rule, user, verdict};
use crate::base::channel::Channel;
use crate::base::outcome::Reason;
use crate::decide::plan::Plan;
use crate::decide::{Decision, Verdict};

proptest! {
    #[test]
    fn every_rule_recipient_and_channel_has_one_decision_with_its_own_key(
        asked in vec(rules(), 0..5), data in payloads(), people in people(),
    ) {
        let rules: Vec<Value> = asked.iter().enumerate().map(|(index, members)| rule(&index.to_string(), members.clone())).collect();
        let (event, catalog, recipients) = (paid("ann", json!({ "data": data })), catalog(&rules), known(&people));
        let plan = Plan::of(&event, &catalog);
        let decisions = decided(&plan, &recipients, now());

        let found: Vec<_> = decisions.iter().map(place).collect();
        prop_assert_eq!(found, expected(&rules, &data));
        let keys: BTreeSet<_> = decisions.iter().map(|decision| &decision.key).collect();
        prop_assert_eq!(keys.len(), decisions.len());
    }

    #[test]
    fn only_known_people_get_messages_and_others_have_a_reason(
        asked in vec(rules(), 0..5), data in payloads(), people in people(),
    ) {
        let rules: Vec<Value> = asked.iter().enumerate().map(|(index, members)| rule(&index.to_string(), members.clone())).collect();
        let (event, catalog, recipients) = (paid("ann", json!({ "data": data })), catalog(&rules), known(&people));
        let plan = Plan::of(&event, &catalog);
        for decision in decided(&plan, &recipients, now()) {
            let person = recipients.get(&decision.recipient);
            match &decision.verdict {
                Verdict::Send(order) => {
                    prop_assert!(order.person == person, "{}", describe(&decision));
                    prop_assert!(person.is_some() != decision.recipient.starts_with("room:"), "{}", describe(&decision));
                    prop_assert_eq!(Some(&order.rule.name), decision.rule.map(|rule| &rule.name));
                }
                Verdict::Suppress(Reason::UnknownRecipient) => prop_assert!(person.is_none()),
                Verdict::Suppress(reason) => {
                    let email = person.and_then(|person| person.email.as_ref());
                    let expected = match (decision.channel, email) {
                        (Some(_), None) => Reason::NoAddress,
                        (Some(_), Some(_)) => Reason::InvalidAddress,
                        (None, _) if rules.is_empty() => Reason::NoRule,
                        (None, _) => Reason::NoRecipient,
                    };
                    prop_assert_eq!(*reason, expected, "{}", describe(&decision));
                }
                Verdict::Later(_) | Verdict::Merge(_) | Verdict::Cancel(_) => {
                    prop_assert!(false, "{}", verdict(&decision.verdict));
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn people_outside_the_audience_change_nothing(
        asked in vec(rules(), 0..5), data in payloads(), people in people(), strangers in vec("[f-z]", 0..5),
    ) {
        let rules: Vec<Value> = asked.iter().enumerate().map(|(index, members)| rule(&index.to_string(), members.clone())).collect();
        let (event, catalog, recipients) = (paid("ann", json!({ "data": data })), catalog(&rules), known(&people));
        let mut more = recipients.clone();
        more.extend(known(&strangers.iter().map(|id| json!({ "id": id })).collect()));
        let plan = Plan::of(&event, &catalog);
        let describe_all = |decisions: &[Decision<'_>]| decisions.iter().map(|decision| (decision.key.clone(), describe(decision))).collect::<Vec<_>>();
        let (few, many) = (decided(&plan, &recipients, now()), decided(&plan, &more, now()));
        prop_assert_eq!(describe_all(&few), describe_all(&many));
    }
}

type Place = (String, String, Option<Channel>);

fn place(decision: &Decision<'_>) -> Place {
    let rule = decision.rule.map_or("-", |rule| rule.name.as_str());
    (rule.to_owned(), decision.recipient.clone(), decision.channel)
}

/// The expected decisions, derived from the written rules.
fn expected(rules: &[Value], data: &Value) -> Vec<Place> {
    if rules.is_empty() {
        return vec![("-".to_owned(), "-".to_owned(), None)];
    }
    let mut places = Vec::new();
    for rule in rules {
        let name = rule["rule"].as_str().unwrap().to_owned();
        let audience = audience(rule, data);
        if audience.is_empty() {
            places.push((name.clone(), "-".to_owned(), None));
        }
        for recipient in audience {
            for channel in rule["steps"][0]["send"]["channels"].as_array().unwrap() {
                match channel.as_str().unwrap() {
                    "email" if recipient.starts_with("room:") => {}
                    "email" => places.push((name.clone(), recipient.clone(), Some(Channel::Email))),
                    _ => places.push((name.clone(), recipient.clone(), Some(Channel::Socket))),
                }
            }
        }
    }
    places
}

fn audience(rule: &Value, data: &Value) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for selector in rule["to"].as_array().unwrap() {
        let (prefix, list) = match selector["user"]["path"].as_str() {
            Some(path) => ("", &data[path.trim_start_matches("$.data.")]),
            None => ("room:shop:", &data["rooms"]),
        };
        for name in list.as_array().unwrap() {
            let name = format!("{prefix}{}", name.as_str().unwrap());
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

fn rules() -> impl Strategy<Value = Value> {
    let channels = subsequence(vec!["email", "socket"], 1..=2).prop_shuffle();
    let to =
        vec(select(vec![user("$.data.some"), user("$.data.others"), room("shop", "$.data.rooms")]), 0..4);
    (channels, to).prop_map(|(channels, to)| json!({ "channels": channels, "to": to }))
}

fn payloads() -> impl Strategy<Value = Value> {
    let names = || vec("[a-e]", 0..4);
    (names(), names(), names())
        .prop_map(|(some, others, rooms)| json!({ "some": some, "others": others, "rooms": rooms }))
}

fn people() -> impl Strategy<Value = Value> {
    let email = select(vec![json!(null), json!("it@example.com"), json!("no-at-sign")]);
    vec(("[a-e]", email), 0..5).prop_map(|people| {
        let people: Vec<Value> =
            people.into_iter().map(|(id, email)| json!({ "id": id, "email": email })).collect();
        json!(people)
    })
}
