//! `carillon outbox`: counts and lists pending and failed outbox entries.

use domain::Timestamp;
use serde_json::json;
use store::{Backlog, Item, Place, Waiting};

use crate::args::{self, OutboxLs, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::terminal::{Cell, Ink, Table, Terminal, text, word};
use crate::times::utc;

pub(crate) async fn run(args: &args::Outbox, target: &Target, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(target).await?;
    let waiting = Waiting::new(&store::client(&cloud.config), cloud.name("events"));
    let backlog = waiting.backlog().await?;
    match args {
        args::Outbox::Stats => Ok(stats(&backlog, runtime::now(), terminal)),
        args::Outbox::Ls(ls) => list(ls, &backlog, &waiting, terminal).await,
    }
}

fn stats(backlog: &Backlog, now: Timestamp, terminal: &Terminal) -> bool {
    let (pending, failed) = (backlog.pending.len(), backlog.failed.len());
    let oldest =
        backlog.pending.first().map(|(_, appended_at)| now.duration_since(*appended_at).as_secs().max(0));
    if terminal.json {
        terminal.say_json(&json!({
            "pending": pending, "oldestSeconds": oldest, "failed": failed, "isCut": backlog.is_cut,
        }));
        return failed == 0;
    }
    let more = if backlog.is_cut { " and more" } else { "" };
    let oldest = oldest.map_or_else(String::new, |seconds| format!(", the oldest for {seconds} s"));
    terminal.say(&format!("{pending}{more} pending{oldest}"));
    let ink = if failed == 0 { Ink::Good } else { Ink::Bad };
    terminal.say(&terminal.ink(ink, &format!("{failed} failed, never published")));
    if failed > 0 {
        terminal.say("why?  carillon outbox ls --failed");
    }
    failed == 0
}

async fn list(args: &OutboxLs, backlog: &Backlog, waiting: &Waiting, terminal: &Terminal) -> Done {
    let rows = if args.failed { &backlog.failed } else { &backlog.pending };
    let mut table = Table::new([word("APPENDED"), word("STREAM"), word("ENTRY"), text("CAUSE")]);
    for (place, appended_at) in rows.iter().take(args.limit) {
        // An entry that was acknowledged meanwhile has no row.
        let Some(row) = waiting.row(place).await? else { continue };
        show(place, *appended_at, &row, &mut table, terminal);
    }
    terminal.table(&table);
    if rows.len() > args.limit {
        terminal.note(&format!("{} more; --limit shows them", rows.len() - args.limit));
    }
    Ok::<bool, Error>(true)
}

fn show(place: &Place, appended_at: Timestamp, row: &Item, table: &mut Table, terminal: &Terminal) {
    let cause = row.get("failed_because");
    if terminal.json {
        return terminal.say_json(&json!({
            "pk": place.pk, "sk": place.sk, "appendedAt": appended_at.to_string(), "id": row.get("id"),
            "type": row.get("type"), "failedAt": row.get("failed_at"), "cause": cause,
        }));
    }
    let cause = Cell::ink(Ink::Bad, cause.unwrap_or_default());
    table.row([Cell::ink(Ink::Quiet, utc(appended_at)), (&place.pk).into(), (&place.sk).into(), cause]);
}
