//! `carillon people`: imports, finds and shows recipients.

use std::collections::BTreeSet;

use domain::audit::access::{Object, PERSON};
use domain::recipient::Group;
use store::People;

pub(crate) mod find;
mod import;
mod names;

pub(crate) use import::{import, is_tenant, of_author};

use crate::access;
use crate::args::{Members, Show, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::status::counted;
use crate::terminal::{Cell, Ink, Table, Terminal, text, word};

/// The people of a call, and the members of a page.
const PAGE: usize = 500;

pub(crate) async fn show(args: &Show, target: &Target, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(target).await?;
    access::record(&cloud, "peopleShow", Object::new(PERSON, Some(&args.id)), None).await?;
    let found = table(&cloud).look_up(&BTreeSet::from([args.id.as_str()]), &BTreeSet::new()).await?;
    if !found.unreadable.is_empty() {
        let what = format!("{} exists, but this release cannot read the row", args.id);
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
    let members = serde_json::to_value(person).map_err(|error| Error::Cloud(error.to_string()))?;
    let mut members: Vec<_> = members.as_object().into_iter().flatten().collect();
    // Id and name come first. JSON objects are sorted by name.
    members.sort_by_key(|(name, _)| (*name != "id", *name != "name"));
    let mut table = Table::bare([word("NAME"), text("VALUE")]);
    for (name, value) in members {
        for (index, line) in lines(value).into_iter().enumerate() {
            let name = if index == 0 { name.as_str() } else { "" };
            table.row([Cell::ink(Ink::Quiet, name), line.into()]);
        }
    }
    terminal.table(&table);
    Ok(true)
}

/// The value of a member, one line an element.
fn lines(value: &serde_json::Value) -> Vec<String> {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if let Some(list) = value.as_array() {
        return list.iter().map(text).collect();
    }
    if let Some(object) = value.as_object() {
        return object.iter().map(|(name, value)| format!("{name}: {}", text(value))).collect();
    }
    vec![text(value)]
}

pub(crate) async fn members(args: &Members, target: &Target, terminal: &Terminal) -> Done {
    let group = group(args)?;
    let cloud = Cloud::of(target).await?;
    access::record(&cloud, "peopleMembers", Object::new("group", None), args.tenant.as_deref()).await?;
    let table = table(&cloud);
    let most = u32::try_from(PAGE).unwrap_or(u32::MAX);
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
    People::new(&store::client(&cloud.config), cloud.name("people")).with_addresses()
}
