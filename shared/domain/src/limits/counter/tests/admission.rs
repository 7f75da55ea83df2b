use serde_json::json;

use super::super::*;
use super::{at, limit};
use crate::base::channel::Channel::{self, Email, Socket};

const NOON: &str = "2026-11-20T12:00Z";

#[test]
fn granted_step_is_counted_by_all_limits() {
    let (cap, throttle) = (named("cap"), named("throttle"));
    let wants = [
        Want { id: "e", limit: &cap, scope: Scope::Channel(Email), weight: 1 },
        Want { id: "s", limit: &cap, scope: Scope::Channel(Socket), weight: 1 },
        Want { id: "t", limit: &throttle, scope: Scope::Step, weight: 1 },
    ];
    let found = check(&States::new(), &wants, &[Email, Socket], &[]);
    assert_eq!(counts(&found), [("e", 1), ("s", 1), ("t", 1)]);
}

#[test]
fn full_cap_refuses_only_its_channel() {
    let (cap, throttle) = (named("cap"), named("throttle"));
    let wants = [
        Want { id: "e", limit: &cap, scope: Scope::Channel(Email), weight: 1 },
        Want { id: "s", limit: &cap, scope: Scope::Channel(Socket), weight: 1 },
        Want { id: "t", limit: &throttle, scope: Scope::Step, weight: 1 },
    ];
    let found = check(&full(&["e"]), &wants, &[Email, Socket], &[(Email, "cap")]);
    assert_eq!(counts(&found), [("s", 1), ("t", 1)]);
    assert_eq!(
        found.refused[0].1,
        Refusal { limit: "cap".to_owned(), until: at("2026-11-20T13:00Z"), n: 1, most: 1 }
    );
}

#[test]
fn full_throttle_counts_no_cap() {
    let (cap, throttle) = (named("cap"), named("throttle"));
    let wants = [
        Want { id: "t", limit: &throttle, scope: Scope::Step, weight: 1 },
        Want { id: "e", limit: &cap, scope: Scope::Channel(Email), weight: 1 },
        Want { id: "s", limit: &cap, scope: Scope::Channel(Socket), weight: 1 },
    ];
    check(&full(&["t"]), &wants, &[Socket, Email], &[(Socket, "throttle"), (Email, "throttle")]);
    // A channel refused by a cap keeps that refusal.
    check(&full(&["t", "s"]), &wants, &[Socket, Email], &[(Socket, "cap"), (Email, "throttle")]);
}

#[test]
fn step_without_granted_channels_counts_no_throttle() {
    let (cap, throttle) = (named("cap"), named("throttle"));
    let wants = [
        Want { id: "e", limit: &cap, scope: Scope::Channel(Email), weight: 1 },
        Want { id: "t", limit: &throttle, scope: Scope::Step, weight: 1 },
    ];
    check(&full(&["e"]), &wants, &[Email], &[(Email, "cap")]);
    check(&States::new(), &wants, &[], &[]);
}

#[test]
fn message_cap_counts_each_sending_channel() {
    let two = limit(2, json!({ "fixed": "1h" }));
    let wants = [Want { id: "m", limit: &two, scope: Scope::Message, weight: 1 }];
    let found = check(&States::new(), &wants, &[Email, Socket], &[]);
    assert_eq!(counts(&found), [("m", 2)]);

    let one = named("messages");
    let wants = [Want { id: "m", limit: &one, scope: Scope::Message, weight: 1 }];
    let found = check(&States::new(), &wants, &[Socket, Email], &[(Email, "messages")]);
    assert_eq!(counts(&found), [("m", 1)]);
}

#[test]
fn refused_channel_counts_no_other_cap() {
    let (own, all) = (named("own"), limit(2, json!({ "fixed": "1h" })));
    let wants = [
        Want { id: "m", limit: &all, scope: Scope::Message, weight: 1 },
        Want { id: "e", limit: &own, scope: Scope::Channel(Email), weight: 1 },
    ];
    let found = check(&full(&["e"]), &wants, &[Email, Socket], &[(Email, "own")]);
    assert_eq!(counts(&found), [("m", 1)]);
}

#[test]
fn limit_that_refuses_longest_is_reported() {
    let day = Limit::new("day", 1, Period::Calendar(CalendarPeriod::Day), true).unwrap();
    let hour = named("hour");
    let mut states = full(&["h"]);
    let Pass::Passed { next, .. } = State::default().pass(&day, &Zone::utc(), at(NOON)) else {
        panic!("the limit is reached");
    };
    states.insert("d".to_owned(), next);
    for order in [["h", "d"], ["d", "h"]] {
        let wants = order.map(|id| Want {
            id,
            limit: if id == "h" { &hour } else { &day },
            scope: Scope::Channel(Email),
            weight: 1,
        });
        check(&states, &wants, &[Email], &[(Email, "day")]);
    }
}

#[test]
fn exempt_message_is_sent_and_counted() {
    let cap = named("cap").only_counting();
    let wants = [Want { id: "e", limit: &cap, scope: Scope::Channel(Email), weight: 1 }];
    let found = check(&full(&["e"]), &wants, &[Email], &[]);
    assert_eq!(counts(&found), [("e", 2)]);
}

/// A limit of one an hour.
fn named(name: &str) -> Limit {
    Limit::new(name, 1, limit(1, json!({ "fixed": "1h" })).period(), true).unwrap()
}

/// These counters with one pass at noon.
fn full(ids: &[&str]) -> States {
    let Pass::Passed { next, .. } = State::default().pass(&named("any"), &Zone::utc(), at(NOON)) else {
        panic!("the limit is reached");
    };
    ids.iter().map(|id| ((*id).to_owned(), next.clone())).collect()
}

fn counts(admission: &Admission) -> Vec<(&str, u64)> {
    admission.next.iter().map(|(id, state)| (id.as_str(), state.n)).collect()
}

/// `refused` names the limits. All other requested channels are granted.
#[track_caller]
fn check(
    states: &States,
    wants: &[Want<'_>],
    channels: &[Channel],
    refused: &[(Channel, &str)],
) -> Admission {
    let found = admit(states, wants, channels, &Zone::utc(), at(NOON));
    let names: Vec<(Channel, &str)> =
        found.refused.iter().map(|(channel, refusal)| (*channel, refusal.limit.as_str())).collect();
    assert_eq!(names, refused);
    let granted: Vec<Channel> = channels
        .iter()
        .copied()
        .filter(|granted| !refused.iter().any(|(channel, _)| channel == granted))
        .collect();
    assert_eq!(found.granted, granted);
    assert!(!granted.is_empty() || found.next.is_empty(), "counters change only if a channel is granted");
    found
}
