//! `carillon inbox`: what somebody was told live and can read later.

use domain::access::{Object, PERSON};
use domain::inbox::{Counts, Entry, Filter, Mark, Shelf, State, View, Viewer};
use domain::key::Key;
use serde_json::json;
use store::{Inbox, Ledger, Noticed};

use crate::access;
use crate::args::{self, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::terminal::{Ink, Terminal, plain};
use crate::times::utc;

pub(crate) async fn run(args: &args::Inbox, target: &Target, terminal: &Terminal) -> Done {
    let viewer = Viewer { user: args.recipient.clone(), view: View::own(args.tenant.clone()) };
    let mark = word(args.mark.as_deref(), "mark", Mark::from_name, &Mark::ALL.map(Mark::name))?;
    let shelf = word(args.shelf.as_deref(), "shelf", Shelf::from_name, &Shelf::ALL.map(Shelf::name))?;
    let keys = keys(&args.ids)?;
    let cloud = Cloud::of(target).await?;
    let operation = if mark.is_some() { "inboxMark" } else { "inbox" };
    let person = Object::new(PERSON, Some(&args.recipient));
    access::record(&cloud, operation, person, args.tenant.as_deref()).await?;
    let tables = store::client(&cloud.config);
    let inbox = Inbox::new(&tables, cloud.name("inbox"));
    match mark {
        None => {
            let filter = Filter { shelf: shelf.unwrap_or_default(), category: args.category.clone() };
            list(&inbox, &viewer, &filter, args, terminal).await
        }
        Some(mark) => {
            let ledger = Ledger::new(&tables, cloud.name("ledger"));
            let what = Marking { inbox: &inbox, ledger: &ledger, viewer: &viewer, mark };
            match args.all {
                true => what.all(args.category.clone(), terminal).await,
                false => what.these(keys, terminal).await,
            }
        }
    }
}

async fn list(
    inbox: &Inbox,
    viewer: &Viewer,
    filter: &Filter,
    args: &args::Inbox,
    terminal: &Terminal,
) -> Done {
    let page = inbox.page(viewer, filter, args.before, args.limit, runtime::now()).await?;
    for entry in &page.entries {
        show(entry, terminal);
    }
    let counts = inbox.counts(viewer, runtime::now()).await?;
    terminal.note(&counted(counts));
    if let Some(next) = page.next {
        terminal.note(&format!("there is more: --before {next}"));
    }
    Ok(true)
}

/// Marks that are to be made.
struct Marking<'a> {
    inbox: &'a Inbox,
    ledger: &'a Ledger,
    viewer: &'a Viewer,
    mark: Mark,
}

impl Marking<'_> {
    async fn all(&self, category: Option<String>, terminal: &Terminal) -> Done {
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

    async fn these(&self, keys: Vec<Key>, terminal: &Terminal) -> Done {
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
                Noticed::NotTheirs => "they were told nothing under this id",
                Noticed::ToARoom => "a room was told, and no member speaks for all",
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

fn show(it: &Entry, terminal: &Terminal) {
    if terminal.json {
        return terminal.say_json(it);
    }
    let ink = if it.state == State::Unseen { Ink::Strong } else { Ink::Quiet };
    let at = terminal.ink(Ink::Quiet, &utc(it.created));
    let state = terminal.ink(ink, &format!("{:<8}", it.state.name()));
    terminal.say(&format!("{at}  {state}  {}", terminal.ink(ink, &it.kept.title)));
    let body = it.kept.body.split_whitespace().collect::<Vec<_>>().join(" ");
    if !body.is_empty() {
        terminal.say(&format!("    {}", plain(&body)));
    }
    let from = format!("    {}  {} by rule {}", it.kept.id.as_str(), it.kept.event.kind, it.kept.rule);
    terminal.say(&terminal.ink(Ink::Quiet, &from));
}

fn counted(it: Counts) -> String {
    format!("{} unseen, {} unread, {} in all", it.unseen, it.unread, it.total)
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

fn word<T>(
    text: Option<&str>,
    what: &str,
    read: fn(&str) -> Option<T>,
    known: &[&str],
) -> Result<Option<T>, Error> {
    let Some(text) = text else { return Ok(None) };
    let wrong =
        || Error::usage(format!("there is no {what} `{text}`"), format!("name one of {}", known.join(", ")));
    read(text).map(Some).ok_or_else(wrong)
}
