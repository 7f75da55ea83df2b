use serde_json::json;

use super::{letter_to, message, person};

#[test]
fn everybody_reads_the_closest_language_there_is() {
    let files =
        [("t/pt/email.subject.txt", "Olá"), ("t/pt/email.html", "<p>Olá</p>"), ("t/pt/email.txt", "Olá")];
    check("pt-BR", &files, "pt", "Olá");
    check("pt", &files, "pt", "Olá");
    check("PT_br", &files, "pt", "Olá");
    check("de-AT", &files, "en", "…");
    check("../pt", &files, "en", "…");
    let both = [&files[..], &[("t/pt-BR/email.subject.txt", "Oi"), ("t/pt-BR/email.txt", "Oi")]].concat();
    check("pt-BR", &both, "pt-BR", "Oi");
    check("pt-PT", &both, "pt", "Olá");
}

#[test]
fn a_part_that_a_language_lacks_is_read_in_the_next_one() {
    let files = [("t/pt/email.subject.txt", "Olá")];
    let letter = letter_to(&person(json!({ "locale": "pt" })), &files, &json!({})).unwrap();
    assert_eq!((letter.subject.as_str(), letter.text.as_str()), ("Olá", "…"));
}

#[test]
fn somebody_without_a_language_and_a_room_read_english() {
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
