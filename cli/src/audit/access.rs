//! `carillon audit access`: lists accesses to personal data.

use domain::Timestamp;
use domain::audit::access::AccessRecord;
use serde_json::json;
use store::Events;

use crate::args::AuditAccess;
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::since::ago;
use crate::terminal::{Cell, Ink, Table, Terminal, text, word};
use crate::times::utc;

/// The default age limit without a person, because all records of that time are read. Records of a person have no limit.
const DAY: &str = "24h";

pub(super) async fn run(args: &AuditAccess, cloud: &Cloud, terminal: &Terminal) -> Done {
    let events = Events::new(&store::client(&cloud.config), cloud.name("events"));
    let found = find(args, &events, terminal).await?;
    terminal.clear();
    let mut table = Table::new([
        word("TIME"),
        word("STATUS"),
        word("OPERATION"),
        text("OBJECT"),
        text("BY"),
        text("TENANT"),
        text("REQUEST"),
    ]);
    for record in &found {
        show(record, &mut table, terminal);
    }
    terminal.table(&table);
    if found.is_empty() {
        terminal.note("no access record matches; a record appears some seconds after its request");
    } else {
        terminal.note(&format!("{} access records", found.len()));
    }
    Ok(!found.is_empty())
}

async fn find(args: &AuditAccess, events: &Events, terminal: &Terminal) -> Result<Vec<AccessRecord>, Error> {
    let since = args.since.as_deref().map(ago).transpose()?;
    let Some(person) = &args.person else {
        let since = since.map_or_else(|| ago(DAY), Ok)?;
        terminal.progress(&format!("reading records since {} …", utc(since)));
        return Ok(events.accesses_between(since, runtime::now(), args.subject.as_deref()).await?);
    };
    let mut found = events.accesses_of(person, since.unwrap_or(Timestamp::UNIX_EPOCH)).await?;
    found.retain(|record| args.subject.is_none() || record.access.subject == args.subject);
    Ok(found)
}

fn show(record: &AccessRecord, table: &mut Table, terminal: &Terminal) {
    let access = &record.access;
    if terminal.json {
        return terminal.say_json(&json!({
            "time": record.time, "source": record.source, "by": access.by, "subject": access.subject,
            "tenant": access.tenant, "operation": access.operation, "object": access.object,
            "listed": access.listed, "status": access.status, "request": access.request,
        }));
    }
    let object = access.object.as_ref().map_or_else(
        || "-".to_owned(),
        |object| format!("{} {}", object.kind, object.id.as_deref().unwrap_or("-")),
    );
    let (status, ink) = match access.status {
        None => ("-".to_owned(), Ink::Quiet),
        Some(status @ 200..=399) => (status.to_string(), Ink::Good),
        Some(status) => (status.to_string(), Ink::Bad),
    };
    let subject = access.subject.as_deref().unwrap_or("-");
    table.row([
        Cell::ink(Ink::Quiet, utc(record.time)),
        Cell::ink(ink, status),
        (&access.operation).into(),
        object.into(),
        format!("{} {subject}", access.by.name()).into(),
        access.tenant.as_deref().unwrap_or("-").into(),
        (&access.request).into(),
    ]);
}
