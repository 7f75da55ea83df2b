use super::*;
use crate::problem::Diagnostics;
use crate::rule::draft;
use crate::yaml::items;

/// All parts of a valid template.
const SOUND: [&str; 5] = ["email.html", "email.subject.txt", "email.txt", "socket.title.txt", "socket.txt"];

#[test]
fn template_with_all_parts_is_valid() {
    check(&[], &[], &[]);
    check(&["hello/de/socket.title.txt", "hello/de/socket.txt"], &[], &[]);
    check(&["layouts/email.html"], &[], &[]);
}

#[test]
fn missing_template_is_reported() {
    check_rule(
        "- rule: a\n  channels: [socket]\n  template: helo",
        &["rules/r.yaml:3:13: rule a: there is no template `helo`; did you mean `hello`?"],
    );
    check_rule(
        "- rule: a\n  channels: [socket]\n  template: order-shipped",
        &[
            "rules/r.yaml:3:13: rule a: there is no template `order-shipped`; write `templates/order-shipped/en/…`",
        ],
    );
    check_rule(
        "- rule: a\n  channels: [socket]\n  template: layouts",
        &["rules/r.yaml:3:13: rule a: there is no template `layouts`; write `templates/layouts/en/…`"],
    );
}

#[test]
fn default_locale_needs_every_part() {
    check(
        &[],
        &["hello/en/socket.txt"],
        &["templates/hello/en: rule greet: for the channel `socket`, `socket.txt` is missing; \
         write it, or take the channel out of the rule"],
    );
    check(
        &[],
        &["hello/en/email.html", "hello/en/email.subject.txt", "hello/en/email.txt"],
        &[
            "templates/hello/en: rule greet: for the channel `email`, `email.subject.txt`, `email.html`, `email.txt` is \
         missing; write it, or take the channel out of the rule",
        ],
    );
}

#[test]
fn template_needs_the_default_locale() {
    check(
        &["other/de/socket.title.txt", "other/de/socket.txt"],
        &[],
        &["templates/other: the template has no locale `en`, which everybody falls back to; \
             write `templates/other/en/…`, or name the language that all templates have in policy.yaml: `locale: de`"],
    );
}

#[test]
fn default_language_is_configurable() {
    let rule = "- rule: greet\n  channels: [socket]\n  template: hallo\n";
    let files = |files: &[&str]| files.iter().map(|file| ((*file).to_owned(), String::new())).collect();
    let german = files(&["hallo/de/socket.title.txt", "hallo/de/socket.txt"]);
    assert_eq!(problems_of(&german, "de", rule), [""; 0]);
    assert_eq!(problems_of(&german, "de-AT", rule), [""; 0], "the closest language stands for the default");
    let half = files(&["hallo/de/socket.title.txt"]);
    assert_eq!(
        problems_of(&half, "de", rule),
        ["templates/hallo/de: rule greet: for the channel `socket`, `socket.txt` is missing; \
          write it, or take the channel out of the rule"]
    );
    assert_eq!(
        problems_of(&german, "fr", rule),
        ["templates/hallo: the template has no locale `fr`, which everybody falls back to; \
          write `templates/hallo/fr/…`, or name the language that all templates have in policy.yaml: `locale: de`"]
    );
}

#[test]
fn unknown_names_are_found_in_every_branch_with_advice() {
    check_source(
        "Hello\n{% if data.vip is defined %}{{ data.name | upcase }}{{ data.total | money(\"EURO\") }}{{ now() }}{% endif %}",
        &[
            "templates/hello/en/socket.txt:2: `money(\"EURO\")`: the currency is no code of ISO 4217, such as EUR; \
             write another argument, or none",
            "templates/hello/en/socket.txt:2: there is no filter `upcase`; did you mean `upper`?",
            "templates/hello/en/socket.txt:2: there is no function `now`; a template has no clock: \
             write `event.time | date`, or `… | relative`",
        ],
    );
    check_source(
        "{{ data.at.format() }}{{ dat.x }}{% if data.x is defin %}{% endif %}",
        &[
            "templates/hello/en/socket.txt:1: a value has no function `format`; \
             take the brackets out, or write a filter: `value | upper`",
            "templates/hello/en/socket.txt:1: there is no test `defin`; did you mean `defined`?",
            "templates/hello/en/socket.txt:1: there is no variable `dat`; did you mean `data`?",
        ],
    );
}

#[test]
fn missing_plural_form_is_a_warning() {
    let mut sources = sources(&["hello/pl/socket.title.txt"], &[]);
    let text = "{{ data.n | plural(one='#', other='#') }}";
    sources.insert("hello/pl/socket.txt".to_owned(), text.to_owned());
    let mut problems = Vec::new();
    let warnings = super::check(&sources, "en", &drafts("- template: hello\n"), &mut problems);
    assert_eq!(shown(&problems), [""; 0]);
    assert_eq!(
        shown(&warnings),
        [
            "templates/hello/pl/socket.txt:1: `plural` has no form for `few` (such as 2) and `many` (such as 0) in this \
          language, and takes `other`; write the form too"
        ]
    );
}

#[test]
fn other_locale_has_all_parts_of_a_channel_or_none() {
    let fix = "write it, or delete the channel's other files, so that no message mixes languages";
    check(
        &["hello/de/email.html"],
        &[],
        &[&format!(
            "templates/hello/de: for the channel `email`, `email.subject.txt`, `email.txt` is missing; {fix}"
        )],
    );
    check(
        &["unused/en/socket.txt"],
        &[],
        &[&format!("templates/unused/en: for the channel `socket`, `socket.title.txt` is missing; {fix}")],
    );
}

#[test]
fn locale_has_one_spelling() {
    check(
        &["hello/pt_br/socket.title.txt", "hello/pt_br/socket.txt"],
        &[],
        &["templates/hello/pt_br: `pt_br` is not how a locale is written; rename the folder to `pt-BR`"],
    );
    check(
        &["hello/d/socket.title.txt", "hello/d/socket.txt"],
        &[],
        &["templates/hello/d: `d` is not how a locale is written; \
         name the folder by a language tag, such as `de` or `pt-BR`"],
    );
}

#[test]
fn unknown_file_is_reported() {
    check(
        &["hello/en/socket.titel.txt"],
        &[],
        &[
            "templates/hello/en/socket.titel.txt: no channel sends `socket.titel.txt`; did you mean `socket.title.txt`?",
        ],
    );
    for stray in ["stray.txt", "hello/socket.txt", "hello/en/a/socket.txt", "layouts/en/socket.txt"] {
        check(
            &[stray],
            &[],
            &[&format!(
                "templates/{stray}: no template is read here; \
             move it to `templates/<template>/<locale>/<part>` or `templates/layouts/<name>`"
            )],
        );
    }
}

#[test]
fn syntax_error_is_reported() {
    check_source("Hello {{ recipient.name }}", &[]);
    let fix = "write `{{ value }}`, `{% if … %}…{% endif %}` or `{% for … %}…{% endfor %}`";
    check_source(
        "a\n{% if x %}",
        &[&format!(
            "templates/hello/en/socket.txt:2: syntax error: unexpected end of input, expected end of block in `{{% if x %}}`; {fix}"
        )],
    );
    check_source(
        "{{ a | b c }}",
        &[&format!(
            "templates/hello/en/socket.txt:1: syntax error: unexpected identifier, expected end of variable block in `{{{{ a | b c }}}}`; {fix}"
        )],
    );
}

#[test]
fn missing_include_is_reported() {
    check_source("{% extends \"layouts/base.txt\" %}", &[]);
    check_source(
        "a\n{% extends \"layouts/bse.txt\" %}",
        &[
            "templates/hello/en/socket.txt:2: there is no template file `layouts/bse.txt`; did you mean `layouts/base.txt`?",
        ],
    );
    check_source(
        "{% include 'signature' %}",
        &[
            "templates/hello/en/socket.txt:1: there is no template file `signature`; write `templates/signature`",
        ],
    );
}

#[test]
fn unused_template_is_a_warning() {
    let sources = sources(&["other/en/socket.title.txt", "other/en/socket.txt"], &[]);
    let mut problems = Vec::new();
    let warnings = super::check(&sources, "en", &drafts("- template: hello\n"), &mut problems);
    assert_eq!(problems, []);
    assert_eq!(
        shown(&warnings),
        ["templates/other: no rule uses this template; use it, or delete the folder"]
    );
}

#[test]
fn every_channel_of_every_step_needs_its_parts() {
    let fix = "write it, or take the channel out of the rule";
    let rule = "- rule: greet\n  steps: [{ send: [push] }, { wait: 1m }, { send: [sms, whatsapp] }]\n  template: hello\n";
    assert_eq!(
        problems(&sources(&["hello/en/push.txt"], &[]), rule),
        [
            format!(
                "templates/hello/en: rule greet: for the channel `push`, `push.title.txt` is missing; {fix}"
            ),
            format!("templates/hello/en: rule greet: for the channel `sms`, `sms.txt` is missing; {fix}"),
            format!(
                "templates/hello/en: rule greet: for the channel `whatsapp`, `whatsapp.txt` is missing; {fix}"
            ),
        ]
    );
}

#[test]
fn digest_rule_with_a_single_event_template_is_a_warning() {
    let rule = |steps: &str| {
        format!(
            "- rule: greet\n  when: {{ detail-type: [a.b] }}\n  category: c\n  to: [{{ user: ann }}]\n  {steps}\n  template: hello\n"
        )
    };
    let warned = |on: &str| {
        format!(
            "rules/r.yaml:6:13: rule greet: the rule sends digests, and the template `hello` never mentions `digest` \
             on {on}; write `{{% if digest is defined %}}{{{{ digest.total_activities }}}} …{{% else %}}…{{% endif %}}`"
        )
    };
    let steps = "steps: [{ send: [socket] }, { digest: 1h }, { send: [socket, email] }]";
    check_warnings(&rule(steps), "", &[&warned("`socket`, `email`")]);
    check_warnings(&rule(steps), "{{ digest.total_activities }}", &[&warned("`socket`")]);
    check_warnings(&rule(steps), "{% include 'layouts/all' %}", &[&warned("`socket`")]);
    check_warnings(
        &rule("channels: [socket, email]\n  outside: digest"),
        "",
        &[&warned("`email`").replace(":6:", ":7:")],
    );
    check_warnings(&rule("steps: [{ send: [email] }]"), "", &[]);
    let room = rule(steps).replace("user: ann", "room: a, of: b").replace(", email", "");
    check_warnings(&room, "", &[]);
}

/// Checks the warnings for this e-mail text.
#[track_caller]
fn check_warnings(rule: &str, email: &str, expected: &[&str]) {
    let mut sources = sources(&[], &[]);
    sources.insert("hello/en/email.txt".to_owned(), email.to_owned());
    sources.insert("layouts/all".to_owned(), "{% if digest %}{% endif %}".to_owned());
    let mut problems = Vec::new();
    let warnings = super::check(&sources, "en", &drafts(rule), &mut problems);
    assert_eq!(shown(&warnings), expected, "{rule}");
}

/// Checks a valid template `hello` and a rule that uses it on every channel, with files added and removed.
#[track_caller]
fn check(added: &[&str], removed: &[&str], expected: &[&str]) {
    let rule = "- rule: greet\n  channels: [email, socket]\n  template: hello\n";
    assert_eq!(problems(&sources(added, removed), rule), expected, "{added:?} {removed:?}");
}

#[track_caller]
fn check_rule(rule: &str, expected: &[&str]) {
    assert_eq!(problems(&sources(&[], &[]), rule), expected, "{rule}");
}

#[track_caller]
fn check_source(source: &str, expected: &[&str]) {
    let mut sources = sources(&["layouts/base.txt"], &[]);
    sources.insert("hello/en/socket.txt".to_owned(), source.to_owned());
    assert_eq!(problems(&sources, "- template: hello\n"), expected, "{source}");
}

fn sources(added: &[&str], removed: &[&str]) -> BTreeMap<String, String> {
    let sound = SOUND.iter().map(|name| format!("hello/en/{name}"));
    let all = sound.chain(added.iter().map(|name| (*name).to_owned()));
    all.filter(|all| !removed.contains(&all.as_str())).map(|all| (all, String::new())).collect()
}

/// The drafts of a minimal rule with a template.
fn drafts(rule: &str) -> Vec<Draft<'static>> {
    let mut ignored = Vec::new();
    let nodes = items(rule, &mut Diagnostics { file: "rules/r.yaml", rule: None, problems: &mut ignored });
    nodes.iter().filter_map(|node| draft(node, "rules/r.yaml", &mut ignored)).collect()
}

fn problems(sources: &BTreeMap<String, String>, rule: &str) -> Vec<String> {
    problems_of(sources, "en", rule)
}

fn problems_of(sources: &BTreeMap<String, String>, default: &str, rule: &str) -> Vec<String> {
    let mut problems = Vec::new();
    super::check(sources, default, &drafts(rule), &mut problems);
    let mut shown = shown(&problems);
    shown.sort();
    shown
}

fn shown(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(Problem::to_string).collect()
}
