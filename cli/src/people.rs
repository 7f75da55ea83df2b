//! `carillon people`: who can be told something.

use std::collections::BTreeSet;
use std::path::Path;

use domain::access::{Object, PERSON};
use domain::recipient::{Group, Recipient, Settings};
use domain::registry::{self, Stamp};
use store::People;

use crate::access;
use crate::args::{Import, Members, Show, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::files;
use crate::status::counted;
use crate::terminal::{Ink, Terminal, plain};

/// People of one call, and members of one page.
const AT_ONCE: usize = 500;

pub(crate) async fn import(args: &Import, target: &Target, terminal: &Terminal) -> Done {
    let file = read(&args.file, terminal)?;
    let cloud = Cloud::of(target).await?;
    let table = table(&cloud);
    let total = file.people.len();
    for (at, some) in file.people.chunks(AT_ONCE).enumerate() {
        table.put(some, runtime::now()).await?;
        terminal.progress(&format!("{} of {total} people", at * AT_ONCE + some.len()));
    }
    for (id, settings) in &file.tenants {
        let stamp = Stamp { at: runtime::now(), by: "put".to_owned() };
        if !table.put_tenant(id, settings, &stamp).await? {
            let what = format!("something newer than this moment was said of tenant {id}");
            return Err(Error::usage(what, "set this computer's clock, or the producer's"));
        }
    }
    terminal.clear();
    if let Some(note) = without_tenants(&file.people) {
        terminal.note(&note);
    }
    if terminal.json {
        terminal.say_json(&serde_json::json!({
            "imported": total, "tenants": file.tenants.len(), "refused": file.refused,
        }));
    } else {
        let word = match file.refused {
            0 => terminal.ink(Ink::Good, "ok"),
            it => terminal.ink(Ink::Bad, &format!("{it} refused,")),
        };
        let tenants = match file.tenants.len() {
            0 => String::new(),
            it => format!(" and {}", counted(it, "tenant", "tenants")),
        };
        let people = counted(total, "person", "people");
        terminal.say(&format!("{word} {people}{tenants} in {}", cloud.name("people")));
    }
    Ok(file.refused == 0)
}

/// A note about people without tenants, if there are any.
fn without_tenants(people: &[Recipient]) -> Option<String> {
    let count = people.iter().filter(|it| it.tenants.is_empty()).count();
    let total = people.len();
    (count > 0).then(|| {
        format!(
            "{count} of {total} people have no tenants: events of a tenant do not reach them, and no admin of a tenant \
             sees them; \"tenants\": [\"*\"] means all tenants"
        )
    })
}

/// What a file holds.
#[derive(Default)]
struct File {
    people: Vec<Recipient>,
    tenants: Vec<(String, Settings)>,
    /// Entries that are neither.
    refused: usize,
}

/// Reads people and tenants. What the registry refuses is said with its place and left out; an address that is none is
/// refused like everything else.
fn read(path: &Path, terminal: &Terminal) -> Result<File, Error> {
    let mut file = File::default();
    for piece in files::pieces(path)? {
        let entry = match is_tenant(&piece.text) {
            true => registry::tenant(&piece.text).map(|it| file.tenants.push(it)),
            false => registry::person(&piece.text).map(|it| file.people.push(it)),
        };
        if let Err(refusal) = entry {
            file.refused += 1;
            terminal.note(&format!("{}: {refusal}", piece.place));
        }
    }
    Ok(file)
}

/// A line is about a tenant when it names one: people have `tenants`.
fn is_tenant(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok_and(|it| it.get("tenant").is_some())
}

pub(crate) async fn show(args: &Show, target: &Target, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(target).await?;
    access::record(&cloud, "peopleShow", Object::new(PERSON, Some(&args.id)), None).await?;
    let found = table(&cloud).look_up(&BTreeSet::from([args.id.as_str()]), &BTreeSet::new()).await?;
    if !found.unreadable.is_empty() {
        let what = format!("{} is there, and this release cannot read it", args.id);
        return Err(Error::usage(what, "use the release that wrote it, or import the person again"));
    }
    let Some(person) = found.recipients.get(&args.id) else {
        terminal.note(&format!("{} is not known in {}", args.id, cloud.name("people")));
        return Ok(false);
    };
    if terminal.json {
        terminal.say_json(person);
        return Ok(true);
    }
    let members = serde_json::to_value(person).map_err(|it| Error::Cloud(it.to_string()))?;
    let mut members: Vec<_> = members.as_object().into_iter().flatten().collect();
    // Who it is stands first; JSON objects are in the order of their names.
    members.sort_by_key(|(name, _)| (*name != "id", *name != "name"));
    for (name, value) in members {
        for (at, line) in lines(value).into_iter().enumerate() {
            let name = if at == 0 { name.as_str() } else { "" };
            terminal.say(&format!("{} {}", terminal.ink(Ink::Quiet, &format!("{name:<12}")), plain(&line)));
        }
    }
    Ok(true)
}

/// A member's value, a line for each element.
fn lines(value: &serde_json::Value) -> Vec<String> {
    let text = |it: &serde_json::Value| it.as_str().map_or_else(|| it.to_string(), str::to_owned);
    if let Some(list) = value.as_array() {
        return list.iter().map(text).collect();
    }
    if let Some(object) = value.as_object() {
        return object.iter().map(|(name, it)| format!("{name}: {}", text(it))).collect();
    }
    vec![text(value)]
}

pub(crate) async fn members(args: &Members, target: &Target, terminal: &Terminal) -> Done {
    let group = group(args)?;
    let cloud = Cloud::of(target).await?;
    access::record(&cloud, "peopleMembers", Object::new("group", None), args.tenant.as_deref()).await?;
    let table = table(&cloud);
    let most = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
    let (mut start, mut count) = (args.after.clone(), 0);
    loop {
        let page = table.members(&group, start.as_deref(), most).await?;
        count += page.ids.len();
        for id in &page.ids {
            match terminal.json {
                true => terminal.say_json(&serde_json::json!({ "id": id })),
                false => terminal.say(id),
            }
        }
        if page.next.is_none() {
            break;
        }
        start = page.next;
    }
    terminal.note(&counted(count, "member", "members"));
    Ok(count > 0)
}

fn group(args: &Members) -> Result<Group, Error> {
    let fix = "name one such as topic:project:42 --tenant clinic-7, or role:clinic-staff --in clinic-7";
    match (args.group.split_once(':'), &args.scope) {
        (Some(("topic", name)), None) if name.contains(':') => Ok(Group::topic(args.tenant.as_deref(), name)),
        (Some(("role", role)), Some(scope)) if !role.is_empty() && args.tenant.is_none() => {
            Ok(Group::Role { scope: scope.clone(), role: role.to_owned() })
        }
        _ => Err(Error::usage(format!("{:?} with these options is no group", args.group), fix)),
    }
}

fn table(cloud: &Cloud) -> People {
    People::new(&store::client(&cloud.config), cloud.name("people"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_without_tenants_are_counted_and_people_of_all_tenants_are_not() {
        let person = |tenants: &str| {
            registry::person(&format!(r#"{{"id":"ann","tenants":{tenants}}}"#)).expect("a person")
        };
        let note = without_tenants(&[person("[]"), person(r#"["*"]"#), person(r#"["a"]"#)]);
        assert!(note.is_some_and(|it| it.starts_with("1 of 3 people have no tenants")));
        assert_eq!(without_tenants(&[person(r#"["*"]"#)]), None);
    }
}
