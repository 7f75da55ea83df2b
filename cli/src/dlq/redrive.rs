//! `carillon dlq redrive`: one first; if that does not come straight back, the others at a set rate.

use std::time::Duration;

use queue::Letter;

use super::letter::{Case, groups};
use super::{Found, cases, find, release, show};
use crate::args::{Redrive, Target};
use crate::error::Done;
use crate::terminal::{Ink, Terminal};

/// How often it is looked whether the first came back.
const LOOK: Duration = Duration::from_millis(500);

pub(crate) async fn run(args: &Redrive, target: &Target, terminal: &Terminal) -> Done {
    let found = find(&args.which, args.rate, target, terminal).await?;
    let total: usize = found.iter().map(|it| it.letters.len()).sum();
    if total == 0 {
        terminal.note("no dead letters");
        return Ok(false);
    }
    if !args.yes {
        release(&found).await;
        show(&groups(&cases(&found)), terminal);
        let seconds = total.div_ceil(args.rate.max(1) as usize);
        terminal.note(&format!("{total} would go back to their queues, in about {seconds} s; --yes does it"));
        return Ok(true);
    }
    let (mut sent, mut stopped) = (0, Vec::new());
    for it in &found {
        match of_one_queue(it, args, terminal, &mut sent, total).await {
            Ok(()) => {}
            Err(why) => stopped.push((it.queue.name.clone(), why)),
        }
    }
    terminal.clear();
    let left = total - sent;
    if terminal.json {
        let stopped: Vec<_> =
            stopped.iter().map(|(queue, why)| serde_json::json!({ "queue": queue, "why": why })).collect();
        terminal.say_json(&serde_json::json!({ "redriven": sent, "left": left, "stopped": stopped }));
    } else {
        terminal.say(&format!("{} {sent} of {total}", terminal.ink(Ink::Good, "sent back")));
        for (queue, why) in &stopped {
            terminal.say(&format!("{} {queue}: {why}", terminal.ink(Ink::Bad, "stopped")));
        }
    }
    Ok(left == 0)
}

/// Sends back what was found in one queue. `Err` says why the rest of it stays.
async fn of_one_queue(
    found: &Found,
    args: &Redrive,
    terminal: &Terminal,
    sent: &mut usize,
    total: usize,
) -> Result<(), String> {
    let pause = Duration::from_secs(1) / args.rate.max(1);
    let mut rest = found.letters.iter().map(|(letter, _)| letter);
    let Some(first) = rest.next() else { return Ok(()) };
    found.queue.send_back(first).await.map_err(|it| aws::chain(&it))?;
    *sent += 1;
    let rest: Vec<&Letter> = rest.collect();
    if !rest.is_empty()
        && let Some(why) = came_back(found, first, args.watch, terminal).await
    {
        let left: Vec<Letter> = rest.into_iter().cloned().collect();
        found.queue.give_back(&left).await;
        return Err(format!("the first one came back ({why}); mend that, then redrive the others"));
    }
    for (at, letter) in rest.iter().enumerate() {
        tokio::time::sleep(pause).await;
        if let Err(refused) = found.queue.send_back(letter).await {
            let left: Vec<Letter> = rest[at..].iter().map(|it| (*it).clone()).collect();
            found.queue.give_back(&left).await;
            return Err(aws::chain(&refused));
        }
        *sent += 1;
        terminal.progress(&format!("{sent} of {total} sent back"));
    }
    Ok(())
}

/// The cause under which the same text was put aside again, if it was within so many seconds.
async fn came_back(found: &Found, first: &Letter, seconds: u32, terminal: &Terminal) -> Option<String> {
    let looks = Duration::from_secs(seconds.into()).as_millis() / LOOK.as_millis();
    for _ in 0..looks {
        terminal.progress("sent one back; waiting whether it stays away …");
        tokio::time::sleep(LOOK).await;
        // Everything else that is here is hidden, so what shows itself is new. It is only looked at.
        let Ok(new) = found.queue.take(10, 1).await else { continue };
        found.queue.give_back(&new).await;
        if let Some(it) = new.iter().find(|it| it.body == first.body) {
            return Some(Case::of(it, &found.queue.name).cause);
        }
    }
    None
}
