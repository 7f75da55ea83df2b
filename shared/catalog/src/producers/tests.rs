use domain::event::producers::{Producers, Tenants};
use serde_json::json;

use crate::policy;

#[test]
fn source_has_the_rights_of_its_entry() {
    let (producers, problems) = read(
        "producers:\n  - { source: crm, tenants: '*', people: true, operator: true }\n  \
         - source: shop*\n    tenants: [ten-a, '-']\n    types: [order.*, shop.opened]\n    critical: true\n    \
         speaks-as: [TaskService]\n    envelopes: [DomainEvent]\n  \
         - { source: /tenants/*, tenants: none, actor: any }\n",
    );
    assert_eq!(problems, [""; 0]);
    let expected = json!([
        { "source": "crm", "tenants": "all", "people": true, "operator": true },
        { "source": "shop*", "tenants": { "listed": ["-", "ten-a"] }, "types": ["order.*", "shop.opened"],
          "critical": true, "speaks-as": ["TaskService"], "envelopes": ["DomainEvent"] },
        { "source": "/tenants/*", "tenants": "none", "any_actor": true },
    ]);
    assert_eq!(serde_json::to_value(&producers).unwrap(), expected);
    assert_eq!(
        producers.entry("shop-2").unwrap().tenants,
        Tenants::Listed(["-".into(), "ten-a".into()].into())
    );
}

#[test]
fn missing_key_differs_from_an_empty_list() {
    assert!(read("rate: 5\n").0.is_absent());
    let (producers, problems) = read("producers: []\n");
    assert!(problems.is_empty() && !producers.is_absent() && producers.entry("shop").is_none());
}

#[test]
fn tenant_path_may_have_alternatives() {
    for path in ["[$.data.clinicId, $.data.familyId]", "$.data.clinicId | $.data.familyId"] {
        let text = format!("producers:\n  - {{ source: hub, tenants: '*', tenant: {path} }}\n");
        let (producers, problems) = read(&text);
        assert_eq!(problems, [""; 0]);
        let tenant = producers.entry("hub").unwrap().tenant.as_ref().map(ToString::to_string);
        assert_eq!(tenant.as_deref(), Some("$.data.clinicId | $.data.familyId"));
    }
    check(
        "  - { source: hub, tenants: '*', tenant: clinic-a }",
        &[
            "2: `clinic-a` is not a path; write `$.` and names with dots between them, such as `$.data.userId`",
        ],
    );
    check(
        "  - { source: hub, tenants: none, tenant: $.data.clinicId }",
        &[
            "2: `tenant` finds a tenant, and `tenants: none` lets the source speak for none; list the tenants in `tenants`, \
           write `tenants: \"*\"`, or take `tenant` out",
        ],
    );
}

#[test]
fn invalid_entry_is_reported_with_a_suggestion() {
    check("  - { source: a }", &["2: the key `tenants` is missing; add a line `tenants: …`"]);
    check(
        "  - { source: a, tenants: none, peple: true }",
        &["2: unknown key `peple`; did you mean `people`?"],
    );
    check(
        "  - { source: a, tenants: all }",
        &[
            "2: found text, wanted tenants; write a list such as `[clinic-a, clinic-b]`, `\"*\"` for all, or `none`",
        ],
    );
    check(
        "  - { source: a, tenants: none }\n  - { source: a, tenants: '*' }",
        &["3: the source `a` has an entry already; put all its rights into one entry"],
    );
    check(
        "  - { source: a, tenants: none, types: [order.*, order.placed] }",
        &["2: the type `order.*` covers `order.placed`, which stands here too; take `order.placed` out"],
    );
    check("  - { source: a, tenants: [t, t] }", &["2: the tenant `t` stands here twice; take one out"]);
    check(
        "  - { source: 'a*b', tenants: none }",
        &["2: `a*b` has a `*` that is not its end; put one `*` at the end, or none"],
    );
    check(
        "  - { source: carillon/api, tenants: none }",
        &[
            "2: `carillon/api` is a source of Carillon's own functions, which need no entry; take the entry out, or \
             name the producer's own source",
        ],
    );
    check(
        "  - { source: a, tenants: none, types: [communication.sent] }",
        &[
            "2: the type `communication.sent` is reserved for Carillon's own events; take it out; `people: true` lets \
             the source update recipients, topics and tenants",
        ],
    );
    check(
        "  - { source: a, tenants: none, speaks-as: [carillon/push] }",
        &[
            "2: a producer cannot speak as `carillon/push`; write the name of one service that is not Carillon's own",
        ],
    );
    check(
        "  - { source: '*', tenants: '*', people: true }",
        &[
            "2: `people` for the source `*` is a right of every producer; name the source that has this right in an \
             entry of its own",
        ],
    );
    check(
        "  - { source: a, tenants: none, people: true }",
        &[
            "2: `people: true` with `tenants: none` lets the source change no person; list the tenants whose people it \
             may change, or write `tenants: \"*\"`",
        ],
    );
}

#[track_caller]
fn check(entries: &str, expected: &[&str]) {
    let (_, problems) = read(&format!("producers:\n{entries}\n"));
    assert_eq!(problems, expected);
}

fn read(yaml: &str) -> (Producers, Vec<String>) {
    let mut problems = Vec::new();
    let draft = policy::read(Some(yaml), &mut problems);
    let text = problems
        .iter()
        .map(|problem| format!("{}: {}; {}", problem.line.unwrap(), problem.what, problem.fix))
        .collect();
    (draft.policy.producers, text)
}
