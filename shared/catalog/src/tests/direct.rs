//! Direct routes: a project whose events bring their own text, in `fixtures/direct`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use domain::catalog::Catalog;
use domain::decide::plan::Plan;
use domain::decide::{Ask, Verdict, decide_with};
use domain::delivery::job::Content;
use domain::event::bus::BusEvent;
use domain::event::producers::Producers;
use domain::recipient::{Recipient, Recipients};
use templates::{Renderer, context_of};

use crate::{BusEntry, check_samples, compile, compile_files, read_tests, run_tests};

#[test]
fn decision_tests_of_the_direct_routes_hold() {
    let (catalog, people) = (catalog(), people());
    let files = read_tests(&folder()).unwrap_or_else(|error| panic!("{error:#?}"));
    let results = run_tests(&files, &catalog, &people, &events());
    assert_eq!((results.problems, results.warnings), (Vec::new(), Vec::new()));
    assert!(results.verdicts.len() > 10 && results.verdicts.iter().all(|verdict| verdict.holds));
}

#[test]
fn samples_of_the_direct_routes_render_and_wrong_ones_are_named() {
    let (catalog, people) = (catalog(), people());
    let samples: Vec<(String, String)> = events().into_iter().collect();
    let findings = check_samples(&catalog, &samples, &people);
    let mut found = [findings.problems, findings.unreached].concat();
    found.sort();
    let shown: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(shown.len(), 5, "{shown:#?}");
    for (problem, file, why) in [
        (&shown[0], "email-context-text.json", "reaches nobody"),
        (&shown[1], "email-context-text.json", "`$.data.context` of the event is not an object"),
        (&shown[2], "email-no-address.json", "finds no recipient"),
        (&shown[3], "email-unknown-template.json", "reaches nobody"),
        (&shown[4], "email-unknown-template.json", "names a template that `among` does not list"),
    ] {
        assert!(problem.contains(file) && problem.contains(why), "{problem}");
    }
    assert_eq!(findings.warnings, [], "a refusing rule has done its work");
}

#[test]
fn messages_have_the_words_of_their_events_and_no_template_is_made_of_them() {
    for (event, expected) in [
        ("push.json", "Medication Due | Metformin 500mg is due now"),
        (
            "email-template.json",
            "Appointment Reminder | Your appointment is on Jan 20, 2026, 9:00\u{202f}AM.",
        ),
        ("email-body.json", "Hello {{ data.body }} | {{ data.to }}\n<script>alert(1)</script>"),
        ("sms-emergency.json", "Emergency: fall detected at home"),
        ("message.json", "Shift | Can you come at 8?"),
    ] {
        assert_eq!(words(event).0, [expected], "{event}");
    }
    let html = words("email-body.json").1;
    assert!(html.contains("{{ data.to }}") && html.contains("&lt;script&gt;"), "{html}");
    assert!(!html.contains("<script"), "{html}");
}

#[test]
fn variables_of_a_context_are_unknown_where_a_rule_without_context_uses_the_template() {
    let mut problems = Vec::new();
    let mut files = crate::folder::read(&folder(), false, &mut problems);
    assert_eq!(problems, []);
    assert!(compile_files(files.clone()).is_ok());
    let plain = "- rule: plain\n  when: { detail-type: [plain] }\n  category: direct\n  channels: [email]\n  \
                 to: [{ user: $.data.to }]\n  template: appointment-reminder\n";
    files.insert("rules/plain.yaml".to_owned(), plain.to_owned());
    let problems = compile_files(files).map(|compile_file| compile_file.file.version).unwrap_err();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    assert!(
        shown.len() == 2 && shown.iter().all(|text| text.contains("there is no variable `when`")),
        "{shown:#?}"
    );
}

#[test]
fn every_template_that_events_may_name_exists_and_has_the_parts_of_the_channels() {
    let mut files = crate::folder::read(&folder(), false, &mut Vec::new());
    files.remove("templates/appointment-reminder/en/email.txt");
    let rules = files.get_mut("rules/direct.yaml").unwrap();
    *rules = rules.replace(
        "among: [appointment-reminder], otherwise: direct",
        "among: [appointment-reminder, reciept], otherwise: drect",
    );
    let problems = compile_files(files).map(|compile_file| compile_file.file.version).unwrap_err();
    let shown: Vec<String> = problems.iter().map(ToString::to_string).collect();
    for expected in [
        "templates/appointment-reminder/en: rule notify-email: for the channel `email`, `email.txt` is missing",
        "rule notify-email: there is no template `reciept`",
        "rule notify-email: there is no template `drect`; did you mean `direct`?",
    ] {
        assert!(shown.iter().any(|text| text.contains(expected)), "{expected}: {shown:#?}");
    }
}

/// The messages of a sample, and the HTML of its e-mail.
fn words(event: &str) -> (Vec<String>, String) {
    let (catalog, people) = (catalog(), people());
    let entry = BusEntry::read(&events()[event]).unwrap().to_bus_event("1", crate::dry_run::bus_time());
    let event = BusEvent::parse(&entry).unwrap().event(&Producers::default()).unwrap();
    let (plan, renderer) = (Plan::of(&event, &catalog), Renderer::new(&catalog));
    let context = context_of(&renderer, &plan, None, event.time);
    let (mut texts, mut html) = (Vec::new(), String::new());
    for decision in decide_with(&plan, &people, None, event.time, Ask::default_answer) {
        let Verdict::Send(order) = &decision.verdict else { continue };
        texts.push(match context.render(order).unwrap_or_else(|error| panic!("{error}")) {
            Content::Email(email) => {
                html = email.html.into_exposed();
                format!("{} | {}", email.subject.expose(), email.text.expose())
            }
            Content::Push(push) => format!("{} | {}", push.title.expose(), push.body.expose()),
            Content::Sms(sms) => sms.text.into_exposed(),
            Content::Socket(socket) => format!("{} | {}", socket.title.expose(), socket.body.expose()),
            Content::Whatsapp(_) | Content::Webhook(_) | Content::Broadcast(_) | Content::Message(_) => {
                panic!("no rule sends this")
            }
        });
    }
    (texts, html)
}

fn catalog() -> Catalog {
    let compiled = compile(&folder()).unwrap_or_else(|error| panic!("{error:#?}"));
    assert_eq!(compiled.warnings, []);
    Catalog::open(compiled.file).unwrap()
}

fn people() -> Recipients {
    let text = fs::read_to_string(folder().join("people.json")).unwrap();
    let people: Vec<Recipient> = serde_json::from_str(&text).unwrap();
    people.into_iter().map(|person| (person.id.clone(), person)).collect()
}

fn events() -> BTreeMap<String, String> {
    let files = fs::read_dir(folder().join("events")).unwrap().map(|dir| dir.unwrap());
    files
        .map(|file| {
            (file.file_name().to_string_lossy().into_owned(), fs::read_to_string(file.path()).unwrap())
        })
        .collect()
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/direct")
}
