//! `carillon replay`: sends recorded events again, each once. Recipients are not notified twice.

mod cost;
mod dry_run;
mod reader;
mod selection;
mod sending;
mod state;

use std::path::Path;
use std::time::Duration;

use domain::Timestamp;
use domain::event::replay::Mark;
use jiff::SignedDuration;
use serde_json::json;
use tokio::time::Instant;

use crate::args::{Replay, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::since;
use crate::terminal::{Ink, Terminal};

use dry_run::{DryRun, receiver_name};
use reader::{Reader, Selected};
use selection::{Consumer, Mode, Selection};
pub(crate) use sending::{FORMER_SOURCE, SOURCE, replay_event_id, subject};
use sending::{Receiver, announce, close};
use state::State;

/// The youngest events are left out, because the index is eventually consistent and dispatch may still work on them.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// The default age limit of a search by id.
const SEARCHED: &str = "7d";

/// The page size of a dry run.
const PAGE: usize = 32;
/// The most events of a call.
const PER_CALL: usize = 10;

/// The longest reason, in characters.
const MAX_REASON_CHARS: usize = 1_000;

pub(crate) async fn run(args: &Replay, target: &Target, terminal: &Terminal) -> Done {
    let now = runtime::now();
    if let Some(path) = &args.resume {
        let state = State::load(path)?;
        if state.environment != target.environment {
            let what = format!("{} is a replay of {}", path.display(), state.environment);
            return Err(Error::usage(what, format!("use --env {}", state.environment)));
        }
        if state.is_done {
            terminal.note(&format!("{} is finished: {} events were sent", state.replay, state.sent));
            if terminal.json {
                report(&state, path, terminal);
            }
            return Ok(true);
        }
        return send(state, path, args.rate, &Cloud::of(target).await?, terminal).await;
    }
    let selection = selection(args, now)?;
    let reason = args.reason.as_deref().map(reason).transpose()?;
    let cloud = Cloud::of(target).await?;
    if !args.run {
        return dry_run(&selection, args.rate, &cloud, now, terminal).await;
    }
    let replay = name(now);
    let path = args.state.clone().unwrap_or_else(|| State::default_path(&replay));
    if path.exists() {
        let what = format!("{} exists already", path.display());
        return Err(Error::usage(what, "continue it with --resume, or name another file"));
    }
    let state = State::begin(replay, target.environment.clone(), selection, reason, args.by.clone(), now);
    send(state, &path, args.rate, &cloud, terminal).await
}

/// The selection of the arguments.
///
/// # Errors
/// The arguments contradict each other, or a time or consumer is malformed.
fn selection(args: &Replay, now: Timestamp) -> Result<Selection, Error> {
    let consumer = consumer(&args.to_consumer)?;
    let mode = match (args.force, args.all || !consumer.leads_to_dispatch()) {
        (true, _) if !consumer.leads_to_dispatch() => {
            let what = "--force sends notifications again, and only dispatch sends notifications";
            return Err(Error::usage(what, "leave --force out, or replay to dispatch"));
        }
        (true, _) => Mode::Force,
        (false, true) => Mode::All,
        (false, false) => Mode::OnlyMissing,
    };
    let from = moment("--from", args.from.as_deref().unwrap_or(SEARCHED), now)?;
    let last = now.saturating_sub(MARGIN).unwrap_or(now);
    let to = args.to.as_deref().map_or(Ok(last), |text| moment("--to", text, now))?;
    let fix =
        if args.to.is_some() { "swap them" } else { "events younger than a minute are still in progress" };
    since::in_order(from, to, fix)?;
    let which = args.which.clone();
    let (kind, tenant, stream, ids) = (which.kind, which.tenant, which.stream, which.ids);
    Ok(Selection { from, to, kind, tenant, stream, ids, consumer, mode })
}

fn consumer(text: &str) -> Result<Consumer, Error> {
    match text {
        "dispatch" => Ok(Consumer::Dispatch),
        "audit" => Ok(Consumer::Audit),
        "bus" => Ok(Consumer::Bus),
        url if url.starts_with("https://") || url.starts_with("http://") => {
            Ok(Consumer::Queue(url.to_owned()))
        }
        other => {
            let fix = "name dispatch, audit, bus, or the URL of a queue";
            Err(Error::usage(format!("{other:?} is no consumer"), fix))
        }
    }
}

/// Parses a timestamp or an age. Times in the future are refused.
fn moment(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let time = since::moment(text, now).ok_or_else(|| {
        let fix = "write a time such as 2026-11-20T12:00:00Z, or how long ago: 30m, 24h, 7d";
        Error::usage(format!("{option} {text:?} is no time"), fix)
    })?;
    if time > now {
        let fix = "name a past time; without --to a replay ends a minute ago";
        return Err(Error::usage(format!("{option} {time} lies ahead"), fix));
    }
    Ok(time)
}

fn reason(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_REASON_CHARS {
        let what = format!("the reason has {} characters", text.chars().count());
        return Err(Error::usage(
            what,
            format!("write a reason of 1 to {MAX_REASON_CHARS} characters for the audit record"),
        ));
    }
    Ok(text.to_owned())
}

/// A new replay id: the time, so that ids sort, and a unique suffix.
fn name(now: Timestamp) -> String {
    let suffix = now.subsec_nanosecond().unsigned_abs() ^ std::process::id();
    format!("{}-{suffix:04x}", now.strftime("%Y%m%dT%H%M%S"))
}

/// Prints the counts and costs of a replay without sending.
async fn dry_run(
    selection: &Selection,
    rate: u32,
    cloud: &Cloud,
    now: Timestamp,
    terminal: &Terminal,
) -> Done {
    let mark = Mark { id: name(now), renotify: selection.mode == Mode::Force };
    let mut reader = Reader::open(cloud, selection, &mark, None, now);
    let mut dry_run = DryRun::default();
    loop {
        let page = reader.next(PAGE).await?;
        if page.is_empty() {
            break;
        }
        page.iter().for_each(|selected| dry_run.add(selected, selection, now));
        terminal.progress(&format!("{} events …", dry_run.count()));
    }
    terminal.clear();
    if terminal.json {
        terminal.say_json(&dry_run.as_json(selection, rate));
        return Ok(dry_run.count() > 0);
    }
    if dry_run.count() == 0 {
        note_no_events(selection, terminal);
        return Ok(false);
    }
    dry_run.show(selection, rate, terminal);
    terminal.note("no event was sent; --run sends them");
    Ok(true)
}

fn note_no_events(selection: &Selection, terminal: &Terminal) {
    terminal.note(&format!(
        "no matching event was recorded from {} to {}; `carillon events ls` lists events",
        selection.from, selection.to
    ));
}

/// Sends the remaining events of a replay, and saves the progress after every call.
async fn send(mut state: State, path: &Path, rate: u32, cloud: &Cloud, terminal: &Terminal) -> Done {
    let now = runtime::now();
    let receiver = Receiver::of(&state.choice.consumer, cloud).await?;
    state.save(path)?;
    announce(&state, cloud).await?;
    terminal.note(&format!(
        "{} to {}; after an interruption: carillon replay --resume {}",
        state.replay,
        receiver_name(&state.choice.consumer),
        path.display()
    ));
    let (selection, mark) = (state.choice.clone(), state.mark());
    let mut reader = Reader::open(cloud, &selection, &mark, state.after.clone(), now);
    let (started, before) = (Instant::now(), state.sent);
    while state.sent_by.is_none() {
        let page = reader.next(PER_CALL.min(rate as usize)).await?;
        match page.last().map(|selected| selected.position.clone()) {
            Some(last) => {
                send_page(&mut state, page, &receiver, terminal).await?;
                state.after = Some(last);
            }
            None => state.sent_by = Some(runtime::now()),
        }
        state.save(path)?;
        let seconds = f64::from(u32::try_from(state.sent - before).unwrap_or(u32::MAX)) / f64::from(rate);
        tokio::time::sleep_until(started + Duration::from_secs_f64(seconds)).await;
    }
    close(&state, cloud, state.sent_by.unwrap_or(now)).await?;
    state.is_done = true;
    state.save(path)?;
    terminal.clear();
    Ok(report(&state, path, terminal))
}

async fn send_page(
    state: &mut State,
    page: Vec<Selected>,
    receiver: &Receiver,
    terminal: &Terminal,
) -> Result<(), Error> {
    let count = page.len();
    let events =
        page.into_iter().filter(|selected| selected.left_out.is_none()).map(|selected| selected.event);
    let events: Vec<_> = events.collect();
    if !events.is_empty() {
        receiver.send(&events).await?;
    }
    state.sent += events.len();
    state.left_out += count - events.len();
    terminal.progress(&format!("{} sent, {} left out …", state.sent, state.left_out));
    Ok(())
}

/// Prints the result. Returns whether any event was selected.
fn report(state: &State, path: &Path, terminal: &Terminal) -> bool {
    let State { sent, left_out, .. } = state;
    if terminal.json {
        terminal
            .say_json(&json!({ "replay": state.replay, "sent": sent, "leftOut": left_out, "state": path }));
    } else if sent + left_out == 0 {
        note_no_events(&state.choice, terminal);
    } else {
        terminal.say(&format!("{} {sent}", terminal.ink(Ink::Good, "replayed")));
        if *left_out > 0 {
            terminal.say(&format!("left out: {left_out}; a dry run shows the reasons"));
        }
    }
    sent + left_out > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_and_future_times_are_refused_with_a_fix() {
        let now: Timestamp = runtime::now();
        let error = |text: &str| moment("--to", text, now).unwrap_err().to_string();
        assert!(error("2999-01-01T00:00:00Z").contains("lies ahead; name a past time"));
        assert!(error("yesterday").contains("is no time; write a time such as"));
        assert!(moment("--to", "2h", now).unwrap() < now);
        assert!(consumer("other").unwrap_err().to_string().contains("name dispatch, audit, bus"));
        assert_eq!(consumer("http://q").unwrap(), Consumer::Queue("http://q".into()));
    }

    #[test]
    fn reason_has_a_length_limit() {
        assert_eq!(reason("  why ").unwrap(), "why");
        assert!(reason(" ").is_err());
        assert!(reason(&"x".repeat(1_000)).is_ok() && reason(&"x".repeat(1_001)).is_err());
    }
}
