//! `carillon dlq redrive`: one first; if that does not come straight back, the others at a set rate.

use std::time::Duration;

use queue::Letter;

use super::letter::{Case, groups};
use super::{Found, HIDDEN, Pace, cases, find, not_found, release, show};
use crate::args::{Redrive, Target};
use crate::error::Done;
use crate::terminal::{Ink, Terminal};

/// How often it is looked whether the first came back.
const LOOK: Duration = Duration::from_millis(500);

/// How many are looked at each time; where there are more, the waiting goes on until all were.
const AT_A_LOOK: usize = 1_000;

pub(crate) async fn run(args: &Redrive, target: &Target, terminal: &Terminal) -> Done {
    let found = find(&args.which, &Pace { rate: args.rate, watch: args.watch }, target, terminal).await?;
    let total: usize = found.iter().map(|it| it.letters.len()).sum();
    if total == 0 {
        release(&found).await;
        terminal.note(&not_found(&args.which).unwrap_or_else(|| "no dead letters".to_owned()));
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
    Ok(left == 0 && stopped.is_empty())
}

/// Sends back what was found in one queue. `Err` says why the rest of it stays, or that the only one came back.
async fn of_one_queue(
    found: &Found,
    args: &Redrive,
    terminal: &Terminal,
    sent: &mut usize,
    total: usize,
) -> Result<(), String> {
    let pause = Duration::from_secs(1) / args.rate.max(1);
    let letters: Vec<Letter> = found.letters.iter().map(|(letter, _)| letter.clone()).collect();
    let Some((first, rest)) = letters.split_first() else {
        found.queue.give_back(&found.others).await;
        return Ok(());
    };
    let mut done = found.queue.send_back(first).await.map_err(|error| aws::chain(&error));
    match done {
        Ok(()) => {
            *sent += 1;
            done = watch(found, first, args.watch, terminal).await;
        }
        Err(_) => found.queue.give_back(std::slice::from_ref(first)).await,
    }
    found.queue.give_back(&found.others).await;
    if done.is_err() {
        found.queue.give_back(rest).await;
        return done;
    }
    for (at, letter) in rest.iter().enumerate() {
        tokio::time::sleep(pause).await;
        if let Err(refused) = found.queue.send_back(letter).await {
            found.queue.give_back(&rest[at..]).await;
            return Err(aws::chain(&refused));
        }
        *sent += 1;
        terminal.progress(&format!("{sent} of {total} sent back"));
    }
    Ok(())
}

/// Waits whether the first stays away for so many seconds. `Err` says that it does not, or that nobody can tell.
async fn watch(found: &Found, first: &Letter, seconds: u32, terminal: &Terminal) -> Result<(), String> {
    let mut looks = Duration::from_secs(seconds.into()).as_millis() / LOOK.as_millis();
    if looks == 0 {
        return Ok(());
    }
    terminal.progress("sent one back; waiting whether it stays away …");
    // What shows itself was not looked at before. It is kept hidden meanwhile, so that it cannot stand before the one that
    // is waited for, however much there is.
    let mut seen: Vec<Letter> = Vec::new();
    let answer = loop {
        tokio::time::sleep(LOOK).await;
        looks = looks.saturating_sub(1);
        let new = match found.queue.take(AT_A_LOOK, HIDDEN + seconds).await {
            Ok(new) => new,
            Err(_) if looks > 0 => continue,
            Err(why) => {
                break Err(format!("nobody can tell whether the first one came back: {}", aws::chain(&why)));
            }
        };
        let more = new.len() == AT_A_LOOK;
        let back = new.iter().find(|it| it.body == first.body);
        let cause = back.map(|back| Case::of(back, &found.queue.name).cause);
        seen.extend(new);
        if let Some(cause) = cause {
            break Err(came_back(&cause, found.letters.len()));
        }
        if !more && looks == 0 {
            break Ok(());
        }
    };
    found.queue.give_back(&seen).await;
    answer
}

/// What to do about the first of so many that was put aside again.
fn came_back(cause: &str, of: usize) -> String {
    match of {
        0 | 1 => format!("it came back ({cause}); mend that, then redrive it again"),
        _ => format!("the first one came back ({cause}); mend that, then redrive the others"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_told_with_what_is_left_to_do() {
        assert_eq!(came_back("refused", 1), "it came back (refused); mend that, then redrive it again");
        let several = came_back("refused", 2);
        assert_eq!(several, "the first one came back (refused); mend that, then redrive the others");
    }
}
