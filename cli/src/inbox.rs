//! `carillon inbox`: lists and marks the inbox entries of a recipient.

use domain::audit::access::{Object, PERSON};
use domain::event::key::Key;
use domain::inbox::{Counts, Entry, InboxQuery, Mark, State, View, Viewer};
use serde_json::json;
use store::{Inbox, Ledger, Noticed};

use crate::access;
use crate::args::{self, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::terminal::{Cell, Ink, Table, Terminal, text, word};
use crate::times::utc;

pub(crate) async fn run(args: &args::Inbox, target: &Target, terminal: &Terminal) -> Done {
    let viewer = Viewer { user: args.recipient.clone(), view: View::own(args.tenant.clone()) };
    let keys = keys(&args.ids)?;
    let cloud = Cloud::of(target).await?;
    let operation = if args.mark.is_some() { "inboxMark" } else { "inbox" };
    let person = Object::new(PERSON, Some(&args.recipient));
    access::record(&cloud, operation, person, args.tenant.as_deref()).await?;
    let tables = store::client(&cloud.config);
    let inbox = Inbox::new(&tables, cloud.name("inbox"));
    match args.mark {
        None => {
            let filter =
                InboxQuery { filter: args.filter.unwrap_or_default(), category: args.category.clone() };
            list(&inbox, &viewer, &filter, args, terminal).await
        }
        Some(mark) => {
            let ledger = Ledger::new(&tables, cloud.name("ledger"));
            let marking = Marking { inbox: &inbox, ledger: &ledger, viewer: &viewer, mark };
            match args.all {
                true => marking.mark_all(args.category.clone(), terminal).await,
                false => marking.mark(keys, terminal).await,
            }
        }
    }
}

async fn list(
    inbox: &Inbox,
    viewer: &Viewer,
    filter: &InboxQuery,
    args: &args::Inbox,
    terminal: &Terminal,
) -> Done {
    let page = inbox.page(viewer, filter, args.before, args.limit, runtime::now()).await?;
    let mut table = Table::new([word("CREATED"), word("STATE"), text("TITLE")]);
    for entry in &page.entries {
        show(entry, &mut table, terminal);
    }
    terminal.table(&table);
    let counts = inbox.counts(viewer, runtime::now()).await?;
    terminal.note(&counted(counts));
    if let Some(next) = page.next {
        terminal.note(&format!("more entries: --before {next}"));
    }
    Ok(true)
}

/// A mark for inbox entries.
struct Marking<'a> {
    inbox: &'a Inbox,
    ledger: &'a Ledger,
    viewer: &'a Viewer,
    mark: Mark,
}

impl Marking<'_> {
    async fn mark_all(&self, category: Option<String>, terminal: &Terminal) -> Done {
        let mut marked = 0;
        loop {
            let category = category.clone();
            let now = runtime::now();
            let done =
                store::mark_all(self.inbox, self.ledger, self.viewer, category, self.mark, now).await?;
            marked += done.marked;
            if !done.more {
                match terminal.json {
                    true => terminal.say_json(&json!({ "marked": marked, "counts": done.counts })),
                    false => terminal.say(&format!(
                        "{marked} marked as {}; {}",
                        self.mark.name(),
                        counted(done.counts)
                    )),
                }
                return Ok(true);
            }
            terminal.progress(&format!("{marked} marked …"));
        }
    }

    async fn mark(&self, keys: Vec<Key>, terminal: &Terminal) -> Done {
        let now = runtime::now();
        let done = store::mark(self.inbox, self.ledger, self.viewer, keys, self.mark, None, now).await?;
        for (key, state) in &done.marked {
            let state = state.map_or("in no inbox", State::name);
            match terminal.json {
                true => terminal.say_json(&json!({ "id": key, "state": state })),
                false => terminal.say(&format!("{}  {state}", key.as_str())),
            }
        }
        for (key, why) in &done.refused {
            let why = match why {
                Noticed::Remembered => "remembered",
                Noticed::NotTheirs => "the recipient has no notification with this id",
                Noticed::ToARoom => "the notification was for a room, which has no marks",
            };
            match terminal.json {
                true => terminal.say_json(&json!({ "id": key, "refused": why })),
                false => terminal.say(&terminal.ink(Ink::Bad, &format!("{}  {why}", key.as_str()))),
            }
        }
        terminal.note(&counted(done.counts));
        Ok(done.refused.is_empty())
    }
}

fn show(entry: &Entry, table: &mut Table, terminal: &Terminal) {
    if terminal.json {
        return terminal.say_json(entry);
    }
    let ink = if entry.state == State::Unseen { Ink::Strong } else { Ink::Quiet };
    let created = Cell::ink(Ink::Quiet, utc(entry.created));
    table.row([created, Cell::ink(ink, entry.state.name()), Cell::ink(ink, entry.kept.title.expose())]);
    let body = entry.kept.body.expose().split_whitespace().collect::<Vec<_>>().join(" ");
    if !body.is_empty() {
        table.note(body.into());
    }
    let from = format!("{}  {} by rule {}", entry.kept.id.as_str(), entry.kept.event.kind, entry.kept.rule);
    table.note(Cell::ink(Ink::Quiet, from));
}

fn counted(counts: Counts) -> String {
    format!("{} unseen, {} unread, {} in all", counts.unseen, counts.unread, counts.total)
}

fn keys(ids: &[String]) -> Result<Vec<Key>, Error> {
    let mut keys = Vec::new();
    for id in ids {
        let Some(key) = Key::parse(id) else {
            let what = format!("`{id}` is no id of a notification");
            return Err(Error::usage(what, "take one that `carillon inbox` prints"));
        };
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    Ok(keys)
}
