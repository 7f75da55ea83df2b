//! `carillon people import`: replaces people and tenants by the entries of a file.

use std::path::Path;

use domain::event::Refusal;
use domain::event::own_events::CLI_SOURCE;
use domain::recipient::address_change::{AddressChange, announcement};
use domain::recipient::preference::check_channels;
use domain::recipient::recipient_changes::{self, Stamp};
use domain::recipient::{Recipient, Settings};
use publish::{Entry, EventBridge};

use super::names::Names;
use super::{PAGE, table};
use crate::args::{Import, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::files;
use crate::status::counted;
use crate::terminal::{Ink, Terminal, plain};

pub(crate) async fn import(args: &Import, target: &Target, terminal: &Terminal) -> Done {
    let names = Names::of(&args.config, terminal);
    let file = read(&args.file, &names, terminal)?;
    if args.dry_run {
        if terminal.json {
            file.people.iter().for_each(|person| terminal.say_json(person));
        }
        return Ok(report(&file, None, terminal));
    }
    let cloud = Cloud::of(target).await?;
    let table = table(&cloud);
    let total = file.people.len();
    let mut announced = true;
    for (index, page) in file.people.chunks(PAGE).enumerate() {
        let stamp = Stamp { at: runtime::now(), by: "put".to_owned() };
        let (addresses, written) = table.put_all(page, &stamp).await;
        announced &= announce(&cloud, &addresses, &stamp, terminal).await;
        written?;
        terminal.count(index * PAGE + page.len(), total, "people");
    }
    for (id, settings) in &file.tenants {
        let stamp = Stamp { at: runtime::now(), by: "put".to_owned() };
        if !table.put_tenant(id, settings, &stamp).await? {
            let what = format!("tenant {id} has a newer change than the current time");
            return Err(Error::usage(what, "set this computer's clock, or the producer's"));
        }
    }
    terminal.clear();
    Ok(report(&file, Some(&cloud.name("people")), terminal) && announced)
}

/// Publishes the address changes, so that the old addresses are notified. The changes stay if the bus refuses an event.
/// Returns whether all events were accepted, and prints a note for each refused one.
async fn announce(
    cloud: &Cloud,
    addresses: &[(String, AddressChange)],
    stamp: &Stamp,
    terminal: &Terminal,
) -> bool {
    if addresses.is_empty() {
        return true;
    }
    let event = |(id, change): &(String, AddressChange)| {
        Entry::of(&announcement(CLI_SOURCE, id, change, stamp, stamp.at))
    };
    let entries: Vec<Entry> = addresses.iter().map(event).collect();
    let put = EventBridge::new(&cloud.config, cloud.bus()).put(&entries).await;
    let mut announced = true;
    for ((id, change), refused) in
        addresses.iter().zip(put).filter_map(|(change, put)| Some((change, put.err()?)))
    {
        announced = false;
        terminal.note(&format!(
            "the changed {} of {id} was not announced to the old one: {}",
            change.member,
            runtime::chain(&refused)
        ));
    }
    announced
}

/// Prints the counts. `table` is `None` for a dry run. Returns whether no entry was refused.
fn report(file: &File, table: Option<&str>, terminal: &Terminal) -> bool {
    if let Some(note) = without_tenants(&file.people) {
        terminal.note(&note);
    }
    let (total, refused) = (file.people.len(), file.refused);
    if terminal.json {
        let tenants = file.tenants.len();
        terminal.say_json(&match table {
            Some(_) => serde_json::json!({ "imported": total, "tenants": tenants, "refused": refused }),
            None => serde_json::json!({ "dry_run": true, "people": total, "tenants": tenants, "refused": refused }),
        });
        return refused == 0;
    }
    let word = match refused {
        0 => terminal.ink(Ink::Good, "ok"),
        count => terminal.ink(Ink::Bad, &format!("{count} refused,")),
    };
    let tenants = match file.tenants.len() {
        0 => String::new(),
        count => format!(" and {}", counted(count, "tenant", "tenants")),
    };
    let line = format!("{word} {}{tenants}", counted(total, "person", "people"));
    match table {
        Some(table) => terminal.say(&format!("{line} in {table}")),
        None => terminal.say(&format!("{line} can be imported; a dry run writes no data")),
    }
    refused == 0
}

/// A note about people without tenants, if there are any.
fn without_tenants(people: &[Recipient]) -> Option<String> {
    let count = people.iter().filter(|person| person.tenants.is_empty()).count();
    let total = people.len();
    (count > 0).then(|| {
        format!(
            "{count} of {total} people have no tenants: events of a tenant do not reach them, and no admin of a tenant \
             sees them; \"tenants\": [\"*\"] means all tenants"
        )
    })
}

/// The entries of a file.
#[derive(Default)]
struct File {
    people: Vec<Recipient>,
    tenants: Vec<(String, Settings)>,
    /// The number of refused entries.
    refused: usize,
}

/// Reads people and tenants. Refused entries are printed with their places and left out. Invalid addresses and names that
/// the policy does not know are refusals, too.
fn read(path: &Path, names: &Names, terminal: &Terminal) -> Result<File, Error> {
    let mut file = File::default();
    for piece in files::pieces(path)? {
        let entry = match is_tenant(&piece.text) {
            true => recipient_changes::tenant(&piece.text)
                .map_err(|refusal| of_author(&piece.text, &refusal))
                .and_then(|(id, settings)| {
                    names.check_settings(&settings, "")?;
                    file.tenants.push((id, settings));
                    Ok(())
                }),
            false => recipient_changes::person(&piece.text)
                .map_err(|refusal| of_author(&piece.text, &refusal))
                .and_then(|person| {
                    names.check(&person)?;
                    file.people.push(person);
                    Ok(())
                }),
        };
        if let Err(refusal) = entry {
            file.refused += 1;
            let refusal = wrong_channel(&piece.text).unwrap_or(refusal);
            if terminal.json {
                terminal.say_json(&serde_json::json!({ "place": piece.place, "refused": refusal }));
            }
            terminal.note(&format!("{}: {refusal}", piece.place));
        }
    }
    Ok(file)
}

/// A name in the preferences that is no channel, quoted from the file. The registry's refusals have no quotes.
fn wrong_channel(text: &str) -> Option<String> {
    let entry: serde_json::Value = serde_json::from_str(text).ok()?;
    check_channels(&entry["preferences"]).err().map(|invalid| format!("preferences.{invalid}"))
}

/// Whether an entry is a tenant: it has `tenant` and no `id`. People have `id` and `tenants`.
pub(crate) fn is_tenant(text: &str) -> bool {
    let has = |value: &serde_json::Value, name: &str| value.get(name).is_some();
    serde_json::from_str::<serde_json::Value>(text)
        .is_ok_and(|entry| has(&entry, "tenant") && !has(&entry, "id"))
}

/// A refusal with the name of an unknown member. The registry replaces the name by its length, and the author of the file
/// needs the name.
pub(crate) fn of_author(text: &str, refusal: &Refusal) -> String {
    let members: serde_json::Map<String, serde_json::Value> = serde_json::from_str(text).unwrap_or_default();
    let known: Vec<&str> = refusal.wanted.split([' ', ',']).collect();
    let is_refused = |name: &String| {
        let length = name.chars().count();
        let shown = if length == 1 { "<1 character>".to_owned() } else { format!("<{length} characters>") };
        refusal.attribute == shown && !known.contains(&name.as_str())
    };
    match members.keys().find(|key| is_refused(key)) {
        Some(name) => format!("{}: found {}, wanted {}", plain(name), refusal.found, refusal.wanted),
        None => refusal.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_names_the_member_and_people_are_not_read_as_tenants() {
        for (text, expected) in [
            (
                r#"{"id":"ann","email":"ann@example.org","emial":"x"}"#,
                "emial: found a member that is not known",
            ),
            (r#"{"id":"ann","x":1}"#, "x: found a member that is not known"),
            (r#"{"id":"ann","email":5}"#, "email: found a number"),
            (r#"{"id":"ann","tenant":"t-1"}"#, "tenant: found a member that is not known"),
            (r#"{"name":"Ann"}"#, "id: found nothing"),
        ] {
            assert!(!is_tenant(text), "{text}");
            let refusal = recipient_changes::person(text).err().unwrap();
            let message = of_author(text, &refusal);
            assert!(message.starts_with(expected), "{text}: {message}");
        }
        assert!(is_tenant(r#"{"tenant":"t-1","zone":"Europe/Berlin"}"#));
        let refusal = recipient_changes::tenant(r#"{"tenant":"t-1","zoen":"x"}"#).err().unwrap();
        assert!(of_author(r#"{"tenant":"t-1","zoen":"x"}"#, &refusal).starts_with("zoen: "));
    }

    #[test]
    fn people_without_tenants_are_counted() {
        let person = |tenants: &str| {
            recipient_changes::person(&format!(r#"{{"id":"ann","tenants":{tenants}}}"#)).expect("a person")
        };
        let note = without_tenants(&[person("[]"), person(r#"["*"]"#), person(r#"["a"]"#)]);
        assert!(note.is_some_and(|note| note.starts_with("1 of 3 people have no tenants")));
        assert_eq!(without_tenants(&[person(r#"["*"]"#)]), None);
    }
}
