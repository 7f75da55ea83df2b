//! `carillon people find`: who has an address, or a name. No line shows an address.

use domain::access::Object;
use domain::channel::Channel;
use domain::keyed_hash::KeyedHashes;
use domain::recipient::{EmailAddress, PhoneNumber, Recipient};
use serde_json::json;

use super::table;
use crate::access;
use crate::args::{Find, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::terminal::{Ink, Terminal, plain};

/// What is looked for.
enum Sought<'a> {
    Address(Channel, &'a str),
    Name(String),
}

pub(crate) async fn run(args: &Find, target: &Target, terminal: &Terminal) -> Done {
    let sought = sought(args)?;
    let cloud = Cloud::of(target).await?;
    access::record(&cloud, "peopleFind", Object::new("group", None), args.tenant.as_deref()).await?;
    let people = table(&cloud);
    let mut found = match (&sought, args.scan) {
        (Sought::Address(channel, address), false) => people.by_address(*channel, address).await?,
        (Sought::Address(..), true) | (Sought::Name(_), _) => {
            terminal.progress("reading everybody …");
            let mut all = people.everybody().await?;
            terminal.clear();
            all.retain(|person| is_sought(person, &sought));
            all
        }
    };
    found.retain(|person| args.tenant.as_deref().is_none_or(|tenant| person.belongs_to(Some(tenant))));
    found.sort_by(|one, other| one.id.cmp(&other.id));
    for person in &found {
        let name = person.name.as_deref().unwrap_or_default();
        let tenants: Vec<&str> = person.tenants.iter().map(String::as_str).collect();
        match terminal.json {
            true => {
                terminal
                    .say_json(&json!({ "id": person.id, "name": person.name, "tenants": person.tenants }));
            }
            false => {
                let id = terminal.ink(Ink::Strong, &plain(&person.id));
                terminal.say(&format!("{id}  {}  {}", plain(name), plain(&tenants.join(", "))));
            }
        }
    }
    if found.is_empty() {
        let more = if args.scan || args.name.is_some() { "" } else { "; --scan reads the whole table" };
        terminal.note(&format!("nobody is found in {}{more}", cloud.name("people")));
    }
    Ok(!found.is_empty())
}

fn sought(args: &Find) -> Result<Sought<'_>, Error> {
    let addresses = [
        (&args.email, Channel::Email, "--email"),
        (&args.phone, Channel::Sms, "--phone"),
        (&args.whatsapp, Channel::Whatsapp, "--whatsapp"),
    ];
    for (address, channel, option) in addresses {
        let Some(address) = address else { continue };
        let fits = match channel {
            Channel::Email => EmailAddress::parse(address).is_ok(),
            Channel::Sms | Channel::Whatsapp => PhoneNumber::parse(address).is_ok(),
            Channel::Push | Channel::Socket | Channel::Webhook => false,
        };
        let fix = "write an address such as ann@example.com, or a number such as +442079460102";
        return match fits {
            true => Ok(Sought::Address(channel, address)),
            false => Err(Error::usage(format!("{option}: this is no such address"), fix)),
        };
    }
    Ok(Sought::Name(args.name.as_deref().unwrap_or_default().to_lowercase()))
}

fn is_sought(person: &Recipient, sought: &Sought<'_>) -> bool {
    match sought {
        Sought::Name(part) => person.name.as_deref().is_some_and(|name| name.to_lowercase().contains(part)),
        Sought::Address(channel, address) => {
            let own = match channel {
                Channel::Email => person.email.as_deref(),
                Channel::Sms => person.phone.as_deref(),
                Channel::Whatsapp => person.whatsapp.as_deref(),
                Channel::Push | Channel::Socket | Channel::Webhook => None,
            };
            // Two spellings of an address have one name.
            let hashes = KeyedHashes::development();
            own.is_some_and(|own| hashes.address(*channel, own) == hashes.address(*channel, address))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_found_by_an_address_in_any_spelling_and_by_a_part_of_their_name() {
        let person: Recipient = serde_json::from_value(json!({
            "id": "ann", "name": "Dr. Ann Haddad", "email": "Ann@Example.com", "phone": "+44 20 7946 0102",
        }))
        .unwrap();
        for (sought, expected) in [
            (Sought::Address(Channel::Email, "ann@example.COM"), true),
            (Sought::Address(Channel::Email, "ben@example.com"), false),
            (Sought::Address(Channel::Sms, "+442079460102"), true),
            (Sought::Address(Channel::Whatsapp, "+442079460102"), false),
            (Sought::Name("haddad".to_owned()), true),
            (Sought::Name("smith".to_owned()), false),
        ] {
            assert_eq!(is_sought(&person, &sought), expected);
        }
    }
}
