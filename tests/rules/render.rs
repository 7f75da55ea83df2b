//! Output of `carillon render`, and template errors of `carillon check`. No cloud is needed.

use std::path::Path;

use serde_json::{Value, json};
use workspace::programs::carillon;

#[test]
fn every_channel_is_shown_as_its_provider_receives_it() {
    let folder = folder("channels");
    let shown = lines(&["--json", "render", "event.json"], &folder);
    let of = |channel: &str| {
        let found =
            shown.iter().find(|message| message["channel"] == channel && !message["content"].is_null());
        found.unwrap_or_else(|| panic!("{channel}: {shown:#?}"))["content"].clone()
    };
    let email = of("email");
    assert_eq!(email["from"], "Carillon <no-reply@example.com>");
    assert_eq!((&email["to"], &email["subject"]), (&json!("ann@example.com"), &json!("Your invoice")));
    assert_eq!(email["html"], "<p>Hello Ann &lt;3, €1,234.50</p>");
    assert!(
        email["tags"]
            .as_array()
            .unwrap()
            .iter()
            .any(|items| items["name"] == "carillon-rule" && items["value"] == "paid")
    );
    let sms = of("sms");
    assert_eq!(
        (&sms["text"], &sms["segments"], &sms["alphabet"]),
        (&json!("Paid at 5:05 PM"), &json!(1), &json!("Gsm7"))
    );
    let push = of("push");
    assert_eq!(push["message"]["APNS"]["aps"]["alert"]["title"], "Paid");
    // The recipient has not written to us, so the approved template is sent.
    let whatsapp = of("whatsapp");
    let template = &whatsapp["template"];
    assert_eq!((&template["name"], &template["language"]["code"]), (&json!("paid"), &json!("en_US")));
    assert_eq!(template["components"][0]["parameters"][0]["text"], "€1,234.50");
    let socket = of("socket");
    assert_eq!((&socket["frame"]["title"], &socket["inbox"]["title"]), (&json!("Paid"), &json!("Paid")));
    let body: Value = serde_json::from_str(of("webhook")["body"].as_str().unwrap()).unwrap();
    assert_eq!((&body["type"], &body["data"]["total"]), (&json!("invoice.paid"), &json!(1234.5)));
}

#[test]
fn preview_is_limited_to_one_recipient_one_channel_and_any_language() {
    let folder = folder("language");
    let one =
        ["--json", "render", "event.json", "--recipient", "ann", "--channel", "email", "--locale", "de-AT"];
    let shown = lines(&one, &folder);
    assert_eq!(shown.len(), 1, "{shown:#?}");
    assert_eq!(shown[0]["content"]["text"], "Hallo Ann <3, €\u{a0}1.234,50");
    let output = run(&["render", "event.json", "--recipient", "ann", "--channel", "email"], &folder);
    for part in ["To: ann@example.com", "Subject: Your invoice", "email.html", "<p>Hello Ann"] {
        assert!(output.1.contains(part), "{part}: {}", output.1);
    }
    let out = folder.join("out");
    let written =
        run(&["render", "event.json", "--channel", "email", "--out", out.to_str().unwrap()], &folder);
    assert_eq!(written.0, 0, "{}", written.1);
    assert!(out.join("01-paid-email/email.html").exists() && out.join("01-paid-email/request.json").exists());
}

#[test]
fn impossible_preview_is_refused_with_a_reason() {
    let folder = folder("errors");
    for (arguments, code, part) in [
        (vec!["render", "none.json"], 2, "there is no file none.json"),
        (vec!["render", "event.json", "--recipient", "anne"], 2, "did you mean `ann`?"),
        (vec!["render", "event.json", "--channel", "fax"], 2, "invalid value 'fax'"),
        (vec!["render", "event.json", "--locale", "??"], 2, "`??` is no language"),
        (vec!["render", "event.json", "--recipient", "bob", "--channel", "sms"], 1, "is not sent"),
    ] {
        let (found, output) = run(&arguments, &folder);
        assert!(found == code && output.contains(part), "{arguments:?}: {found} {output}");
    }
}

#[test]
fn check_finds_missing_values_in_a_branch_that_no_sample_reaches() {
    let folder = folder("check");
    let branch = "Hello{% if data.vip is defined %}, {{ data.name | upcase }} {{ data.total | money(\"EURO\") }} \
                  {{ data.at | date(\"shrt\") }} {{ data.n | plural(one=\"# day\") }} {{ now() }}{% endif %}.";
    std::fs::write(folder.join("config/templates/paid/en/email.txt"), branch).unwrap();
    let (code, output) = run(&["check", "config"], &folder);
    assert_eq!(code, 1, "{output}");
    for part in ["`upcase`; did you mean `upper`?", "EURO", "shrt", "other=", "no function `now`"] {
        assert!(output.contains(part), "{part}: {output}");
    }
    assert!(!output.contains("default(…)"), "{output}");
}

#[test]
fn project_may_use_one_language_other_than_english() {
    let folder = folder("german");
    std::fs::remove_dir_all(folder.join("config/templates/paid/en")).unwrap();
    let (code, output) = run(&["check", "config"], &folder);
    assert!(code == 1 && output.contains("`locale: de`"), "{code} {output}");
    std::fs::write(folder.join("config/policy.yaml"), "zone: UTC\nlocale: de\n").unwrap();
    let (code, output) = run(&["check", "config"], &folder);
    assert_eq!(code, 0, "{output}");
    // Ann reads English, which the template lacks. German text has German number formats.
    let shown =
        lines(&["--json", "render", "event.json", "--recipient", "ann", "--channel", "email"], &folder);
    assert_eq!(shown[0]["content"]["text"], "Hallo Ann <3, 1.234,50\u{a0}€");
}

const APPROVED: &str = "template: paid\nlanguage: en_US\nbody: \"Paid {{1}}\"\nparameters:\n  - \"{{ data.total | money('EUR') }}\"\n";

/// A config folder with one rule on every channel, in two languages.
fn folder(name: &str) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("carillon-render-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let rule = "- rule: paid\n  about: x\n  when: { detail-type: [invoice.paid] }\n  category: c\n  \
        to: [{ user: $.data.to }, { endpoints: tenant }]\n  \
        channels: [email, sms, push, whatsapp, socket, webhook]\n  template: paid\n  expose: [$.data.total]\n";
    let event = json!({
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "invoice.paid", "time": "2026-11-20T17:05:00Z",
        "tenantid": "t-1", "data": { "to": ["ann", "bob"], "total": 1234.5, "name": "Ann <3" },
    });
    let device =
        json!({ "id": "d-1", "platform": "apns", "endpoint": "arn:aws:sns:eu-west-1:1:endpoint/APNS/a/b" });
    let people = json!([
        { "id": "ann", "name": "Ann", "email": "ann@example.com", "phone": "+447700900123", "locale": "en-US",
          "whatsapp": "+447700900123", "zone": "UTC", "devices": [device], "tenants": ["t-1"],
          "preferences": { "channel_types": { "sms": true, "whatsapp": true } } },
        { "id": "bob", "name": "Bob", "locale": "en", "tenants": ["t-1"] },
    ]);
    let parts = |hello: &str| {
        [
            ("email.subject.txt", "Your invoice".to_owned()),
            (
                "email.html",
                format!("<p>{hello} {{{{ data.name }}}}, {{{{ data.total | money('EUR') }}}}</p>"),
            ),
            ("email.txt", format!("{hello} {{{{ data.name }}}}, {{{{ data.total | money('EUR') }}}}")),
            ("sms.txt", "Paid at {{ event.time | time }}".to_owned()),
            ("push.title.txt", "Paid".to_owned()),
            ("push.txt", "Paid".to_owned()),
            ("whatsapp.txt", "Paid".to_owned()),
            ("whatsapp.yaml", APPROVED.to_owned()),
            ("socket.title.txt", "Paid".to_owned()),
            ("socket.txt", "Paid".to_owned()),
        ]
    };
    let mut files = vec![
        ("config/rules/r.yaml".to_owned(), rule.to_owned()),
        ("config/policy.yaml".to_owned(), "zone: UTC\n".to_owned()),
        ("event.json".to_owned(), event.to_string()),
        ("people.json".to_owned(), people.to_string()),
    ];
    for (locale, hello) in [("en", "Hello"), ("de", "Hallo")] {
        let named = parts(hello).map(|(part, text)| (format!("config/templates/paid/{locale}/{part}"), text));
        files.extend(named);
    }
    for (path, text) in files {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// Exit code and output.
fn run(arguments: &[&str], folder: &Path) -> (i32, String) {
    let mut all: Vec<String> = arguments.iter().map(|argument| located(argument, folder)).collect();
    if arguments.contains(&"render") {
        for (option, file) in [("--config", "config"), ("--people", "people.json")] {
            all.extend([option.to_owned(), folder.join(file).display().to_string()]);
        }
    }
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let output = carillon(&all, "");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap(), String::from_utf8_lossy(&output.stdout).into_owned() + &errors)
}

fn lines(arguments: &[&str], folder: &Path) -> Vec<Value> {
    let (_, output) = run(arguments, folder);
    output.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn located(argument: &str, folder: &Path) -> String {
    match folder.join(argument) {
        path if path.exists() && !argument.is_empty() && !argument.starts_with('/') => {
            path.display().to_string()
        }
        _ => argument.to_owned(),
    }
}
