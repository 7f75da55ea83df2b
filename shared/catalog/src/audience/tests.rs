use super::*;
use crate::yaml::items;

#[test]
fn user_or_room_is_addressed_by_name_or_path() {
    check("{ user: ann }", "[socket]", &[]);
    check("{ user: $.data.userId }", "[email]", &[]);
    check("{ room: queue, of: $.data.queueId }", "[socket]", &[]);
    check("{ room: queue, of: triage-1 }", "[socket]", &[]);
}

#[test]
fn path_may_have_alternatives() {
    let one = "$.data.patientId | $.data.userId";
    for written in [one, "[$.data.patientId, $.data.userId]", "$.data.patientId|$.data.userId"] {
        let (text, mut problems) = (format!("- user: {written}"), Vec::new());
        let mut report = Diagnostics { file: "f", rule: None, problems: &mut problems };
        let nodes = items(&text, &mut report);
        let Some(Selector::User(Operand::Path(path))) = selector(&nodes[0], &mut report) else {
            panic!("{written}: {problems:?}")
        };
        assert_eq!(path.to_string(), one);
    }
    check("{ role: clinic-staff, in: [$.data.clinicId, $.tenant] }", "[socket]", &[]);
    check("{ email: $.data.to | $.data.email }", "[email]", &[]);
    check("{ user: a|b }", "[socket]", &[]);
}

#[test]
fn alternatives_are_distinct_paths() {
    let literal = "`ben` is no path, and stands among alternatives, which are paths alone; write a path such as \
                   `$.data.userId`, or this value alone";
    check("{ user: $.data.userId | ben }", "[socket]", &[literal]);
    check("{ user: [ben, $.data.userId] }", "[socket]", &[literal]);
    let twice = "the alternative `$.data.a` stands here twice; take one out";
    check("{ user: [$.data.a, $.data.b, $.data.a] }", "[socket]", &[twice]);
    check("{ user: $.data.a | $.data.a }", "[socket]", &[twice]);
    check("{ user: [] }", "[socket]", &["there is no path in this list; write `[$.data.userId]`"]);
    check("{ user: [$.data.a, 7] }", "[socket]", &["found a number, wanted text; put it in quotes"]);
    check("{ user: $.data.a | data.b }", "[socket]", &["`data.b` is not a path; did you mean `$.data.b`?"]);
    let empty = "an alternative is empty; write paths with one `|` between them, such as `$.data.patientId | \
                 $.data.userId`";
    check("{ user: $.data.a | }", "[socket]", &[empty]);
    let many = format!(
        "{{ user: [{}] }}",
        (0..17).map(|number| format!("$.data.m{number}")).collect::<Vec<_>>().join(", ")
    );
    check(&many, "[socket]", &["there are 17 alternatives, and a path has 16 at most; take some out"]);
}

#[test]
fn entry_has_exactly_one_kind() {
    check(
        "{ user: ann, room: queue, of: x }",
        "[socket]",
        &["one entry names `user`, `room`; make it one entry each"],
    );
    check("{ of: x }", "[socket]", &[&format!("the entry names no recipient; {EITHER}")]);
    check("{ user: ann, of: x }", "[socket]", &["`of` does not belong to `user`; take it out"]);
    check("ann", "[socket]", &[&format!("found text, wanted a recipient; {EITHER}")]);
    check("", "[socket]", &[&format!("`to` is empty, so the rule has no recipients; {EITHER}")]);
}

#[test]
fn endpoints_need_the_webhook_channel() {
    check("{ endpoints: tenant }", "[webhook]", &[]);
    check(
        "{ endpoints: everybody }",
        "[webhook]",
        &[
            "`everybody` says nothing about whose endpoints; write `endpoints: tenant`: those of the event's tenant",
        ],
    );
    check(
        "{ endpoints: tenant }",
        "[socket]",
        &[
            "none of the rule's channels reaches an endpoint; add the channel `webhook`, or take the endpoints out",
        ],
    );
    check(
        "{ user: ann }",
        "[webhook]",
        &[
            "the channel `webhook` reaches endpoints, and the rule names none; add `- endpoints: tenant`, or take the channel out",
        ],
    );
    check(
        "{ endpoints: tenant }",
        "[webhook, email]",
        &[
            "the rule addresses endpoints only, and the channel `email` reaches none; take the channel out, or address a user",
        ],
    );
}

#[test]
fn entry_rejects_unknown_keys() {
    check(
        "{ usr: ann }",
        "[socket]",
        &["unknown key `usr`; did you mean `user`?", &format!("the entry names no recipient; {EITHER}")],
    );
    check("{ user: 7 }", "[socket]", &["found a number, wanted text; put it in quotes"]);
}

#[test]
fn room_has_a_plain_name_and_a_scope() {
    check(
        "{ room: queue }",
        "[socket]",
        &["a room without `of` is no one room; say which one of them: `of: $.data.<id>`"],
    );
    check(
        "{ room: 'queue:7', of: x }",
        "[socket]",
        &[
            "`queue:7` is no name for a room; use letters, digits, `-` and `_`; put values of the event into a key of their own",
        ],
    );
}

#[test]
fn path_begins_inside_the_envelope() {
    let fix = "write `$.` and names with dots between them, such as `$.data.userId`";
    for bad in ["$", "$.data..userId", "$.data[0]"] {
        check(&format!("{{ user: '{bad}' }}"), "[socket]", &[&format!("`{bad}` is not a path; {fix}")]);
    }
    check(
        "{ user: $.detail.data.userId }",
        "[socket]",
        &[
            "`$.detail.data.userId` finds nothing: paths begin inside the envelope, which is `detail` itself; \
         write `$.data.userId`",
        ],
    );
}

#[test]
fn rooms_need_a_channel_that_reaches_them() {
    check(
        "{ room: a, of: b }",
        "[email, socket]",
        &[
            "the rule addresses rooms only, and the channel `email` reaches no room; use the channel `socket`, or address a user",
        ],
    );
    check(
        "{ room: a, of: b }",
        "[email]",
        &[
            "the rule addresses rooms only, and the channel `email` reaches no room; use the channel `socket`, or address a user",
        ],
    );
    check(
        "{ user: a }, { room: a, of: b }",
        "[email]",
        &["none of the rule's channels reaches a room; add the channel `socket`, or take the room out"],
    );
    check("{ user: a }, { room: a, of: b }", "[email, socket]", &[]);
}

#[test]
fn role_and_topic_need_a_scope() {
    check("{ role: doctor, in: $.data.clinicId }, { topic: project, of: $.data.projectId }", "[email]", &[]);
    check(
        "{ role: doctor }",
        "[email]",
        &["a role without `in` is no one role; say which one of them: `in: $.data.<id>`"],
    );
    check(
        "{ topic: project }",
        "[email]",
        &["a topic without `of` is no one topic; say which one of them: `of: $.data.<id>`"],
    );
    check("{ role: doctor, of: x }", "[email]", &["`of` does not belong to `role`; write `in: …`"]);
    check("{ topic: project, in: x }", "[email]", &["`in` does not belong to `topic`; write `of: …`"]);
    check(
        "{ role: 'a doctor', in: x }",
        "[email]",
        &[
            "`a doctor` is no name for a role; use letters, digits, `-` and `_`; put values of the event into a key of their own",
        ],
    );
}

#[test]
fn address_and_channel_must_fit_each_other() {
    check("{ email: $.data.guestEmail }, { phone: $.data.phone }", "[email, sms]", &[]);
    check("{ whatsapp: $.data.phone }, { user: ann }", "[whatsapp, push]", &[]);
    check(
        "{ phone: $.data.phone }, { user: ann }",
        "[email, socket]",
        &["an address for `sms`, and the rule tells on `email`, `socket` only; \
           add the channel `sms`, or take the address out"],
    );
    check(
        "{ email: $.data.guestEmail }",
        "[email, push]",
        &[
            "no recipient of the rule can be reached on the channel `push`; take the channel out, or address a user",
        ],
    );
}

#[test]
fn duplicate_entry_is_refused() {
    check(
        "{ user: a }, { user: b }, { user: a }",
        "[email]",
        &["the same entry stands here twice; take one out"],
    );
}

#[track_caller]
fn check(to: &str, channels: &str, expected: &[&str]) {
    assert_eq!(problems(to, channels), expected, "{to}");
}

fn problems(to: &str, channels: &str) -> Vec<String> {
    let channels: Vec<Channel> =
        Channel::ALL.into_iter().filter(|channel| channels.contains(channel.name())).collect();
    let mut problems = Vec::new();
    let mut report = Diagnostics { file: "r.yaml", rule: None, problems: &mut problems };
    let nodes = items(&format!("- [{to}]"), &mut report);
    selectors(&nodes[0], &channels, &mut report);
    problems.iter().map(|problem| format!("{}; {}", problem.what, problem.fix)).collect()
}

#[test]
fn path_in_the_notation_of_another_product_gets_a_suggestion() {
    for (written, meant) in [
        ("data.to", "$.data.to"),
        ("'{{ data.to }}'", "$.data.to"),
        ("'{{data.to}}'", "$.data.to"),
        ("'{{ payload.to }}'", "$.data.to"),
        ("'{{ to }}'", "$.data.to"),
        ("'${data.user.id}'", "$.data.user.id"),
        ("detail.orderId", "$.data.orderId"),
        ("detail.data.to", "$.data.to"),
        ("detail.tenant", "$.tenant"),
        ("$data.to", "$.data.to"),
        ("$.orderId", "$.data.orderId"),
        ("$.user.id", "$.data.user.id"),
        ("$.detail.orderId", "$.data.orderId"),
        ("$.detail.data.to", "$.data.to"),
    ] {
        for entry in [format!("{{ user: {written} }}"), format!("{{ room: queue, of: {written} }}")] {
            let found = problems(&entry, "[socket]");
            let wanted = format!("`{meant}`");
            assert!(found.len() == 1 && found[0].contains(&wanted), "{entry}: {found:?}");
        }
    }
    assert_eq!(problems("{ user: '{{ a }} {{ b }}' }", "[email]").len(), 1);
    for user in ["ann", "ann.smith", "dr-lee@example.com", "order.placed", "$.data.to", "$.tenant"] {
        assert_eq!(problems(&format!("{{ user: {user} }}"), "[email]"), Vec::<String>::new(), "{user}");
    }
}
