//! Digests with events that the template cannot render.

use domain::decide::Target;
use domain::delivery::job::Content;
use domain::event::Event;
use domain::limits::digest::{Collected, DigestPolicy, Item, Window};
use domain::recipient::EmailAddress;
use serde_json::{Value, json};

use super::{envelope, order, person, renderer, rule};
use crate::{Extra, Unrendered};

const SUBJECT: &str = "{% if digest is defined %}n={{ digest.total_activities }}: \
                       {% for a in digest.activities %}{{ a.data.v }},{% endfor %}{% else %}single {{ data.v }}{% endif %}";

#[test]
fn event_without_a_required_value_is_left_out() {
    let events = [json!({ "v": 1 }), json!({ "v": 2 }), json!({}), json!({ "v": 4 })];
    let (subject, left_out) = rendered(SUBJECT, &events).unwrap();
    assert_eq!(subject, "n=3: 1,2,4,");
    assert_eq!(left_out, ["2: the event has no such value"]);
}

#[test]
fn failing_events_are_left_out_at_any_position() {
    for bad in [vec![0], vec![6], vec![0, 6], vec![1, 2, 3], vec![0, 1, 2, 3, 4, 5]] {
        let events: Vec<Value> = (0..7)
            .map(|place| if bad.contains(&place) { json!({ "w": place }) } else { json!({ "v": place }) })
            .collect();
        let (subject, left_out) = rendered(SUBJECT, &events).unwrap();
        let good: Vec<String> = (0..7).filter(|id| !bad.contains(id)).map(|id| format!("{id},")).collect();
        assert_eq!(subject, format!("n={}: {}", good.len(), good.concat()), "{bad:?}");
        let expected: Vec<String> =
            bad.iter().map(|id| format!("{id}: the event has no such value")).collect();
        assert_eq!(left_out, expected);
    }
}

#[test]
fn event_with_a_value_of_another_kind_is_left_out() {
    let template = "{% for a in digest.activities %}{{ a.data.v | money('EUR') }} {% endfor %}";
    let events =
        [json!({ "v": 1 }), json!({ "v": "many" }), json!({ "v": { "x": 1 } }), json!({ "v": "2.50" })];
    let (subject, left_out) = rendered(template, &events).unwrap();
    assert_eq!(subject, "€1.00 €2.50");
    assert_eq!(left_out, ["1: the value is not a number", "2: the value is not a number"]);
}

#[test]
fn digest_without_a_renderable_event_fails() {
    assert!(rendered(SUBJECT, &[json!({}), json!({}), json!({ "v": null })]).is_err());
    assert!(rendered(SUBJECT, &[json!({})]).is_err());
    assert!(
        rendered("{{ nothing.there }}", &[json!({ "v": 1 }), json!({ "v": 2 })]).is_err(),
        "the template is the cause"
    );
}

#[test]
fn renderable_digest_leaves_no_event_out() {
    let (subject, left_out) = rendered(SUBJECT, &[json!({ "v": 1 }), json!({ "v": 2 })]).unwrap();
    assert_eq!((subject.as_str(), left_out.len()), ("n=2: 1,2,", 0));
}

#[test]
fn failing_events_among_a_thousand_are_found() {
    let template = "{% for a in digest.activities %}{{ a.data.v }},{% endfor %}";
    let events: Vec<Value> =
        (0..1_000).map(|place| if place % 200 == 7 { json!({}) } else { json!({ "v": 1 }) }).collect();
    // The first ten are shown. The eighth of them fails.
    let (subject, left_out) = rendered(template, &events).unwrap();
    assert_eq!(subject, "1,".repeat(10));
    assert_eq!(left_out, ["7: the event has no such value"]);
}

/// The subject of an e-mail about these events, and the ids of the events left out, each with the reason.
fn rendered(subject: &str, events: &[Value]) -> Result<(String, Vec<String>), Unrendered> {
    let items: Vec<Item> = events.iter().enumerate().map(|(place, data)| item(place, data)).collect();
    let (opened_at, closed_at) =
        ("2026-11-20T12:00:00Z".parse().unwrap(), "2026-11-20T12:10:00Z".parse().unwrap());
    let window = Window { name: "w", step: 0, only: None, opened_at, closed_at };
    let collected = Collected::of(items, DigestPolicy::default(), &window);
    let renderer = renderer(&[("t/en/email.subject.txt", subject)]);
    let envelope = envelope(&collected.summary["data"]);
    let extra = Extra { digest: Some(&collected.summary), collected: Some(&collected), ..Extra::default() };
    let (rule, ann) = (rule(&[]), person(json!({})));
    let target = Target::Email(EmailAddress::parse("ann@example.com").unwrap());
    let rendered = renderer.context_with(&envelope, extra).tell(&order(&rule, Some(&ann), target), None)?;
    let channel = rendered.content.channel();
    let Content::Email(email) = rendered.content else { panic!("an e-mail was ordered, not {channel:?}") };
    let left_out = rendered.left_out.iter().map(|item| {
        let problem = item.why.problem.split(" in `").next().unwrap_or_default();
        format!("{}: {problem}", item.item.id)
    });
    Ok((email.subject.into_exposed(), left_out.collect()))
}

fn item(place: usize, data: &Value) -> Item {
    let event = json!({
        "specversion": "1.0", "id": place.to_string(), "source": "/shop", "type": "t",
        "time": format!("2026-11-20T12:{:02}:{:02}Z", place / 60, place % 60), "data": data,
    });
    Item::of(&Event::parse(&event.to_string()).unwrap())
}
