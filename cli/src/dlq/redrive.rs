//! `carillon dlq redrive`: sends one message back first. If it does not return, the others follow at a set rate.

use std::time::Duration;

use queue::DeadLetter;

use super::dead_letter::{Case, groups};
use super::{Found, Pace, VISIBILITY, cases, find, not_found, release, show};
use crate::args::{Redrive, Target};
use crate::error::Done;
use crate::terminal::{Ink, Terminal};

/// The interval between two reads for the first message.
const INTERVAL: Duration = Duration::from_millis(500);

/// The most messages of a read. With more, the wait continues until all are read.
const MAX_READ: usize = 1_000;

pub(crate) async fn run(args: &Redrive, target: &Target, terminal: &Terminal) -> Done {
    let found = find(&args.which, &Pace { rate: args.rate, watch: args.watch }, target, terminal).await?;
    let total: usize = found.iter().map(|found| found.dead_letters.len()).sum();
    if total == 0 {
        release(&found).await;
        terminal.note(&not_found(&args.which).unwrap_or_else(|| "no dead letters".to_owned()));
        return Ok(false);
    }
    if !args.yes {
        release(&found).await;
        show(&groups(&cases(&found)), terminal);
        let seconds = total.div_ceil(args.rate.max(1) as usize);
        terminal
            .note(&format!("{total} would go back to their queues, in about {seconds} s; --yes sends them"));
        return Ok(true);
    }
    let (mut sent, mut stopped) = (0, Vec::new());
    for found in &found {
        match redrive_queue(found, args, terminal, &mut sent, total).await {
            Ok(()) => {}
            Err(why) => stopped.push((found.queue.name.clone(), why)),
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

/// Redrives the dead letters of a queue. `Err` says why the rest stays, or that the first message returned.
async fn redrive_queue(
    found: &Found,
    args: &Redrive,
    terminal: &Terminal,
    sent: &mut usize,
    total: usize,
) -> Result<(), String> {
    let pause = Duration::from_secs(1) / args.rate.max(1);
    let dead_letters: Vec<DeadLetter> = found.dead_letters.iter().map(|(email, _)| email.clone()).collect();
    let Some((first, rest)) = dead_letters.split_first() else {
        found.queue.make_visible(&found.others).await;
        return Ok(());
    };
    let mut done = found.queue.redrive(first).await.map_err(|error| aws::chain(&error));
    match done {
        Ok(()) => {
            *sent += 1;
            done = watch(found, first, args.watch, terminal).await;
        }
        Err(_) => found.queue.make_visible(std::slice::from_ref(first)).await,
    }
    found.queue.make_visible(&found.others).await;
    if done.is_err() {
        found.queue.make_visible(rest).await;
        return done;
    }
    for (index, email) in rest.iter().enumerate() {
        tokio::time::sleep(pause).await;
        if let Err(refused) = found.queue.redrive(email).await {
            found.queue.make_visible(&rest[index..]).await;
            return Err(aws::chain(&refused));
        }
        *sent += 1;
        terminal.count(*sent, total, "sent back");
    }
    Ok(())
}

/// Waits this many seconds for a return of the first message. `Err` says that it returned, or that the reads failed.
async fn watch(found: &Found, first: &DeadLetter, seconds: u32, terminal: &Terminal) -> Result<(), String> {
    let mut reads = Duration::from_secs(seconds.into()).as_millis() / INTERVAL.as_millis();
    if reads == 0 {
        return Ok(());
    }
    terminal.progress("sent one message back; watching for its return …");
    // Messages of earlier reads stay hidden, so that every read gives new ones until the first message is among them.
    let mut seen: Vec<DeadLetter> = Vec::new();
    let answer = loop {
        tokio::time::sleep(INTERVAL).await;
        reads = reads.saturating_sub(1);
        let new = match found.queue.take(MAX_READ, VISIBILITY + seconds).await {
            Ok(new) => new,
            Err(_) if reads > 0 => continue,
            Err(why) => {
                break Err(format!("a return of the first message cannot be detected: {}", aws::chain(&why)));
            }
        };
        let more = new.len() == MAX_READ;
        let back = new.iter().find(|email| email.body == first.body);
        let cause = back.map(|back| Case::of(back, &found.queue.name).cause);
        seen.extend(new);
        if let Some(cause) = cause {
            break Err(came_back(&cause, found.dead_letters.len()));
        }
        if !more && reads == 0 {
            break Ok(());
        }
    };
    found.queue.make_visible(&seen).await;
    answer
}

/// The error about the first of `of` messages that was dead-lettered again.
fn came_back(cause: &str, of: usize) -> String {
    match of {
        0 | 1 => format!("the message came back ({cause}); fix the cause, then redrive it again"),
        _ => format!("the first message came back ({cause}); fix the cause, then redrive the others"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_of_a_returned_message_names_the_next_step() {
        assert_eq!(
            came_back("refused", 1),
            "the message came back (refused); fix the cause, then redrive it again"
        );
        let several = came_back("refused", 2);
        assert_eq!(several, "the first message came back (refused); fix the cause, then redrive the others");
    }
}
