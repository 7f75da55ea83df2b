use std::collections::BTreeMap;

use super::*;

const PACK: &str = "pack: shop\nabout: A shop.\n";

const RULE: &str = "- rule: sold\n  when: { detail-type: [shop.sold] }\n  category: order\n  channels: [socket]\n  \
                    to: [{ user: $.data.to }]\n  template: sold\n";

/// A project with a pack `shop` of one rule, and its own files.
fn project(own: &[(&str, &str)], packs: &[(&str, &[(&str, &str)])]) -> Project {
    let files = |list: &[(&str, &str)]| -> Files {
        list.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
    };
    let shop = [
        ("pack.yaml", PACK),
        ("rules/shop.yaml", RULE),
        ("templates/sold/en/socket.title.txt", "Sold"),
        ("templates/sold/en/socket.txt", "You"),
    ];
    let pack = |name: &str, list: &[(&str, &str)]| Pack {
        name: name.to_owned(),
        place: format!("packs/{name}"),
        files: files(list),
    };
    let mut all = vec![pack("shop", &shop)];
    for (name, list) in packs {
        match all.iter_mut().find(|pack| pack.name == *name) {
            Some(known) => known.files.extend(files(list)),
            None => all.push(pack(name, list)),
        }
    }
    Project { own: files(own), packs: all, manifest: Some(Manifest::default()), problems: Vec::new() }
}

fn compiled(project: &Project) -> Compiled {
    project.compile().unwrap_or_else(|problems| panic!("{problems:#?}"))
}

#[track_caller]
fn refused(project: &Project, expected: &[&str]) {
    let problems = project.compile().err().unwrap_or_default();
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
}

#[test]
fn pack_alone_makes_a_catalog() {
    let compiled = compiled(&project(&[], &[]));
    assert_eq!(compiled.file.rules.len(), 1);
    assert_eq!(compiled.warnings, []);
    assert_eq!(compiled.pack_rules, BTreeMap::from([("sold".to_owned(), "shop".to_owned())]));
}

#[test]
fn problem_in_a_pack_names_the_file_of_the_pack_and_the_line() {
    let rule = RULE.replace("[socket]", "[sokcet]");
    refused(
        &project(&[], &[("shop", &[("rules/shop.yaml", &rule)])]),
        &["packs/shop/rules/shop.yaml:4:14: rule sold: unknown channel `sokcet`; did you mean `socket`?"],
    );
    refused(
        &project(&[], &[("shop", &[("templates/sold/de/socket.txt", "Du")])]),
        &[
            "packs/shop/templates/sold/de: for the channel `socket`, `socket.title.txt` is missing; write it, or delete \
           the channel's other files, so that no message mixes languages",
        ],
    );
    let policy = format!("{PACK}roles: [\"no role\"]\nzone: UTC\n");
    let problems = project(&[], &[("shop", &[("pack.yaml", &policy)])]).compile().err().unwrap();
    let places: Vec<_> = problems.iter().map(|problem| (problem.file.as_str(), problem.line)).collect();
    assert_eq!(
        places,
        [("packs/shop/pack.yaml", Some(3)), ("packs/shop/pack.yaml", Some(4))],
        "{problems:?}"
    );
}

#[test]
fn policy_of_the_project_wins_and_lists_are_united() {
    let policy = "roles: [clerk]\nproducers:\n  - { source: till, tenants: none }\n\
                  caps:\n  - { cap: c, most: 1, per: tenant, period: day }\n";
    let share = format!(
        "{PACK}roles: [owner, clerk]\nproducers:\n  - {{ source: till, tenants: \"*\" }}\n  \
         - {{ source: web, tenants: \"*\" }}\ncaps:\n  - {{ cap: c, most: 9, per: tenant, period: day }}\n"
    );
    let compiled = compiled(&project(&[("policy.yaml", policy)], &[("shop", &[("pack.yaml", &share)])]));
    let policy = serde_json::to_value(&compiled.file.policy).unwrap();
    assert_eq!(policy["roles"], serde_json::json!(["clerk", "owner"]));
    let caps = policy["caps"].as_array().unwrap();
    assert!(caps.len() == 1 && caps[0].to_string().contains("1"), "{caps:?}");
    let producers = policy["producers"].to_string();
    assert!(producers.contains("web") && producers.contains("none"), "{producers}");
}

#[test]
fn value_that_two_packs_give_differently_is_a_problem_with_both_places() {
    let share =
        |most: u32| format!("{PACK}caps:\n  - {{ cap: c, most: {most}, per: tenant, period: day }}\n");
    let (shop, other) = (share(1), share(2).replace("pack: shop", "pack: other"));
    let packs: [(&str, &[(&str, &str)]); 2] =
        [("shop", &[("pack.yaml", &shop)]), ("other", &[("pack.yaml", &other)])];
    refused(
        &project(&[], &packs),
        &[
            "packs/other/pack.yaml:4:5: caps `c`: packs/shop/pack.yaml:4 has another value; make them equal, or write \
           it in policy.yaml, which takes precedence",
        ],
    );
    let own = "caps:\n  - { cap: c, most: 3, per: tenant, period: day }\n";
    compiled(&project(&[("policy.yaml", own)], &packs));
    let same = share(1).replace("pack: shop", "pack: other");
    compiled(&project(&[], &[packs[0], ("other", &[("pack.yaml", &same)])]));
}

#[test]
fn pack_that_is_not_enabled_and_needed_is_a_problem() {
    let share = format!("{PACK}needs: [core]\n");
    refused(
        &project(&[], &[("shop", &[("pack.yaml", &share)])]),
        &[
            "packs/shop/pack.yaml:3:9: the pack `shop` needs the pack `core`; add `core` to `packs` in carillon.yaml",
        ],
    );
}

#[test]
fn override_changes_members_of_a_rule_and_nothing_else() {
    let own = [("rules/mine.yaml", "- override: shop/sold\n  category: sale\n  expires: 2h\n")];
    let compiled = compiled(&project(&own, &[]));
    let [rule] = compiled.file.rules.as_slice() else { panic!("{:?}", compiled.file.rules) };
    assert_eq!((rule.name.as_str(), rule.category.as_str()), ("sold", "sale"));
    assert!(rule.expires.is_some() && rule.template == "sold" && !rule.steps.is_empty());
    assert!(compiled.pack_rules.is_empty(), "the project answers for what it changed");
}

#[test]
fn override_takes_out_a_member_without_a_value_and_the_alternative_of_a_new_one() {
    let pack = RULE.replace("  template", "  expires: 2h\n  template");
    let packs: [(&str, &[(&str, &str)]); 1] = [("shop", &[("rules/shop.yaml", &pack)])];
    let own = "- override: shop/sold\n  expires:\n  steps:\n    - wait: 5m\n    - send: [socket]\n";
    let compiled = compiled(&project(&[("rules/mine.yaml", own)], &packs));
    let rule = &compiled.file.rules[0];
    assert!(rule.expires.is_none() && rule.steps.len() == 2, "{rule:?}");
}

#[test]
fn problem_in_an_override_names_the_file_of_the_project() {
    let own = "# mine\n- override: shop/sold\n  channels: [sokcet]\n";
    refused(
        &project(&[("rules/mine.yaml", own)], &[]),
        &["rules/mine.yaml:3:14: rule sold: unknown channel `sokcet`; did you mean `socket`?"],
    );
}

#[test]
fn rule_that_is_switched_off_is_gone_and_its_category_may_still_be_named() {
    let share = format!("{PACK}email:\n  unsubscribe: [order]\n");
    let own = [
        (
            "rules/mine.yaml",
            "- switch-off: shop/sold\n- rule: mine\n  when: { detail-type: [a] }\n  category: b\n  \
          channels: [socket]\n  to: [{ user: $.data.to }]\n  template: mine\n",
        ),
        ("templates/mine/en/socket.title.txt", "Mine"),
        ("templates/mine/en/socket.txt", "Mine"),
    ];
    let compiled = compiled(&project(&own, &[("shop", &[("pack.yaml", &share)])]));
    assert_eq!(compiled.file.rules.iter().map(|rule| rule.name.as_str()).collect::<Vec<_>>(), ["mine"]);
    assert_eq!(compiled.warnings, []);
}

#[test]
fn change_of_a_rule_that_does_not_exist_is_a_problem_with_the_nearest_name() {
    let own = "- override: shop/sould\n  category: sale\n- switch-off: store/sold\n";
    refused(
        &project(&[("rules/mine.yaml", own)], &[]),
        &[
            "rules/mine.yaml:1:13: there is no rule `shop/sould` in a pack of this project; did you mean `shop/sold`?",
            "rules/mine.yaml:3:15: there is no rule `store/sold` in a pack of this project; did you mean `shop/sold`?",
        ],
    );
}

#[test]
fn change_that_says_too_little_or_too_much_is_a_problem() {
    let one = |text: &str| {
        let problems = project(&[("rules/mine.yaml", text)], &[]).compile().err().unwrap();
        assert_eq!(problems.len(), 1, "{problems:?}");
        (problems[0].line, problems[0].what.clone())
    };
    assert_eq!(one("- override: shop/sold\n").1, "the override changes nothing");
    assert!(one("- switch-off: shop/sold\n  channels: [email]\n").1.contains("no meaning"));
    assert!(one("- override: shop/sold\n  rule: other\n").1.contains("stands beside"));
    let twice = "- override: shop/sold\n  category: a\n- switch-off: shop/sold\n";
    assert_eq!(one(twice), (Some(3), "rules/mine.yaml:1 changes `shop/sold` already".to_owned()));
    let in_pack = "- override: shop/sold\n  category: a\n";
    let problems =
        project(&[], &[("other", &[("pack.yaml", "pack: other\nabout: O.\n"), ("rules/o.yaml", in_pack)])]);
    assert!(problems.compile().err().unwrap()[0].what.contains("only a project changes"));
}

#[test]
fn template_of_the_project_replaces_the_same_file_of_a_pack_and_two_packs_have_none_in_common() {
    let path = "templates/sold/en/socket.txt";
    let own = compiled(&project(&[(path, "Mine")], &[]));
    assert_eq!(own.file.templates["sold/en/socket.txt"], "Mine");
    refused(
        &project(&[], &[("other", &[("pack.yaml", "pack: other\nabout: O.\n"), (path, "Other")])]),
        &[
            "packs/other/templates/sold/en/socket.txt: packs/shop/templates/sold/en/socket.txt is the same template file; \
           give one of the templates another name",
        ],
    );
}

#[test]
fn samples_are_named_by_their_pack_and_people_of_the_project_come_last() {
    let own = [("events/a.json", "1"), ("people.json", "2")];
    let project = project(&own, &[("shop", &[("events/b.json", "3"), ("people.json", "4")])]);
    let named = |texts: Vec<Text>| texts.into_iter().map(|text| (text.name, text.file)).collect::<Vec<_>>();
    let expected = [("shop/b.json", "packs/shop/events/b.json"), ("a.json", "events/a.json")];
    assert_eq!(named(project.samples()), expected.map(|(name, file)| (name.to_owned(), file.to_owned())));
    let files: Vec<String> = project.people().into_iter().map(|person| person.file).collect();
    assert_eq!(files, ["packs/shop/people.json", "people.json"]);
}

#[test]
fn project_on_disk_takes_its_copy_of_a_pack_before_the_one_of_the_program() {
    let folder = std::env::temp_dir().join(format!("carillon-project-{}", std::process::id()));
    let write = |path: &str, text: &str| {
        let path = folder.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("mine/carillon.yaml", "packs: [a, b, c]\n");
    write("mine/packs/a/pack.yaml", "pack: a\nabout: Copy.\n");
    let shipped =
        ["a", "b"].map(|name| (format!("{name}/pack.yaml"), format!("pack: {name}\nabout: Shipped.\n")));
    let project = Project::read(&folder.join("mine"), &BTreeMap::from(shipped.clone()));
    assert_eq!(project.packs(), ["a", "b"]);
    assert!(project.packs[0].files["pack.yaml"].contains("Copy") && project.packs[1].files.len() == 1);
    let problems: Vec<String> = project.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        ["carillon.yaml:1:15: there is no pack `c`; `carillon pack ls` lists the packs that there are"]
    );
    write("other/carillon.yaml", "packs: [a]\npacks-folder: ../mine/packs\npack-test: true\n");
    let other = Project::read(&folder.join("other"), &BTreeMap::from(shipped));
    let problems: Vec<String> = other.problems.iter().map(ToString::to_string).collect();
    assert_eq!(
        problems,
        [
            "carillon.yaml:3:1: unknown key `pack-test`; did you mean `pack-tests`?",
            "carillon.yaml:2:15: `../mine/packs` is no folder of packs; write `packs`, or a folder above the project such \
             as `../packs`",
        ]
    );
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn path_above_a_folder_is_found_by_name() {
    let path = |folder: &str, below| joined(Path::new(folder), below).display().to_string();
    assert_eq!(path("config", "../packs/a"), "packs/a");
    assert_eq!(path("/x/config", "../packs"), "/x/packs");
    assert_eq!(path("config", "packs/a"), "config/packs/a");
}
