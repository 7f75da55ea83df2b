//! Public fields with an address, a text, a payload, a token or a secret have the type `Sensitive`.

use workspace::{root, sources};

/// Names of fields that hold such a value.
const NAMES: [&str; 23] = [
    "address",
    "bearer",
    "body",
    "card",
    "challenge",
    "data",
    "email",
    "html",
    "link",
    "parameters",
    "password",
    "phone",
    "response",
    "secret",
    "secret_access_key",
    "session_token",
    "slack",
    "teams",
    "text",
    "title",
    "token",
    "unsubscribe",
    "whatsapp",
];

/// Types whose values a log could print.
const BARE: [&str; 6] = ["String", "str", "RawValue", "Bytes", "u8", "Value"];

/// Fields with such a name and another meaning.
const OTHERS: [(&str, &str, &str); 13] = [
    ("functions/api/src/unsubscribe/page.rs", "html", "the page behind a link, without personal data"),
    ("shared/aws-request/src/lib.rs", "body", "a borrowed request, which ends with its call"),
    ("shared/catalog/src/project.rs", "text", "a file of the project"),
    ("shared/domain/src/base/link.rs", "data", "the result of a pure function"),
    ("shared/domain/src/catalog/policy.rs", "unsubscribe", "names of categories"),
    ("shared/domain/src/recipient.rs", "address", "the keyed hash of a suppressed address"),
    ("shared/domain/src/recipient/unsubscribe/page.rs", "unsubscribe", "pages of the installation"),
    ("shared/domain/src/recipient/unsubscribe/page.rs", "title", "words of the page in one language"),
    ("shared/domain/src/recipient/unsubscribe/page.rs", "text", "words of the page in one language"),
    ("shared/store/src/counters/requests.rs", "body", "a hash"),
    ("shared/store/src/ledger/receipts.rs", "address", "a keyed hash"),
    ("shared/publish/src/outbox.rs", "token", "the idempotency token of a transaction"),
    ("shared/templates/src/names.rs", "data", "a variable of a template, which ends with the rendering"),
];

#[test]
fn public_fields_with_personal_data_or_secrets_are_sensitive() {
    let mut unused: Vec<_> = OTHERS.iter().map(|(file, name, _)| (*file, *name)).collect();
    let mut sensitive = 0;
    for path in sources() {
        let file = path.strip_prefix(root()).unwrap().display().to_string();
        let is_ours = file.starts_with("shared/") || file.starts_with("functions/");
        if !is_ours || file.contains("tests") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (name, kind) in text.lines().filter_map(public_field) {
            if kind.contains("Sensitive<") {
                sensitive += 1;
                continue;
            }
            let is_bare = words(kind).any(|word| BARE.contains(&word));
            if !NAMES.contains(&name) || !is_bare {
                continue;
            }
            unused.retain(|known| *known != (file.as_str(), name));
            let is_listed = OTHERS.iter().any(|(known, field, _)| *known == file && *field == name);
            assert!(
                is_listed,
                "{file}: `{name}: {kind}` must be a Sensitive<…>, or OTHERS names its meaning"
            );
        }
    }
    assert!(unused.is_empty(), "OTHERS names fields that do not exist: {unused:?}");
    assert!(sensitive > 50, "the test reads the fields: {sensitive}");
}

#[test]
fn bare_field_is_found_in_every_form() {
    for (line, expected) in [
        ("    pub text: String,", Some(("text", "String"))),
        ("    pub(crate) body: Option<&'a str>,", Some(("body", "Option<&'a str>"))),
        ("    body: String,", None),
        ("pub fn text(&self) -> &str {", None),
    ] {
        assert_eq!(public_field(line), expected, "{line}");
    }
    assert!(words("Option<Box<RawValue>>").any(|word| BARE.contains(&word)));
    assert!(!words("Option<SmsSettings>").any(|word| BARE.contains(&word)));
}

/// The name and the type of a public field.
fn public_field(line: &str) -> Option<(&str, &str)> {
    let rest = line.strip_prefix("    pub ").or_else(|| line.strip_prefix("    pub(crate) "))?;
    let (name, kind) = rest.strip_suffix(',')?.split_once(": ")?;
    name.chars().all(|c| c.is_ascii_lowercase() || c == '_').then_some((name, kind))
}

fn words(kind: &str) -> impl Iterator<Item = &str> {
    kind.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty())
}
