use domain::decide::Target;
use domain::delivery::job::Content;
use domain::recipient::EmailAddress;
use serde_json::json;

use super::{Renderer, envelope, letter_to, message, order, person, rule};

#[test]
fn recipient_gets_the_closest_language() {
    let files =
        [("t/pt/email.subject.txt", "Olá"), ("t/pt/email.html", "<p>Olá</p>"), ("t/pt/email.txt", "Olá")];
    check("pt-BR", &files, "pt", "Olá");
    check("pt", &files, "pt", "Olá");
    check("PT_br", &files, "pt", "Olá");
    check("de-AT", &files, "en", "…");
    check("../pt", &files, "en", "…");
    let brazil =
        [("t/pt-BR/email.subject.txt", "Oi"), ("t/pt-BR/email.html", "Oi"), ("t/pt-BR/email.txt", "Oi")];
    let both = [&files[..], &brazil].concat();
    check("pt-BR", &both, "pt-BR", "Oi");
    check("pt-PT", &both, "pt", "Olá");
}

#[test]
fn all_parts_use_one_complete_language() {
    let files =
        [("t/pt/email.subject.txt", "Olá"), ("t/pt/email.txt", "Olá"), ("t/pt-BR/email.html", "<p>Oi</p>")];
    let read = |files: &[(&str, &str)]| {
        let letter_to = letter_to(&person(json!({ "locale": "pt-BR" })), files, &json!({})).unwrap();
        [letter_to.locale, letter_to.subject, letter_to.html, letter_to.text]
    };
    assert_eq!(read(&files), ["en", "…", "…", "…"]);
    let whole = [&files[..], &[("t/pt/email.html", "<p>Olá</p>")]].concat();
    assert_eq!(read(&whole), ["pt", "Olá", "<p>Olá</p>", "Olá"]);
}

#[test]
fn without_a_complete_language_each_part_uses_the_closest() {
    let files = [("t/pt/email.subject.txt", "Olá"), ("t/en/email.txt", "Hello {{ 1.5 | number }}")];
    let sources = files.iter().chain(&[("t/en/email.html", "Hello")]);
    let renderer =
        Renderer::of(sources.map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect());
    let (rule, ann, data) = (rule(&[]), person(json!({ "locale": "pt" })), envelope(&json!({})));
    let target = Target::Email(EmailAddress::parse("ann@example.com").unwrap());
    let Ok(Content::Email(letter)) = renderer.context(&data).render(&order(&rule, Some(&ann), target)) else {
        panic!("every part exists in some language")
    };
    let letter = super::Letter::from(letter);
    assert_eq!([letter.locale, letter.subject, letter.text], ["pt", "Olá", "Hello 1.5"]);
}

#[test]
fn recipient_without_a_language_and_room_get_english() {
    let files = [("t/pt/email.txt", "Olá"), ("t/pt/socket.txt", "Olá"), ("t/en/socket.txt", "Hello")];
    let letter = letter_to(&person(json!({})), &files, &json!({})).unwrap();
    assert_eq!((letter.locale.as_str(), letter.text.as_str()), ("en", "…"));
    assert_eq!(message(&[], &files, &json!({})).unwrap().body, "Hello");
}

#[track_caller]
fn check(preferred: &str, files: &[(&str, &str)], locale: &str, text: &str) {
    let letter = letter_to(&person(json!({ "locale": preferred })), files, &json!({})).unwrap();
    assert_eq!((letter.locale.as_str(), letter.text.as_str()), (locale, text), "{preferred}");
}

#[test]
fn traditional_chinese_is_not_simplified_and_norwegian_is_not_english() {
    let of = |locale: &str| format!("t/{locale}/email.txt");
    let names: Vec<String> = ["zh", "zh-Hant", "nb", "he"].map(of).into();
    for (preferred, expected) in
        [("zh-TW", "zh-Hant"), ("zh-CN", "zh"), ("no", "nb"), ("nn", "nb"), ("iw", "he"), ("fr", "en")]
    {
        let mut files: Vec<(&str, &str)> = Vec::new();
        let more: Vec<String> = ["zh", "zh-Hant", "nb", "he"]
            .into_iter()
            .flat_map(|locale| ["email.subject.txt", "email.html"].map(|part| format!("t/{locale}/{part}")))
            .collect();
        files.extend(names.iter().chain(&more).map(|name| (name.as_str(), "{{ 1 }}")));
        let letter = letter_to(&person(json!({ "locale": preferred })), &files, &json!({})).unwrap();
        assert_eq!(letter.locale, expected, "{preferred}");
    }
}

#[test]
fn numbers_follow_the_language_of_the_text() {
    let text = "{{ 1234.5 | number }}";
    let of = |locale: &str, preferred: &str| {
        let names = ["email.subject.txt", "email.html", "email.txt"].map(|part| format!("t/{locale}/{part}"));
        let files = names.each_ref().map(|each_ref| (each_ref.as_str(), text));
        letter_to(&person(json!({ "locale": preferred })), &files, &json!({})).unwrap().text
    };
    assert_eq!(of("zh-Hant", "zh-HK"), "1,234.5");
    assert_eq!(of("pt-PT", "pt-AO"), "1\u{a0}234,5");
    assert_eq!(of("de", "de-CH"), "1'234.5");
    assert_eq!(of("es-419", "es-AR"), "1.234,5");
    assert_eq!(of("es-419", "es-MX"), "1,234.5");
}
