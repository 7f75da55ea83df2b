use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::catalog::{CATALOG_FORMAT, Catalog, CatalogFile};
use crate::decide::{Verdict, decide_with};
use crate::delivery::job::{Text, WhatsappTemplate};
use crate::event::Event;
use crate::limits::counter::{Refusal, States, Want, admit};
use crate::recipient::{PhoneNumber, Recipient, Recipients};

const NOON: &str = "2026-11-20T12:00:00Z";

#[test]
fn sms_is_checked_by_its_price() {
    let proof = text_proof("normal", &"a".repeat(161)).ok().unwrap();
    let Ask::Admit { key, wants, channels, .. } = &proof.ask else { panic!("it asks for leave") };
    assert_eq!((key, channels.as_slice()), (&proof.key, [Channel::Sms].as_slice()));
    let [wanted] = wants.as_slice() else { panic!("there is one budget") };
    assert_eq!((wanted.weight, wanted.limit.most(), wanted.limit.blocks()), (80_000, 1_000_000, true));
    assert_eq!(wanted.id, "spend#spend-sms#clinic-7");
}

#[test]
fn critical_sms_counts_but_is_never_stopped() {
    let proof = text_proof("critical", "Fire.").ok().unwrap();
    let Ask::Admit { wants, .. } = &proof.ask else { panic!("it asks for leave") };
    assert!(!wants[0].limit.blocks());
}

#[test]
fn sms_over_the_spending_limit_is_stopped_with_a_note() {
    let refusal =
        Refusal { limit: "spend-sms".into(), until: at("2026-11-21T00:00:00Z"), n: 980_000, most: 1_000_000 };
    let answer = Answer::Admitted { granted: Vec::new(), refused: vec![(Channel::Sms, refusal)] };
    let stopped = text_proof("normal", "Hi").ok().unwrap().pass(&answer, at(NOON)).err().unwrap();
    assert_eq!(stopped.reason, Reason::SpendCapped);
    assert_eq!(
        stopped.note.to_string(),
        "`spend-sms` has 0.98 of 1.00 USD spent, and the SMS costs 0.04: the next may be sent at 2026-11-21T00:00:00Z"
    );
}

#[test]
fn allowed_sms_has_a_note_with_price_and_sender() {
    let answer = Answer::Admitted { granted: vec![Channel::Sms], refused: Vec::new() };
    let proof = text_proof("normal", &"a".repeat(161)).ok().unwrap();
    let Ok((content, Some(note))) = proof.pass(&answer, at(NOON)) else { panic!("it may") };
    assert_eq!(note.to_string(), "the SMS has 2 segments and costs 0.08 USD");
    let Content::Sms(text) = *content else { panic!("it is a text") };
    assert_eq!(text.sender.as_deref(), Some("Clinic"));
}

#[test]
fn whatsapp_accepts_free_text_for_a_day() {
    check_window(Some("2026-11-20T11:00:00Z"), false, Ok(Some("2026-11-21T11:00:00Z")));
    check_window(Some("2026-11-20T11:00:00Z"), true, Ok(Some("2026-11-21T11:00:00Z")));
    check_window(Some("2026-11-19T12:00:01Z"), false, Ok(Some("2026-11-20T12:00:01Z")));
    // The window ends to the second.
    check_window(Some("2026-11-19T12:00:00Z"), true, Ok(None));
    check_window(Some("2026-11-19T12:00:00Z"), false, Err(Reason::OutsideWindow));
    check_window(None, true, Ok(None));
    check_window(None, false, Err(Reason::OutsideWindow));
}

proptest! {
    /// Messages of any price in sequence, as the counters table counts them.
    #[test]
    fn spending_never_exceeds_the_limit(
        prices in proptest::collection::vec(0_u64..400_000, 0..30),
    ) {
        let proof = text_proof("normal", "Hi").ok().unwrap();
        let Ask::Admit { wants, channels, zone, .. } = &proof.ask else { panic!("it asks for leave") };
        let mut states = States::new();
        let mut spent = 0;
        for weight in prices {
            let want = Want { id: &wants[0].id, limit: &wants[0].limit, scope: wants[0].scope, weight };
            let admission = admit(&states, &[want], channels, zone, at(NOON));
            let fits = spent + weight <= 1_000_000;
            prop_assert_eq!(!admission.granted.is_empty(), fits);
            if fits {
                spent += weight;
            }
            if let Some((_, refusal)) = admission.refused.first() {
                prop_assert_eq!(refusal.n, spent);
            }
            states.extend(admission.next);
        }
    }
}

/// `expected` is the end of the free-text window, or `None` for the approved template.
#[track_caller]
fn check_window(heard: Option<&str>, has_template: bool, expected: Result<Option<&str>, Reason>) {
    let template = has_template.then(|| WhatsappTemplate {
        name: "visit".into(),
        language: "en".into(),
        parameters: Vec::new(),
    });
    let chat = Chat { to: number(), text: "Hi".into(), locale: "en".into(), template, free_until: None };
    let proof = proof("normal", Content::Whatsapp(chat)).ok().unwrap();
    assert!(matches!(proof.ask, Ask::Heard { .. }));
    let found = match proof.pass(&Answer::Heard(heard.map(at)), at(NOON)) {
        Ok((content, note)) => {
            assert!(note.is_some());
            let Content::Whatsapp(chat) = *content else { panic!("it is a chat") };
            Ok(chat.free_until)
        }
        Err(stopped) => Err(stopped.reason),
    };
    assert_eq!(found, expected.map(|expected| expected.map(at)), "{heard:?}");
}

fn text_proof(priority: &str, text: &str) -> Result<RenderCheck, Box<Content>> {
    proof(priority, Content::Sms(Text { to: number(), text: text.into(), locale: "en".into(), sender: None }))
}

/// The check of a message to Ann, from a rule with this priority.
fn proof(priority: &str, content: Content) -> Result<RenderCheck, Box<Content>> {
    let catalog = catalog(priority);
    let event = Event::parse(
        &json!({
            "specversion": "1.0", "id": "e-1", "source": "s", "type": "t", "time": NOON, "tenant": "clinic-7",
            "data": { "to": "ann" },
        })
        .to_string(),
    )
    .unwrap();
    let ann: Recipient = serde_json::from_value(
        json!({ "id": "ann", "tenants": ["clinic-7"], "phone": "+15550100", "whatsapp": "+15550100" }),
    )
    .unwrap();
    let people = Recipients::from([("ann".to_owned(), ann)]);
    let plan = Plan::of(&event, &catalog);
    let decisions = decide_with(&plan, &people, None, at(NOON), Ask::default_answer);
    let decision = decisions.iter().find(|decision| decision.channel == Some(content.channel())).unwrap();
    let Verdict::Send(order) = &decision.verdict else { panic!("it is sent") };
    RenderCheck::of(&plan, decision, order, content, &Zone::utc())
}

fn catalog(priority: &str) -> Catalog {
    let rule: Value = json!({
        "rule": "visit", "when": { "detail-type": ["t"] }, "category": "visits", "priority": priority,
        "steps": [{ "send": { "channels": ["sms", "whatsapp"] } }],
        "to": [{ "user": { "path": "$.data.to" } }], "template": "visit",
    });
    let policy = json!({ "zone": "Etc/UTC", "texting": {
        "senders": { "tenants": { "clinic-7": "Clinic" } },
        "prices": { "currency": "USD", "default": 40_000 },
        "budget": {
            "limit": { "name": "spend-sms", "most": 1_000_000, "period": { "calendar": "day" } }, "per": "tenant",
        },
    } });
    let file = CatalogFile {
        format: CATALOG_FORMAT,
        version: "v".into(),
        policy: serde_json::from_value(policy).unwrap(),
        rules: vec![serde_json::from_value(rule).unwrap()],
        templates: BTreeMap::new(),
    };
    Catalog::open(file).unwrap()
}

fn number() -> PhoneNumber {
    PhoneNumber::parse("+15550100").ok().unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}
