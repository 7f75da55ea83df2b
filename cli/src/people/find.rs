//! `carillon people find`: finds people by address or name. The output has no addresses.

use domain::audit::access::Object;
use domain::base::channel::Channel;
use domain::base::sensitive::Sensitive;
use domain::recipient::keyed_hash::KeyedHashes;
use domain::recipient::{Recipient, parse_address};
use serde_json::json;

use super::table;
use crate::access;
use crate::args::{Find, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::terminal::{Cell, Ink, Table, Terminal, plain, text, word};

/// A search.
enum Search<'a> {
    Address(Channel, &'a str),
    Name(String),
}

pub(crate) async fn run(args: &Find, target: &Target, terminal: &Terminal) -> Done {
    let search = search(args)?;
    let cloud = Cloud::of(target).await?;
    access::record(&cloud, "peopleFind", Object::new("group", None), args.tenant.as_deref()).await?;
    let people = table(&cloud);
    let mut found = match (&search, args.scan) {
        (Search::Address(channel, address), false) => people.by_address(*channel, address).await?,
        (Search::Address(..), true) | (Search::Name(_), _) => {
            terminal.progress("reading all people …");
            let mut all = people.everybody().await?;
            terminal.clear();
            all.retain(|person| matches(person, &search));
            all
        }
    };
    found.retain(|person| args.tenant.as_deref().is_none_or(|tenant| person.belongs_to(Some(tenant))));
    found.sort_by(|one, other| one.id.cmp(&other.id));
    let mut table = Table::new([word("ID"), text("NAME"), text("TENANTS")]);
    for person in &found {
        let name = person.name.as_ref().map(Sensitive::expose);
        let tenants: Vec<&str> = person.tenants.iter().map(String::as_str).collect();
        match terminal.json {
            true => {
                terminal.say_json(&json!({ "id": person.id, "name": name, "tenants": person.tenants }));
            }
            false => {
                table.row([
                    Cell::ink(Ink::Strong, &person.id),
                    name.map_or("", String::as_str).into(),
                    tenants.join(", ").into(),
                ]);
            }
        }
    }
    terminal.table(&table);
    if found.is_empty() {
        let more = if args.scan || args.name.is_some() { "" } else { "; --scan reads the whole table" };
        terminal.note(&format!("no person found in {}{more}", cloud.name("people")));
    }
    Ok(!found.is_empty())
}

fn search(args: &Find) -> Result<Search<'_>, Error> {
    let options = [
        (args.email.as_deref(), "email"),
        (args.phone.as_deref(), "phone"),
        (args.whatsapp.as_deref(), "whatsapp"),
    ];
    let option = options.into_iter().find_map(|(address, member)| Some((member, address?)));
    let option = option.or_else(|| args.address.as_deref().and_then(|text| text.split_once('=')));
    if let Some((member, address)) = option {
        let channel = Channel::of_member(member).ok_or_else(|| unknown_member(member))?;
        let wanted = channel.address().map_or("", |spec| spec.wanted);
        return match parse_address(channel, address) {
            Ok(_) => Ok(Search::Address(channel, address)),
            Err(_) => Err(Error::usage(
                format!("--{member}: the value is no such address"),
                format!("write {wanted}"),
            )),
        };
    }
    if args.address.is_some() {
        return Err(Error::usage("--address: found no `=`", "write one such as slack=U012AB3CD"));
    }
    Ok(Search::Name(args.name.as_deref().unwrap_or_default().to_lowercase()))
}

fn unknown_member(member: &str) -> Error {
    let known: Vec<&str> = Channel::with_addresses().map(|(_, address)| address.member).collect();
    let fix = format!("name one of {}", known.join(", "));
    Error::usage(format!("--address: no member `{}` holds an address", plain(member)), fix)
}

fn matches(person: &Recipient, search: &Search<'_>) -> bool {
    match search {
        Search::Name(part) => {
            person.name.as_ref().is_some_and(|name| name.expose().to_lowercase().contains(part))
        }
        Search::Address(channel, address) => {
            let own = person.address(*channel);
            // All spellings of an address have the same hash.
            let hashes = KeyedHashes::development();
            own.is_some_and(|own| hashes.address(*channel, own.expose()) == hashes.address(*channel, address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_match_by_address_in_any_spelling_and_by_part_of_the_name() {
        let person: Recipient = serde_json::from_value(json!({
            "id": "ann", "name": "Dr. Ann Haddad", "email": "Ann@Example.com", "phone": "+44 20 7946 0102",
        }))
        .unwrap();
        for (search, expected) in [
            (Search::Address(Channel::Email, "ann@example.COM"), true),
            (Search::Address(Channel::Email, "ben@example.com"), false),
            (Search::Address(Channel::Sms, "+442079460102"), true),
            (Search::Address(Channel::Whatsapp, "+442079460102"), false),
            (Search::Name("haddad".to_owned()), true),
            (Search::Name("smith".to_owned()), false),
        ] {
            assert_eq!(matches(&person, &search), expected);
        }
    }
}
