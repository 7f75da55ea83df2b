//! Numbers keep all digits that the producer wrote.

use domain::decide::Target;
use domain::delivery::job::Content;
use domain::event::Event;
use domain::webhook::endpoint::EndpointId;
use serde_json::Value;

use super::{letter, message, order, renderer, rule};
use crate::Extra;

#[test]
fn email_shows_every_digit_of_a_number() {
    for (digits, shown) in [
        ("9007199254740993", "9007199254740993"),
        ("-9007199254740993", "-9007199254740993"),
        ("18446744073709551615", "18446744073709551615"),
        ("1000000000000000000001", "1000000000000000000001"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("-123456789012345678901234567890", "-123456789012345678901234567890"),
        ("340282366920938463463374607431768211455", "340282366920938463463374607431768211455"),
        ("1234567890123456789012345678901234567890123", "1234567890123456789012345678901234567890123"),
        ("12345678901234567890.12", "12345678901234567890.12"),
        ("0.1234567890123456789", "0.1234567890123456789"),
        ("0.1", "0.1"),
        ("12.5", "12.5"),
        ("0", "0"),
        ("1e2", "100.0"),
    ] {
        check("{{ data.n }}", digits, shown);
    }
    check("{{ data.n }}", &format!("0.{}", "1".repeat(500)), &format!("0.{}", "1".repeat(500)));
}

#[test]
fn double_precision_numbers_support_arithmetic() {
    check("{{ (data.n | float) * (2 | float) }}", "12.5", "25.0");
    check("{{ (data.n | float) > 100.0 }}", "12345678901234567890.12", "True");
    check("{{ 1 + data.n }}", "123456789012345678901234567890", "123456789012345678901234567891");
    check("{{ data.n > 5 }}", "5.5", "True");
    check("{{ data.n == 123456789012345678901234567890 }}", "123456789012345678901234567890", "True");
    check("{{ data.n == 123456789012345678901234567891 }}", "123456789012345678901234567890", "False");
}

#[test]
fn exact_number_needs_float_for_arithmetic() {
    check("{{ (data.n | float) * (2 | float) }}", "12345678901234567890.5", "24691357802469134000.0");
    for template in ["{{ data.n | round }}", "{{ -data.n }}", "{{ data.n | abs }}", "{{ 1 + data.n }}"] {
        assert!(
            letter(&[("t/en/email.txt", template)], &data("12345678901234567890.12")).is_err(),
            "{template}"
        );
    }
}

#[test]
fn filters_read_every_digit() {
    check("{{ data.n | number(2) }}", "12345678901234567890.12", "12,345,678,901,234,567,890.12");
    check(
        "{{ data.n | number }}",
        "123456789012345678901234567890",
        "123,456,789,012,345,678,901,234,567,890",
    );
    check("{{ data.n | money('EUR') }}", "12345678901234567890.12", "€12,345,678,901,234,567,890.12");
    check(
        "{{ data.n | plural(one='# task', other='# tasks') }}",
        "1000000000000000000001",
        "1,000,000,000,000,000,000,001 tasks",
    );
    check("{{ [data.n] | join('-') }}", "12345678901234567890.12", "12345678901234567890.12");
    check("{{ data.n | string | length }}", "12345678901234567890.12", "23");
}

#[test]
fn in_app_message_contains_every_digit() {
    let data = r#"{"id":123456789012345678901234567890,"amount":12345678901234567890.12,"price":1.50}"#;
    let data: Value = serde_json::from_str(data).unwrap();
    let message = message(&["$.data.id", "$.data.amount", "$.data.price"], &[], &data).unwrap();
    assert_eq!(
        message.data.get(),
        r#"{"id":123456789012345678901234567890,"amount":12345678901234567890.12,"price":1.50}"#
    );
}

#[test]
fn webhook_and_push_contain_the_original_payload() {
    let event = r#"{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid","time":"2026-11-20T12:00:00Z","data":
        {"z": 1.50, "id": 123456789012345678901234567890, "a": {"y": 1e2, "b": 12345678901234567890.12}}}"#;
    let event = Event::parse(event).unwrap();
    let document = event.document();
    let renderer = renderer(&[("t/en/push.title.txt", "T"), ("t/en/push.txt", "B")]);
    let extra = Extra { payload: event.data.as_ref(), ..Extra::default() };
    let context = renderer.context_with(&document["detail"], extra);
    let rule = rule(&["$.data.z", "$.data.a", "$.data.id"]);
    let written =
        r#"{"z":1.50,"a":{"y":1e2,"b":12345678901234567890.12},"id":123456789012345678901234567890}"#;
    let to = EndpointId { tenant: None, id: "e".to_owned() };
    let content = context.render(&order(&rule, None, Target::Webhook { to, version: None })).unwrap();
    let Content::Webhook(webhook) = content else { panic!("a webhook was ordered") };
    let body = webhook.body.expose();
    assert!(body.contains(written), "{body}");
    let device = serde_json::from_str(r#"{"id":"phone","platform":"fcm","endpoint":"arn:e"}"#).unwrap();
    let content = context.render(&order(&rule, None, Target::Push(device))).unwrap();
    let Content::Push(note) = content else { panic!("a note was ordered") };
    assert_eq!(note.data.expose().get(), written);
}

fn data(digits: &str) -> Value {
    serde_json::from_str(&format!("{{\"n\":{digits}}}")).unwrap()
}

#[track_caller]
fn check(template: &str, digits: &str, expected: &str) {
    let letter = letter(&[("t/en/email.txt", template)], &data(digits)).unwrap();
    assert_eq!(letter.text, expected, "{template} {digits}");
}
