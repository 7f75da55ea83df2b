use super::*;
use crate::Problem;

const SOUND: &str = "template: visit\nlanguage: en_GB\nbody: \"{{1}}, at {{2}}.\"\nparameters:\n  - '{{ data.who }}'\n  - '{{ data.at }}'\n";

#[test]
fn parts_of_a_template_keep_their_lines() {
    let (source, problems) = read(SOUND);
    assert_eq!(problems, [""; 0]);
    let pieces: Vec<&str> = source.split(WhatsappTemplate::SEPARATOR).map(str::trim).collect();
    assert_eq!(pieces, ["visit", "en_GB", "2", "{{ data.who }}", "{{ data.at }}"]);
    for (line, text) in [(5, "{{ data.who }}"), (6, "{{ data.at }}")] {
        assert!(source.lines().nth(line - 1).is_some_and(|line| line.contains(text)), "{line}: {source:?}");
    }
    let filled = source.replace("{{ data.who }}", "Ann").replace("{{ data.at }}", "ten");
    let template = WhatsappTemplate::read(&filled).unwrap();
    assert_eq!((template.name.as_str(), template.language.as_str()), ("visit", "en_GB"));
    assert!(template.parameters == ["Ann", "ten"].map(Into::into));
    let torn = source.replace("{{ data.who }}", "An\u{1f}n");
    assert!(WhatsappTemplate::read(&torn).is_none(), "a value cannot add a parameter");
}

#[test]
fn approved_text_needs_one_parameter_per_placeholder() {
    check(
        "at {{2}}.",
        "at {{3}}.",
        &[
            "3:7: `body` has the places {{1}}, {{3}}, and there are 2 parameters; write one parameter for each place, in their order",
        ],
    );
    check(
        ", at {{2}}.",
        ".",
        &[
            "3:7: `body` has the places {{1}}, and there are 2 parameters; write one parameter for each place, in their order",
        ],
    );
    check(
        "{{1}}",
        "{{name}}",
        &["3:7: a place in `body` has no number; write `{{1}}`, `{{2}}` and so on, as in what was approved"],
    );
}

#[test]
fn template_has_its_approved_name() {
    check(
        "visit",
        "Visit-1",
        &[
            "1:11: `Visit-1` is no name of a WhatsApp template; write it as it was approved: small letters, digits and underscores",
        ],
    );
    check(
        "en_GB",
        "en-GB",
        &[
            "2:11: `en-GB` is no language of a WhatsApp template; write WhatsApp's own code, such as `en_GB` or `de`",
        ],
    );
    check("language: en_GB\n", "", &["1:1: the key `language` is missing; add a line `language: …`"]);
}

#[track_caller]
fn check(text: &str, instead: &str, expected: &[&str]) {
    let (_, problems) = read(&SOUND.replacen(text, instead, 1));
    assert_eq!(problems, expected, "{instead}");
}

fn read(yaml: &str) -> (String, Vec<String>) {
    let path = "visit/en/whatsapp.yaml".to_owned();
    let mut templates = BTreeMap::from([(path.clone(), yaml.to_owned())]);
    let mut problems = Vec::new();
    compile(&mut templates, &mut problems);
    let message = problems.iter().map(Problem::to_string);
    let message =
        message.map(|message| message.trim_start_matches("templates/visit/en/whatsapp.yaml:").to_owned());
    (templates.remove(&path).unwrap(), message.collect())
}
