mod direct;
mod hostile;

use super::*;
use domain::catalog::Catalog;
use domain::recipient::{Recipient, Recipients};
use std::path::PathBuf;

const RULE: &str = "- rule: hello\n  when: { detail-type: [core.hello] }\n  category: system\n  channels: [socket]\n  \
                    to: [{ user: $.data.to }]\n  template: hello\n";

#[test]
fn rule_and_template_compile_to_a_catalog() {
    let compiled =
        compile_files(files(&[("rules/core.yaml", RULE)])).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(compiled.warnings, []);
    assert_eq!(compiled.file.format, CATALOG_FORMAT);
    assert_eq!(compiled.file.rules.len(), 1);
    assert_eq!(
        compiled.file.templates.keys().collect::<Vec<_>>(),
        ["hello/en/socket.title.txt", "hello/en/socket.txt"]
    );
    assert!(Catalog::open(compiled.file).is_ok());
}

#[test]
fn config_without_rules_is_refused() {
    let message =
        "rules: there is no rule in any file; write a first one, `- rule: hello`, in `rules/hello.yaml`";
    check(&[], &[message]);
    check(&[("rules/core.yaml", "# nothing yet\n")], &[message]);
}

#[test]
fn only_files_named_yaml_are_rules() {
    check(
        &[("rules/core.yml", RULE)],
        &["rules/core.yml: only files named `.yaml` are read; rename it to `.yaml`"],
    );
}

#[test]
fn rule_names_are_unique_over_all_files() {
    let twice = format!("# head\n{RULE}");
    check(
        &[("rules/a.yaml", RULE), ("rules/b.yaml", &twice)],
        &[
            "rules/b.yaml:2:9: rule hello: the name `hello` is taken by rules/a.yaml:1; give one of them another name",
        ],
    );
    check(
        &[("rules/a.yaml", &format!("{RULE}{RULE}"))],
        &[
            "rules/a.yaml:7:9: rule hello: the name `hello` is taken by rules/a.yaml:1; give one of them another name",
        ],
    );
}

#[test]
fn all_problems_are_reported_in_order() {
    let bad = RULE.replace("hello\n  when", "other\n  when").replace("[socket]", "[sokcet]");
    check(
        &[
            ("rules/z.yaml", &bad),
            ("rules/b.yaml", "- rule: [\n"),
            ("rules/a.yaml", RULE),
            ("templates/hello/en/socket.txt", "{{ oops"),
        ],
        &[
            "rules/b.yaml:1:9: no YAML that can be read: unclosed bracket '['; \
             look for a missing quote, bracket, colon or space just before it",
            "rules/z.yaml:4:14: rule other: unknown channel `sokcet`; did you mean `socket`?",
            "templates/hello/en/socket.txt:1: syntax error: unexpected end of input, expected end of variable block \
             in `{{ oops`; write `{{ value }}`, `{% if … %}…{% endif %}` or `{% for … %}…{% endfor %}`",
        ],
    );
}

#[test]
fn numbers_of_rules_and_files_are_limited() {
    let rules = |count: usize| (0..count).fold(String::new(), |text, at| text + &format!("- {at}\n"));
    let problems = problems_of(&[("rules/a.yaml", &rules(MAX_RULES))]);
    assert_eq!(problems.len(), MAX_RULES, "each is no rule, and all are looked at");
    check(
        &[("rules/a.yaml", RULE), ("rules/b.yaml", &rules(MAX_RULES))],
        &["rules/b.yaml: with this file there are more than 20000 rules; put less into one catalog"],
    );
    let names: Vec<String> = (0..=MAX_FILES).map(|at| format!("templates/layouts/{at}.txt")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    check(&many, &["templates: there are more than 5000 files in it; put less into one catalog"]);
}

#[test]
fn version_depends_only_on_decisions_and_content() {
    let version = |changed: &[(&str, &str)]| {
        compile_files(files(changed))
            .map(|compile_file| compile_file.file.version)
            .unwrap_or_else(|error| panic!("{error:?}"))
    };
    let one = version(&[("rules/core.yaml", RULE)]);
    assert_eq!(one, "2125c351818a");
    let spaced =
        RULE.replace("{ detail-type: [core.hello] }", "\n    detail-type: # a comment\n      - core.hello");
    let other = RULE.replace("system", "other");
    let rate = ("policy.yaml", "rate: 7\n");
    assert_eq!(one, version(&[("rules/renamed.yaml", &spaced), ("notes.txt", "unread")]));
    assert_ne!(one, version(&[("rules/core.yaml", &other)]));
    assert_ne!(one, version(&[("rules/core.yaml", RULE), rate]));
    assert_ne!(one, version(&[("rules/core.yaml", RULE), ("templates/hello/en/socket.txt", "Other")]));
}

#[test]
fn version_does_not_depend_on_file_or_key_order() {
    let second = RULE
        .replace("rule: hello", "rule: second")
        .replace("{ detail-type: [core.hello] }", "{ source: [a], id: [b] }");
    let swapped = second.replace("{ source: [a], id: [b] }", "{ id: [b], source: [a] }");
    let entries = [("rules/a.yaml", RULE), ("rules/b.yaml", &second)];
    let reversed = [("rules/b.yaml", swapped.as_str()), ("rules/a.yaml", RULE)];
    let version = |changed: &[(&str, &str)]| {
        compile_files(files(changed)).map(|compile_file| compile_file.file.version).ok()
    };
    assert!(version(&entries).is_some());
    assert_eq!(version(&entries), version(&reversed));
}

#[test]
fn shipped_packs_compile_and_their_samples_have_recipients() {
    let compiled = compile(&root().join("config")).unwrap_or_else(|error| panic!("{error:#?}"));
    assert_eq!(compiled.warnings, []);
    let catalog = Catalog::open(compiled.file).unwrap();
    let project = Project::read(&root().join("config"), &Files::new());
    let people = project.people().into_iter().flat_map(|file| {
        let people: Vec<Recipient> = serde_json::from_str(&file.text).unwrap();
        people
    });
    let people: Recipients = people.map(|person| (person.id.clone(), person)).collect();
    let samples: Vec<_> = project.samples().into_iter().map(|sample| (sample.file, sample.text)).collect();
    assert!(samples.len() > 10);
    assert_eq!(check_samples(&catalog, &samples, &people), Findings::default());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// These files, beside a valid template `hello` for the channel `socket`.
fn files(changed: &[(&str, &str)]) -> BTreeMap<String, String> {
    let template =
        [("templates/hello/en/socket.title.txt", "Hello"), ("templates/hello/en/socket.txt", "You")];
    template.iter().chain(changed).map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

fn problems_of(changed: &[(&str, &str)]) -> Vec<String> {
    let problems = compile_files(files(changed)).err().unwrap_or_default();
    problems.iter().map(Problem::to_string).collect()
}

#[track_caller]
fn check(changed: &[(&str, &str)], expected: &[&str]) {
    assert_eq!(problems_of(changed), expected);
}
