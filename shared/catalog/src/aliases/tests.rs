use crate::policy;

#[test]
fn alias_maps_an_event_name_to_a_type() {
    let (policy, problems) = read("{ TaskCreatedEvent: task.created, \"Task done\": task.completed }");
    assert_eq!(problems, [""; 0]);
    let aliases = policy.producers.aliases();
    assert_eq!(aliases.kind_of("TaskCreatedEvent"), "task.created");
    assert_eq!(aliases.kind_of("Task done"), "task.completed");
    assert_eq!(aliases.kind_of("TaskDeletedEvent"), "TaskDeletedEvent");
    assert!(policy.producers.is_absent(), "aliases give no right and take none");
}

#[test]
fn invalid_alias_is_reported_at_its_place() {
    check("{ A: A }", &["1: the alias `A` stands for itself; take it out"]);
    check(
        "{ A: b, b: c }",
        &["1: the alias `A` stands for `b`, which is an alias itself (line 1); write `A: c`"],
    );
    let two_ways = read("\n  A: b\n  A: c").1;
    assert!(two_ways.len() == 1 && two_ways[0].contains("`A` stands here twice"), "{two_ways:?}");
    let reserved = "1: the type `carillon.delivery.sent` is reserved for Carillon's own events; name an event of a \
                    producer and an ordinary type";
    check("{ A: carillon.delivery.sent }", &[reserved]);
    check("{ carillon.delivery.sent: b }", &[reserved]);
    check("{ \"Task*\": task.any }", &["1: `Task*` is no whole name; write one alias for each event name"]);
    check("{ A: \"task.*\" }", &["1: `task.*` is no whole name; write one alias for each event name"]);
    check("{ A: 7 }", &["1: found a number, wanted text; put it in quotes"]);
    check(
        "[A]",
        &["1: found a list, wanted a map; write it as `aliases: { TaskCreatedEvent: task.created }`"],
    );
}

#[track_caller]
fn check(aliases: &str, expected: &[&str]) {
    assert_eq!(read(aliases).1, expected, "{aliases}");
}

fn read(aliases: &str) -> (domain::catalog::policy::Policy, Vec<String>) {
    let mut problems = Vec::new();
    let draft = policy::read(Some(&format!("aliases: {aliases}\n")), &mut problems);
    let text = problems
        .iter()
        .map(|problem| format!("{}: {}; {}", problem.line.unwrap_or_default(), problem.what, problem.fix));
    (draft.policy, text.collect())
}
