//! The change to keyed hashes: rows under the former names still count.

use serde_json::json;

use super::{catalog, describe, known, now, paid, rule};
use crate::base::channel::Channel;
use crate::decide::plan::{Plan, former_cancel_key};
use crate::decide::{Answer, Ask, decide_with};
use crate::event::key::Key;
use crate::limits::cancel::Cancellation;
use crate::recipient::keyed_hash::former;

const GUEST: &str = "guest@example.com";

#[test]
fn address_used_by_the_last_release_keeps_its_keys() {
    let event = paid("ann", json!({ "data": { "guest": GUEST } }));
    let to = json!([{ "address": { "channel": "email", "of": { "path": "$.data.guest" } } }]);
    let (catalog, nobody) = (catalog(&[rule("guest", json!({ "to": to }))]), known(&json!([])));
    let plan = Plan::of(&event, &catalog);
    let former_name = former::recipient(Channel::Email, GUEST);
    let former_key = Key::of(&event, "guest", &former_name, Some(Channel::Email), 0, "");
    for sent_before in [true, false] {
        let decisions = decide_with(&plan, &nobody, None, now(), |ask| match ask {
            Ask::Notified { of } => Answer::Notified(sent_before && of.contains(&former_key)),
            other @ (Ask::Cancelled { .. }
            | Ask::Seen { .. }
            | Ask::Admit { .. }
            | Ask::Heard { .. }
            | Ask::Collected { .. }
            | Ask::Closed { .. }
            | Ask::Join { .. }) => other.default_answer(),
        });
        assert_eq!(decisions.len(), 1);
        assert_eq!(decisions[0].key == former_key, sent_before);
        assert_eq!(decisions[0].recipient == former_name, sent_before);
        assert!(!decisions[0].recipient.contains(GUEST));
    }
}

#[test]
fn cancellation_of_the_last_release_applies() {
    let event = paid("ann", json!({ "data": { "user": "ann", "order": "x" } }));
    let cancel = json!({ "key": ["$.data.order"], "when": { "detail-type": ["order.lost"] } });
    let rules = [rule("mail", json!({ "cancel": cancel }))];
    let (catalog, people) = (catalog(&rules), known(&json!([{ "id": "ann", "email": "ann@example.com" }])));
    let plan = Plan::of(&event, &catalog);
    let former = former_cancel_key(plan.matches[0].rule, &event, plan.envelope()).unwrap();
    let decisions = decide_with(&plan, &people, None, now(), |ask| match ask {
        Ask::Cancelled { key } if *key == former => {
            Answer::Cancelled(Some(Cancellation { at: now(), by: "another event".to_owned() }))
        }
        other @ (Ask::Cancelled { .. }
        | Ask::Seen { .. }
        | Ask::Notified { .. }
        | Ask::Admit { .. }
        | Ask::Heard { .. }
        | Ask::Collected { .. }
        | Ask::Closed { .. }
        | Ask::Join { .. }) => other.default_answer(),
    });
    let lines: Vec<String> = decisions.iter().map(describe).collect();
    assert_eq!(lines, ["mail → ann by email: cancelled"]);
}
