//! `carillon received`: the notifications of a recipient on all channels.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use domain::audit::access::{Object, PERSON};
use domain::base::channel::{AddressForm, Channel};
use domain::base::outcome::Reason;
use domain::catalog::rule::Unless;
use domain::decide::plan::{Audience, user_name};
use domain::recipient::keyed_hash::KeyedHashes;
use serde_json::json;
use store::{Ledger, MAX_RECEIVED, Received};

use crate::access;
use crate::args::{self, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::since::ago;
use crate::status;
use crate::terminal::{Cell, Column, Ink, Table, Terminal, text, word};
use crate::times::{in_utc, utc};

mod pending;
mod texts;

use texts::Texts;

/// The interval between two reads with `--follow`.
const PAUSE: Duration = Duration::from_secs(1);

/// The time range of each read. A message can be settled long after its claim.
const RANGE: Duration = Duration::from_secs(15 * 60);

pub(crate) async fn run(args: &args::Received, target: &Target, terminal: &Terminal) -> Done {
    let since = ago(&args.since)?;
    let channel = args.channel;
    let cloud = Cloud::of(target).await?;
    access::record(&cloud, "received", object(&args.recipient), None).await?;
    let person = pending::person(&args.recipient, &cloud).await?;
    let ledger = Ledger::new(&store::client(&cloud.config), cloud.name("ledger"));
    let names = names(&args.recipient, &cloud).await?;
    let started = runtime::now();
    let mut found = find(&ledger, &names, since, channel, args.limit).await?;
    let texts = Texts::read(&cloud, &args.recipient, terminal).await?;
    if args.follow {
        found.reverse();
    }
    let pending = match &person {
        Some(person) => pending::pending(person, since, channel, &cloud, terminal).await?,
        None => Vec::new(),
    };
    let mut table = Table::new(COLUMNS);
    if !args.follow {
        pending.iter().for_each(|message| pending::show(message, &mut table, terminal));
    }
    for received in &found {
        show(received, &texts, &mut table, terminal);
    }
    terminal.table(&table);
    if args.follow {
        return follow(args, &cloud, &ledger, (found, names), started, terminal).await;
    }
    if found.is_empty() && pending.is_empty() {
        let is_known = person.is_some() || args.recipient.starts_with("room:");
        terminal.note(&pending::empty_note(&args.recipient, is_known, since, &cloud.name("people")));
    } else if found.len() == args.limit {
        terminal.note(&format!("the newest {}; --limit shows more", args.limit));
    }
    Ok(!found.is_empty() || !pending.is_empty())
}

/// Prints messages after `started`, and messages whose status changed.
async fn follow(
    args: &args::Received,
    cloud: &Cloud,
    ledger: &Ledger,
    (found, names): (Vec<Received>, Vec<String>),
    started: Timestamp,
    terminal: &Terminal,
) -> Done {
    let channel = args.channel;
    let status = |received: &Received| (received.row.status, received.noticed);
    // Messages beyond the limit are not new.
    let mut older = find(ledger, &names, started - RANGE, channel, usize::MAX).await?;
    older.retain(|received| received.begun_at < started);
    let known =
        found.iter().chain(&older).map(|received| (received.row.key.as_str().to_owned(), status(received)));
    let mut known: BTreeMap<String, _> = known.collect();
    terminal.note("following; stop with Ctrl-C");
    loop {
        tokio::time::sleep(PAUSE).await;
        if terminal.is_closed() {
            return Ok(true);
        }
        let since = runtime::now() - RANGE;
        let mut new = find(ledger, &names, since, channel, usize::MAX).await?;
        new.retain(|received| {
            known.insert(received.row.key.as_str().to_owned(), status(received)) != Some(status(received))
        });
        if new.is_empty() {
            continue;
        }
        let texts = Texts::read(cloud, &args.recipient, terminal).await?;
        let mut table = Table::bare(COLUMNS);
        for received in new.iter().rev() {
            show(received, &texts, &mut table, terminal);
        }
        terminal.table(&table);
    }
}

/// The newest rows of all these names.
async fn find(
    ledger: &Ledger,
    names: &[String],
    since: Timestamp,
    channel: Option<Channel>,
    limit: usize,
) -> Result<Vec<Received>, Error> {
    let mut found: Vec<Received> = Vec::new();
    for name in names {
        let (mut start, mut of_name) = (None, 0);
        loop {
            let page = ledger.received(name, since, start.as_ref(), MAX_RECEIVED).await?;
            let matches = page
                .received
                .into_iter()
                .filter(|received| channel.is_none() || received.row.channel == channel);
            let before = found.len();
            found.extend(matches);
            of_name += found.len() - before;
            start = page.next;
            if start.is_none() || of_name >= limit {
                break;
            }
        }
    }
    found.sort_by(|one, other| (other.at, &other.row.key).cmp(&(one.at, &one.row.key)));
    found.truncate(limit);
    Ok(found)
}

/// The recipient names of ledger rows. The stack's secret is read for an address only.
async fn names(recipient: &str, cloud: &Cloud) -> Result<Vec<String>, Error> {
    let addresses = addresses(recipient);
    let mut names = match recipient.starts_with("room:") || recipient.starts_with("address:") {
        true => vec![recipient.to_owned()],
        false => vec![user_name(recipient)],
    };
    if !addresses.is_empty() {
        let hashes = cloud.hashes().await?;
        names.extend(addresses.iter().flat_map(|address| address_names(address, &hashes)));
    }
    Ok(names)
}

/// The addresses that a text can be: an e-mail address, or a number on two channels.
fn addresses(recipient: &str) -> Vec<Audience> {
    let fits = |form: AddressForm| match form {
        AddressForm::Email => recipient.contains('@'),
        AddressForm::Phone => recipient.starts_with('+'),
        // A recipient may have such an id, too: both names are looked up.
        AddressForm::Id(parse) => parse(recipient).is_ok(),
    };
    let channels = Channel::with_addresses().filter(|(_, address)| fits(address.form));
    channels.map(|(channel, _)| Audience::Address { channel, address: recipient.into() }).collect()
}

/// The name of an address in rows of this release, and in those of the last one.
fn address_names(address: &Audience, hashes: &KeyedHashes) -> Vec<String> {
    std::iter::once(address.name(hashes)).chain(address.former_name()).collect()
}

/// The object of the access record. Addresses are personal data and left out.
fn object(recipient: &str) -> Object {
    if recipient.contains('@') || recipient.starts_with('+') || recipient.starts_with("address:") {
        return Object::new("address", None);
    }
    match recipient.strip_prefix("room:") {
        Some(room) => Object::new("room", Some(room)),
        None => Object::new(PERSON, Some(recipient)),
    }
}

/// The columns of the list.
const COLUMNS: [Column; 6] =
    [word("TIME"), word("STATUS"), word("CHANNEL"), text("TYPE"), text("RULE"), word("MARK")];

/// The cells of a status and a channel. Their widths are constant, which keeps the lines of `--follow` in line.
fn status_cells(ink: Ink, status: &str, channel: &str) -> [Cell; 2] {
    [Cell::ink(ink, format!("{status:<11}")), format!("{channel:<8}").into()]
}

fn show(received: &Received, texts: &Texts, table: &mut Table, terminal: &Terminal) {
    let row = &received.row;
    let sent = texts.of(row);
    let channel = row.channel.map_or("-", Channel::name);
    if terminal.json {
        return terminal.say_json(&json!({
            "at": received.at, "begun_at": received.begun_at, "channel": row.channel, "status": row.status, "reason": row.reason,
            "because": row.reason.map(Reason::meaning), "until": row.until, "note": row.note,
            "noticed": received.noticed.map(Unless::name), "words": sent, "rule": row.rule, "step": row.step,
            "event": row.origin.id, "type": row.origin.kind, "source": row.origin.source,
            "tenant": row.origin.tenant, "recipient": row.recipient, "key": row.key,
            "provider_id": row.provider_id,
        }));
    }
    let [status, channel] =
        status_cells(status::ink(row.status), status::word(row.status, row.reason), channel);
    table.row([
        Cell::ink(Ink::Quiet, utc(received.at)),
        status,
        channel,
        (&row.origin.kind).into(),
        (&row.rule).into(),
        received.noticed.map(Unless::name).unwrap_or_default().into(),
    ]);
    if let Some(sent) = sent {
        table.note(format!("“{sent}”").into());
    }
    let note = row.note.as_deref().map(in_utc);
    let why = match row.reason {
        Some(reason) => {
            let until = row.until.map_or_else(String::new, |until| format!(", until {}", utc(until)));
            let note = note.map_or_else(String::new, |note| format!("; {note}"));
            Some(format!("because {} ({}){until}{note}", reason.meaning(), reason.name()))
        }
        // A late message has a note about its wait.
        None => note,
    };
    if let Some(why) = why {
        table.note(Cell::ink(Ink::Quiet, why));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_record_has_no_address() {
        assert_eq!(object("ann"), Object::new(PERSON, Some("ann")));
        for address in ["ann@example.com", "+4915112345678", "address:email:0123"] {
            assert_eq!(object(address), Object::new("address", None));
        }
        assert_eq!(object("room:queue:7").id.as_deref(), Some("queue:7"));
    }

    #[test]
    fn address_has_its_keyed_name_and_the_former_one() {
        let hashes = KeyedHashes::development();
        assert!(addresses("ann").is_empty() && addresses("room:queue:7").is_empty());
        let [email] = &addresses("Ann@example.com")[..] else { panic!("one channel") };
        let names = address_names(email, &hashes);
        assert_eq!(names.len(), 2);
        assert_eq!(names[0], format!("address:email:{}", hashes.address(Channel::Email, "ann@example.com")));
        let found: Vec<String> =
            addresses("+4915112345678").iter().flat_map(|address| address_names(address, &hashes)).collect();
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|name| !name.contains("15112345678")));
    }
}
