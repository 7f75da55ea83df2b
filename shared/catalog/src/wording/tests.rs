use super::*;
use crate::problem::Problem;
use crate::yaml::items;

const RULE: &str = "- rule: direct\n  when: { detail-type: [notify.email] }\n  category: direct\n  channels: [email]\n  \
                    to: [{ email: $.data.to }]\n";

#[test]
fn template_may_be_chosen_by_the_event() {
    let yaml = "  template: { from: $.data.template, among: [reminder, receipt], otherwise: direct, context: $.data.context }\n  \
                subject: $.data.subject\n";
    let rule = read(yaml).unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(rule.templates(), ["direct", "reminder", "receipt"]);
    let choice = rule.template_choice.unwrap();
    assert_eq!((choice.from.to_string().as_str(), choice.among.len()), ("$.data.template", 2));
    assert_eq!(choice.context.map(|path| path.to_string()).as_deref(), Some("$.data.context"));
    assert_eq!(rule.subject.map(|path| path.to_string()).as_deref(), Some("$.data.subject"));
    let rule = read("  template: { from: $.data.template, among: [reminder] }\n").unwrap();
    assert_eq!((rule.template.as_str(), rule.templates()), ("", vec!["reminder"]));
}

#[test]
fn template_choice_has_its_keys_and_types() {
    check(
        "  template: { form: $.data.t, among: [] }\n",
        &[
            "6:13: the key `from` is missing; add a line `from: …`",
            "6:15: unknown key `form`; did you mean `from`?",
            "6:38: `among` lists 0 templates; name 1 to 200 templates that events may name",
        ],
    );
    check(
        "  template: { from: data.t, among: [a, a], otherwise: 7, context: $.data.c }\n",
        &[
            "6:21: `data.t` is not a path; did you mean `$.data.t`?",
            "6:40: the template `a` stands here twice; take one out",
            "6:55: found a number, wanted text; put it in quotes",
        ],
    );
}

#[test]
fn chosen_templates_exclude_digests() {
    check(
        "  template: { from: $.data.t, among: [a] }\n  outside: digest\n",
        &[
            "6:3: events that name their templates cannot be told together in one digest; take the digest out, or name one \
           template",
        ],
    );
}

#[test]
fn subject_needs_a_channel_that_shows_one() {
    let yaml = RULE.replace("[email]", "[sms]").replace("email: $", "phone: $")
        + "  template: t\n  subject: $.data.s\n";
    assert_eq!(
        problems(&yaml),
        [
            "7:12: `subject` is for `email`, `push` and `socket`, and the rule sends none of them; add one of these \
          channels, or take it out"
        ]
    );
}

#[test]
fn refusing_rule_has_a_reason_and_no_template() {
    let rule = read("  refuse: texts are for emergencies only\n").unwrap();
    assert_eq!(
        (rule.refuse.as_deref(), rule.template.as_str()),
        (Some("texts are for emergencies only"), "")
    );
    check(
        "  refuse: not here\n  template: t\n  expires: 1h\n",
        &[
            "7:3: `template` has no effect: the rule refuses and sends nothing; take it out, or take `refuse` out",
            "8:3: `expires` has no effect: the rule refuses and sends nothing; take it out, or take `refuse` out",
        ],
    );
    check("  refuse:\n", &["6:9: found nothing, wanted text; write something, or take the key out"]);
    let long = format!("  refuse: {}\n", "x".repeat(MAX_REFUSAL_CHARS + 1));
    check(
        &long,
        &[
            "6:11: `refuse` is too long, or has more than one line; write one line of up to 200 characters: `texts are for \
           emergencies only`",
        ],
    );
    assert!(read(&format!("  refuse: {}\n", "x".repeat(MAX_REFUSAL_CHARS))).is_ok());
}

/// The rule with additional lines.
fn read(lines: &str) -> Result<Rule, Vec<String>> {
    let yaml = format!("{RULE}{lines}");
    let found = problems(&yaml);
    if !found.is_empty() {
        return Err(found);
    }
    let mut ignored = Vec::new();
    let nodes = items(&yaml, &mut Diagnostics { file: "r.yaml", rule: None, problems: &mut ignored });
    crate::rule::draft(&nodes[0], "r.yaml", &mut ignored).and_then(|draft| draft.rule).ok_or_else(Vec::new)
}

#[track_caller]
fn check(lines: &str, expected: &[&str]) {
    assert_eq!(problems(&format!("{RULE}{lines}")), expected, "{lines}");
}

fn problems(yaml: &str) -> Vec<String> {
    let mut problems = Vec::new();
    for node in items(yaml, &mut Diagnostics { file: "r.yaml", rule: None, problems: &mut problems }) {
        crate::rule::draft(&node, "r.yaml", &mut problems);
    }
    problems.sort();
    let bare = problems.into_iter().map(|problem| Problem { rule: None, ..problem }.to_string());
    bare.map(|bare| bare.trim_start_matches("r.yaml:").to_owned()).collect()
}
