//! `carillon audit`: verifies audit records against their seals, lists seals and accesses.

mod access;
mod source;

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use domain::audit::seal::{Due, Finding, Kind, Sealed, Statement, check, minute_of, moved};
use jiff::SignedDuration;
use seals::{PublicKey, Signer};
use serde_json::json;
use store::{Events, Leaves};

use crate::args::{self, Seals, Target, Verify};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::since::in_order;
use crate::terminal::{Cell, Ink, Table, Terminal, number, text, word};

use source::{Found, Source};

/// The longest time between the end of a minute and its seal. The sealer waits three minutes and runs every minute.
const SEAL_DEADLINE: SignedDuration = SignedDuration::from_mins(10);

const DAY: i64 = 86_400;

pub(crate) async fn run(args: &args::Audit, target: &Target, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(target).await?;
    match args {
        args::Audit::Verify(args) => verify(args, &cloud, terminal).await,
        args::Audit::Seals(seals) => list(seals, &cloud, terminal).await,
        args::Audit::Access(access) => access::run(access, &cloud, terminal).await,
    }
}

/// The counts of a verification.
#[derive(Default)]
struct Count {
    seals: usize,
    /// Records of sealed minutes.
    records: usize,
    /// Records of minutes whose seal is not due.
    waiting: usize,
}

impl Count {
    fn add(&mut self, seals: &[Sealed], leaves: &Leaves, due: Timestamp) {
        let sealed: BTreeSet<Timestamp> = seals.iter().map(|seal| seal.statement.minute).collect();
        self.seals += seals.len();
        for (minute, records) in leaves {
            if *minute < due || sealed.contains(minute) {
                self.records += records.len();
            } else {
                self.waiting += records.len();
            }
        }
    }
}

async fn verify(args: &Verify, cloud: &Cloud, terminal: &Terminal) -> Done {
    let now = runtime::now();
    // Seals cover whole minutes.
    let (asked, to) = (args.from.map(minute_of), minute_of(args.to.unwrap_or(now)));
    in_order(asked.unwrap_or(to), to, "swap them")?;
    let key = public_key(args, cloud).await?;
    let source = Source::of(args.seals.as_deref(), cloud).await?;
    terminal.progress("listing the seals …");
    let minutes = source.minutes(asked, to).await?;
    let Some(first) = minutes.first().copied() else {
        terminal.clear();
        let between = asked.map_or_else(String::new, |from| format!(" from {from} to {to}"));
        terminal.say(&terminal.ink(Ink::Bad, &format!("there are no seals{between}")));
        terminal
            .say("a minute is sealed within five minutes; after that, read the log of the function seal.");
        return Ok(false);
    };
    let from = begin(asked, first, &source).await?;
    let (mut findings, mut count) = (Vec::new(), Count::default());
    let mut before = source.before(from).await?.map(|before| before.statement);
    let events = Events::new(&store::client(&cloud.config), cloud.name("events"));
    for (begin, end) in days(from, to) {
        let of_day = minutes.iter().copied().filter(|minute| (begin..end).contains(minute)).collect();
        let Found { seals, damaged } = source.read(of_day).await?;
        findings.extend(damaged);
        findings.extend(foreign_seals(&seals, &cloud.environment));
        findings.extend(missing_predecessor(seals.first(), before.as_ref()));
        let so_far = count.records + count.waiting;
        let say = |read: usize| terminal.progress(&format!("{begin}: {} records read …", so_far + read));
        let leaves = events.leaves(begin, end, say).await?;
        let due = Due {
            sealed_until: end.min(now.saturating_sub(SEAL_DEADLINE).unwrap_or(now)),
            expired_until: now,
        };
        count.add(&seals, &leaves, due.sealed_until);
        let is_signed = |text: &str, signature: &str| key.has_signed(text, signature);
        findings.extend(check(&seals, before.as_ref(), &leaves, due, is_signed));
        before = seals.into_iter().last().map(|seal| seal.statement).or(before);
    }
    terminal.clear();
    report(&moved(findings), &count, (from, to), terminal)
}

async fn public_key(args: &Verify, cloud: &Cloud) -> Result<PublicKey, Error> {
    let Some(path) = &args.public_key else {
        return Ok(signer(cloud).public_key(runtime::now()).await?);
    };
    let text = std::fs::read_to_string(path).map_err(|error| Error::read(path, error))?;
    PublicKey::of_pem(&text).map_err(|error| {
        Error::usage(
            format!("{}: {error}", path.display()),
            "`carillon audit seals --save FOLDER` writes such a file",
        )
    })
}

fn signer(cloud: &Cloud) -> Signer {
    Signer::new(&cloud.config, format!("alias/{}", cloud.name("seals")))
}

/// The first minute to verify. Records before the very first seal have none.
async fn begin(asked: Option<Timestamp>, first: Timestamp, source: &Source) -> Result<Timestamp, Error> {
    let Some(asked) = asked.filter(|asked| *asked < first) else { return Ok(asked.unwrap_or(first)) };
    let seals = source.read(vec![first]).await?.seals;
    Ok(if seals.iter().any(|seal| seal.statement.number == 1) { first } else { asked })
}

/// The finding about a first seal without a predecessor. Only the very first seal has none; others follow within an hour.
fn missing_predecessor(first: Option<&Sealed>, before: Option<&Statement>) -> Option<Finding> {
    let statement = &first.filter(|_| before.is_none())?.statement;
    let expected = statement.number.saturating_sub(1);
    (statement.number > 1).then(|| Finding {
        minute: statement.minute,
        kind: Kind::BrokenChain,
        what: format!("seal {} stands where seal {expected} is expected", statement.number),
    })
}

/// Findings about seals of another environment.
fn foreign_seals(seals: &[Sealed], environment: &str) -> Vec<Finding> {
    let strange =
        seals.iter().map(|seal| &seal.statement).filter(|statement| statement.environment != environment);
    let finding = |statement: &Statement| Finding {
        minute: statement.minute,
        kind: Kind::BrokenChain,
        what: format!("seal {} belongs to environment {}", statement.number, statement.environment),
    };
    strange.map(finding).collect()
}

/// Splits the time from `from` to `to` at the beginnings of days.
fn days(from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
    let mut days = Vec::new();
    let mut begin = from;
    while begin < to {
        let next = (begin.as_second().div_euclid(DAY) + 1) * DAY;
        let end = Timestamp::from_second(next).unwrap_or(to).min(to);
        days.push((begin, end));
        begin = end;
    }
    days
}

fn report(findings: &[Finding], count: &Count, span: (Timestamp, Timestamp), terminal: &Terminal) -> Done {
    let mut table = Table::new([word("FINDING"), word("MINUTE"), text("DETAIL")]);
    for finding in findings {
        if terminal.json {
            terminal.say_json(finding);
            continue;
        }
        table.row([
            Cell::ink(Ink::Bad, finding.kind.name()),
            Cell::ink(Ink::Quiet, finding.minute.to_string()),
            finding.what.replace('\n', "  ").into(),
        ]);
    }
    terminal.table(&table);
    let (from, to) = span;
    if terminal.json {
        let Count { seals, records, waiting } = count;
        terminal.say_json(&json!({
            "from": from, "to": to, "seals": seals, "records": records, "waiting": waiting,
            "findings": findings.len(),
        }));
        return Ok(findings.is_empty());
    }
    let verified = format!("{} records under {} seals from {from} to {to}", count.records, count.seals);
    if findings.is_empty() {
        terminal.say(&terminal.ink(Ink::Good, &format!("{verified}: all records match their seals")));
    } else {
        terminal.say(&terminal.ink(Ink::Bad, &format!("{verified}: {} findings", findings.len())));
    }
    if count.waiting > 0 {
        terminal.say(&format!("{} younger records have no seal yet and were not verified", count.waiting));
    }
    for (advice, kinds) in advised(findings) {
        terminal.say(&format!("{}: {advice}", terminal.ink(Ink::Strong, &kinds.join(", "))));
    }
    Ok(findings.is_empty())
}

/// The advice for the findings, with their kinds.
fn advised(findings: &[Finding]) -> Vec<(&'static str, Vec<&'static str>)> {
    let kinds: BTreeSet<Kind> = findings.iter().map(|finding| finding.kind).collect();
    let mut advised = BTreeMap::<&str, Vec<&str>>::new();
    for kind in kinds {
        advised.entry(advice(kind)).or_default().push(kind.name());
    }
    advised.into_iter().collect()
}

/// The advice for a kind of finding.
fn advice(kind: Kind) -> &'static str {
    match kind {
        Kind::Changed | Kind::Removed | Kind::Moved => {
            "restore the table to a new one at a time just after that minute (point-in-time recovery), compare the \
             record there, and find the writer of the table in CloudTrail"
        }
        Kind::Inserted => {
            "only the audit function may write there: find the writer in CloudTrail, and read the audit's log of that \
             minute; a late write of the audit is logged"
        }
        Kind::BrokenChain => {
            "a seal is missing or replaced: check the object's versions in the bucket, which cannot be deleted before their \
             time, and compare them with seals that were saved elsewhere"
        }
        Kind::BadSignature => {
            "the signature is of another key, or missing: check the public key first, then treat the seal as forged and \
             check the object's versions"
        }
        Kind::BadSeal => "the sealer did not write the object: check its versions and CloudTrail",
        Kind::Unsealed => {
            "the sealer did not see these records in time: read its log, and treat them as inserted if it ran"
        }
        Kind::Missing => "no later seal exists: read the log of the function seal and its alarm",
    }
}

async fn list(args: &Seals, cloud: &Cloud, terminal: &Terminal) -> Done {
    let source = Source::of(None, cloud).await?;
    let to = args.to.unwrap_or_else(runtime::now);
    in_order(args.from.unwrap_or(to), to, "swap them")?;
    let minutes = source.minutes(args.from, to).await?;
    let Found { seals, damaged } = source.read(minutes).await?;
    let mut table = Table::new([word("MINUTE"), number("SEAL"), number("RECORDS"), word("ROOT")]);
    for seal in &seals {
        let statement = &seal.statement;
        if terminal.json {
            terminal.say_json(statement);
        } else {
            table.row([
                Cell::ink(Ink::Quiet, statement.minute.to_string()),
                statement.number.to_string().into(),
                statement.records.to_string().into(),
                statement.root.to_string().into(),
            ]);
        }
    }
    terminal.table(&table);
    for finding in &damaged {
        terminal.note(&format!("{}  {}", finding.kind.name(), finding.what));
    }
    if let Some(folder) = &args.save {
        let key = signer(cloud).public_key(runtime::now()).await?;
        source::save(folder, &cloud.environment, &seals, &key)?;
        terminal.note(&format!("{} seals and public-key.pem are in {}", seals.len(), folder.display()));
    }
    Ok(damaged.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_split_at_days() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let (noon, night, end) = ("2026-11-20T12:00:00Z", "2026-11-21T00:00:00Z", "2026-11-21T00:05:00Z");
        assert_eq!(days(time(noon), time(end)), [(time(noon), time(night)), (time(night), time(end))]);
        assert_eq!(days(time(noon), time(night)), [(time(noon), time(night))]);
        assert_eq!(days(time(noon), time(noon)), []);
    }
}
