//! `carillon dlq`: lists, prints, redrives and discards dead letters.

mod dead_letter;
mod redrive;

use domain::Timestamp;
use domain::audit::access::Object;
use queue::{DeadLetter, DeadLetters, Sqs};

use crate::access;
use crate::args::{self, Discard, DlqWhich, Peek, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::since;
use crate::terminal::{Cell, Ink, Table, Terminal, number, text, word};
use crate::times::utc;
use dead_letter::{Case, Group, groups};

/// The shortest visibility timeout of the read messages, in seconds.
const VISIBILITY: u32 = 120;
/// The longest visibility timeout of SQS, in seconds.
const MAX_VISIBILITY: u64 = 12 * 3_600;

/// The speed of a command, which decides the visibility timeout.
struct Pace {
    /// Messages a second, at least.
    rate: u32,
    /// The wait at each queue, in seconds.
    watch: u32,
}

/// The pace of reading and deleting.
const FAST: Pace = Pace { rate: 20, watch: 0 };

impl Pace {
    /// The time for a queue with this many messages, in seconds.
    fn seconds(&self, count: u64) -> u64 {
        count / u64::from(self.rate.max(1)) + u64::from(self.watch)
    }
}

/// The matching dead letters of a queue, and the other messages that were read and are hidden meanwhile.
struct Found {
    queue: DeadLetters,
    dead_letters: Vec<(DeadLetter, Case)>,
    others: Vec<DeadLetter>,
}

pub(crate) async fn run(args: &args::Dlq, target: &Target, terminal: &Terminal) -> Done {
    match args {
        args::Dlq::Ls(ls) => list(&ls.which, target, terminal).await,
        args::Dlq::Peek(args) => peek(args, target, terminal).await,
        args::Dlq::Redrive(redrive) => redrive::run(redrive, target, terminal).await,
        args::Dlq::Discard(args) => discard(args, target, terminal).await,
    }
}

async fn list(which: &DlqWhich, target: &Target, terminal: &Terminal) -> Done {
    let found = find(which, &FAST, target, terminal).await?;
    release(&found).await;
    let cases = cases(&found);
    show(&groups(&cases), terminal);
    Ok(cases.is_empty())
}

/// Prints each group with its detail and a remedy.
fn show(groups: &[Group], terminal: &Terminal) {
    if groups.is_empty() {
        terminal.note("no dead letters");
    }
    let mut table = Table::new([
        word("QUEUE"),
        number("COUNT"),
        word("CAUSE"),
        text("TIME"),
        text("ATTEMPTS"),
        text("TYPES"),
    ]);
    for group in groups {
        if terminal.json {
            terminal.say_json(group);
            continue;
        }
        let time = |timestamp: Option<Timestamp>| timestamp.map_or_else(|| "?".to_owned(), utc);
        let span = match (group.first, group.last) {
            (first, last) if first == last => time(first),
            (first, last) => format!("{} to {}", time(first), time(last)),
        };
        let tries = if group.attempts == 1 { "1".to_owned() } else { format!("up to {}", group.attempts) };
        table.row([
            Cell::ink(Ink::Strong, &group.queue),
            group.count.to_string().into(),
            Cell::ink(Ink::Bad, &group.cause),
            span.into(),
            Cell::ink(Ink::Quiet, tries),
            Cell::ink(Ink::Quiet, counts(&group.types)),
        ]);
        let tenants = match group.tenants.keys().any(|key| key != "-") {
            true => format!("  [{}]", counts(&group.tenants)),
            false => String::new(),
        };
        table.note(format!("{}{tenants}", group.detail).into());
        table.note(Cell::ink(Ink::Quiet, format!("then  {}", remedy(&group.queue, &group.cause))));
    }
    terminal.table(&table);
}

/// The next command for dead letters of a queue and cause.
fn remedy(queue: &str, cause: &str) -> String {
    match cause {
        // The same event would be refused again. Its producer must send another one.
        "refused" | "unreadable" => {
            format!(
                "correct the producer; `carillon dlq peek {queue}` shows one, `carillon dlq discard {queue}` drops them"
            )
        }
        _ => format!("after the cause is fixed: carillon dlq redrive {queue} --cause {cause}"),
    }
}

/// `order.paid 3, user.created`.
fn counts(of: &std::collections::BTreeMap<String, usize>) -> String {
    let each =
        of.iter().map(|(name, count)| if *count == 1 { name.clone() } else { format!("{name} {count}") });
    each.take(5).collect::<Vec<_>>().join(", ")
}

async fn peek(args: &Peek, target: &Target, terminal: &Terminal) -> Done {
    if args.body {
        let (cloud, queue) = (Cloud::of(target).await?, args.which.queue.as_deref());
        let tenant = args.which.tenant.as_deref();
        access::record(&cloud, "dlqPeekBody", Object::new("queue", queue), tenant).await?;
    }
    let found = find(&args.which, &FAST, target, terminal).await?;
    release(&found).await;
    let all = found.iter().flat_map(|found| found.dead_letters.iter());
    let mut shown = 0;
    let mut table = Table::new([
        word("ID"),
        word("QUEUE"),
        word("CAUSE"),
        text("TYPE"),
        text("EVENT"),
        text("SINCE"),
        number("ATTEMPTS"),
    ]);
    for (email, case) in all.take(args.most) {
        shown += 1;
        if terminal.json {
            let mut value = serde_json::to_value(case).unwrap_or_default();
            if args.body {
                value["body"] = email.body.expose().clone().into();
            }
            terminal.say_json(&value);
            continue;
        }
        table.row([
            Cell::ink(Ink::Quiet, &case.id),
            Cell::ink(Ink::Strong, &case.queue),
            Cell::ink(Ink::Bad, &case.cause),
            case.kind.as_deref().unwrap_or("unreadable").into(),
            case.event.as_deref().unwrap_or("-").into(),
            Cell::ink(Ink::Quiet, case.first.map_or_else(|| "?".to_owned(), utc)),
            case.attempts.to_string().into(),
        ]);
        table.note((&case.detail).into());
        if args.body {
            table.copyable(email.body.expose().into());
        }
    }
    terminal.table(&table);
    let count: usize = found.iter().map(|found| found.dead_letters.len()).sum();
    if count > shown {
        terminal.note(&format!("{} more; --most {count} shows them", count - shown));
    }
    Ok(shown > 0)
}

async fn discard(args: &Discard, target: &Target, terminal: &Terminal) -> Done {
    let found = find(&args.which, &FAST, target, terminal).await?;
    let total: usize = found.iter().map(|found| found.dead_letters.len()).sum();
    if total == 0
        && let Some(words) = not_found(&args.which)
    {
        release(&found).await;
        terminal.note(&words);
        return Ok(false);
    }
    if !args.yes {
        release(&found).await;
        show(&groups(&cases(&found)), terminal);
        terminal.note(&format!("{total} would be deleted; --yes deletes them"));
        return Ok(true);
    }
    let (mut deleted, mut left) = (0, 0);
    for found in &found {
        found.queue.make_visible(&found.others).await;
        for (email, _) in &found.dead_letters {
            match found.queue.discard(email).await {
                Ok(()) => deleted += 1,
                Err(refused) => {
                    left += 1;
                    terminal.note(&format!("{}: {}", email.id, aws::chain(&refused)));
                }
            }
            terminal.count(deleted, total, "deleted");
        }
    }
    terminal.clear();
    match terminal.json {
        true => terminal.say_json(&serde_json::json!({ "discarded": deleted, "left": left })),
        false => terminal.say(&format!("{} {deleted}", terminal.ink(Ink::Good, "deleted"))),
    }
    Ok(left == 0)
}

/// The note about an id without a dead letter.
fn not_found(which: &DlqWhich) -> Option<String> {
    let id = which.id.as_ref()?;
    let place = which.queue.as_ref().map(|queue| format!(" of {queue}")).unwrap_or_default();
    Some(format!(
        "no dead letter{place} with the id {id:?} matches; `carillon dlq peek` prints ids. A returned message has a new id, \
         and messages that another reader holds are hidden"
    ))
}

/// Reads the dead letters and selects the matching ones. All stay hidden until they are given back, or as long as their
/// handling takes at this pace.
async fn find(
    which: &DlqWhich,
    pace: &Pace,
    target: &Target,
    terminal: &Terminal,
) -> Result<Vec<Found>, Error> {
    let since = which.since.as_deref().map(since::ago).transpose()?;
    let before = which.before.as_deref().map(since::ago).transpose()?;
    let cloud = Cloud::of(target).await?;
    let prefix = cloud.name("");
    let queues = DeadLetters::all(&Sqs::new(&cloud.config), &prefix).await?;
    let short = |dead_letters: &DeadLetters| {
        dead_letters.name.strip_prefix(&prefix).unwrap_or(&dead_letters.name).to_owned()
    };
    if let Some(name) = &which.queue
        && !queues.iter().any(|queue| short(queue) == *name)
    {
        let all: Vec<String> = queues.iter().map(short).collect();
        let what = format!("{name:?} has no dead-letter queue in {}", target.environment);
        return Err(Error::usage(what, format!("name one of {}", all.join(", "))));
    }
    let (mut found, mut visibility) = (Vec::new(), u64::from(VISIBILITY));
    let wanted =
        queues.into_iter().filter(|queue| which.queue.as_ref().is_none_or(|name| short(queue) == *name));
    for queue in wanted {
        let name = short(&queue);
        let count = queue.count().await?;
        if count == 0 {
            continue;
        }
        visibility = (visibility + pace.seconds(count)).min(MAX_VISIBILITY);
        terminal.progress(&format!("reading {name} …"));
        let taken = queue.take(which.look_at, u32::try_from(visibility).unwrap_or(VISIBILITY)).await?;
        let (mut dead_letters, mut others) = (Vec::new(), Vec::new());
        for email in taken {
            let case = Case::of(&email, &name);
            match matches(&case, which, since, before) {
                true => dead_letters.push((email, case)),
                false => others.push(email),
            }
        }
        dead_letters.sort_by(|(_, a), (_, b)| (a.first, &a.id).cmp(&(b.first, &b.id)));
        found.push(Found { queue, dead_letters, others });
    }
    terminal.clear();
    Ok(found)
}

fn matches(case: &Case, which: &DlqWhich, since: Option<Timestamp>, before: Option<Timestamp>) -> bool {
    let is = |wanted: &Option<String>, found: Option<&str>| {
        wanted.as_deref().is_none_or(|wanted| Some(wanted) == found)
    };
    let moved_at = case.last.or(case.first);
    is(&which.cause, Some(&case.cause))
        && is(&which.tenant, case.tenant.as_deref())
        && is(&which.kind, case.kind.as_deref())
        && is(&which.id, Some(&case.id))
        && since.is_none_or(|since| moved_at.is_some_and(|moved_at| moved_at >= since))
        && before.is_none_or(|before| moved_at.is_some_and(|moved_at| moved_at <= before))
}

fn cases(found: &[Found]) -> Vec<Case> {
    found.iter().flat_map(|found| found.dead_letters.iter().map(|(_, case)| case.clone())).collect()
}

/// Makes all read messages visible again.
async fn release(found: &[Found]) {
    for found in found {
        found.queue.make_visible(&found.others).await;
        let dead_letters: Vec<DeadLetter> =
            found.dead_letters.iter().map(|(email, _)| email.clone()).collect();
        found.queue.make_visible(&dead_letters).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visibility_timeout_covers_all_messages_at_the_pace() {
        assert_eq!(FAST.seconds(1_000), 50);
        assert_eq!(Pace { rate: 10, watch: 5 }.seconds(1_000), 105);
        assert_eq!(Pace { rate: 10, watch: 100 }.seconds(1), 100);
    }
}
