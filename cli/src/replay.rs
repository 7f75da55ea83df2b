//! `carillon replay`: recorded events are sent on their way again, each once, and nobody is told twice.

mod choice;
mod price;
mod reader;
mod sending;
mod state;
mod survey;

use std::path::Path;
use std::time::Duration;

use domain::Timestamp;
use domain::replay::Mark;
use jiff::SignedDuration;
use serde_json::json;
use tokio::time::Instant;

use crate::args::{Replay, Target};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::since;
use crate::terminal::{Ink, Terminal};

use choice::{Choice, Consumer, Mode};
use reader::{Reader, Seen};
pub(crate) use sending::{FORMER_SOURCE, SOURCE, subject, word_id};
use sending::{Way, announce, close};
use state::State;
use survey::{Survey, whither};

/// How long before now a replay ends at the latest: the index is a moment behind, and dispatch may still be at work.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// How far back an event is sought by its id alone.
const SOUGHT: &str = "7d";

/// How many events a survey looks up at once, and the most that one call takes.
const AT_ONCE: usize = 32;
const PER_CALL: usize = 10;

/// The longest reason, in characters.
const MAX_REASON_CHARS: usize = 1_000;

pub(crate) async fn run(args: &Replay, target: &Target, terminal: &Terminal) -> Done {
    let now = runtime::now();
    if let Some(path) = &args.resume {
        let state = State::load(path)?;
        if state.environment != target.environment {
            let what = format!("{} is a replay of {}", path.display(), state.environment);
            return Err(Error::usage(what, format!("say --env {}", state.environment)));
        }
        if state.is_done {
            terminal.note(&format!("{} is finished: {} events were sent", state.replay, state.sent));
            return Ok(true);
        }
        return send(state, path, args.rate, &Cloud::of(target).await?, terminal).await;
    }
    let choice = chosen(args, now)?;
    let reason = args.reason.as_deref().map(reason).transpose()?;
    let cloud = Cloud::of(target).await?;
    if !args.run {
        return survey(&choice, args.rate, &cloud, now, terminal).await;
    }
    let replay = name(now);
    let path = args.state.clone().unwrap_or_else(|| State::default_path(&replay));
    if path.exists() {
        let what = format!("{} is there already", path.display());
        return Err(Error::usage(what, "go on with it (--resume), or name another file"));
    }
    let state = State::begin(replay, target.environment.clone(), choice, reason, args.by.clone(), now);
    send(state, &path, args.rate, &cloud, terminal).await
}

/// What the person asked for, or what is wrong with it.
fn chosen(args: &Replay, now: Timestamp) -> Result<Choice, Error> {
    let consumer = consumer(&args.to_consumer)?;
    let mode = match (args.force, args.all || !consumer.leads_to_dispatch()) {
        (true, _) if !consumer.leads_to_dispatch() => {
            let what = "--force tells people again, and only dispatch tells people";
            return Err(Error::usage(what, "leave --force out, or send them to dispatch"));
        }
        (true, _) => Mode::Force,
        (false, true) => Mode::All,
        (false, false) => Mode::OnlyMissing,
    };
    let from = moment("--from", args.from.as_deref().unwrap_or(SOUGHT), now)?;
    let last = now.saturating_sub(MARGIN).unwrap_or(now);
    let to = args.to.as_deref().map_or(Ok(last), |it| moment("--to", it, now))?;
    let fix =
        if args.to.is_some() { "swap them" } else { "what is younger than a minute is still under way" };
    since::in_order(from, to, fix)?;
    let which = args.which.clone();
    let (kind, tenant, stream, ids) = (which.kind, which.tenant, which.stream, which.ids);
    Ok(Choice { from, to, kind, tenant, stream, ids, consumer, mode })
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

/// A time, or how long ago it was. Nothing is recorded yet of what lies ahead.
fn moment(option: &str, text: &str, now: Timestamp) -> Result<Timestamp, Error> {
    let at = since::moment(text, now).ok_or_else(|| {
        let fix = "write a time such as 2026-11-20T12:00:00Z, or how long ago: 30m, 24h, 7d";
        Error::usage(format!("{option} {text:?} is no time"), fix)
    })?;
    if at > now {
        let fix = "name a time that is over; without --to a replay ends a minute ago";
        return Err(Error::usage(format!("{option} {at} lies ahead"), fix));
    }
    Ok(at)
}

fn reason(text: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > MAX_REASON_CHARS {
        let what = format!("the reason has {} characters", text.chars().count());
        return Err(Error::usage(
            what,
            format!("say in 1 to {MAX_REASON_CHARS} why, for whoever reads the audit"),
        ));
    }
    Ok(text.to_owned())
}

/// The time, so that names sort, and something of the moment, so that two are not called alike.
fn name(now: Timestamp) -> String {
    let chance = now.subsec_nanosecond().unsigned_abs() ^ std::process::id();
    format!("{}-{chance:04x}", now.strftime("%Y%m%dT%H%M%S"))
}

/// Counts what would be done, and does nothing.
async fn survey(choice: &Choice, rate: u32, cloud: &Cloud, now: Timestamp, terminal: &Terminal) -> Done {
    let mark = Mark { id: name(now), renotify: choice.mode == Mode::Force };
    let mut reader = Reader::open(cloud, choice, &mark, None, now);
    let mut survey = Survey::default();
    loop {
        let some = reader.next(AT_ONCE).await?;
        if some.is_empty() {
            break;
        }
        some.iter().for_each(|it| survey.add(it, choice, now));
        terminal.progress(&format!("{} events …", survey.count()));
    }
    terminal.clear();
    if terminal.json {
        terminal.say_json(&survey.as_json(choice, rate));
        return Ok(survey.count() > 0);
    }
    if survey.count() == 0 {
        nothing(choice, terminal);
        return Ok(false);
    }
    survey.show(choice, rate, terminal);
    terminal.note("nothing was sent; --run does it");
    Ok(true)
}

fn nothing(choice: &Choice, terminal: &Terminal) {
    terminal.note(&format!(
        "nothing that fits was recorded from {} to {}; `carillon events ls` shows what was",
        choice.from, choice.to
    ));
}

/// Sends what is left of a replay, and keeps how far it is after every call.
async fn send(mut state: State, path: &Path, rate: u32, cloud: &Cloud, terminal: &Terminal) -> Done {
    let now = runtime::now();
    let way = Way::to(&state.choice.consumer, cloud).await?;
    state.save(path)?;
    announce(&state, cloud).await?;
    terminal.note(&format!(
        "{} to {}; if it is stopped: carillon replay --resume {}",
        state.replay,
        whither(&state.choice.consumer),
        path.display()
    ));
    let (choice, mark) = (state.choice.clone(), state.mark());
    let mut reader = Reader::open(cloud, &choice, &mark, state.after.clone(), now);
    let (began, before) = (Instant::now(), state.sent);
    while state.sent_by.is_none() {
        let some = reader.next(PER_CALL.min(rate as usize)).await?;
        match some.last().map(|it| it.place.clone()) {
            Some(last) => {
                hand_over(&mut state, some, &way, terminal).await?;
                state.after = Some(last);
            }
            None => state.sent_by = Some(runtime::now()),
        }
        state.save(path)?;
        let seconds = f64::from(u32::try_from(state.sent - before).unwrap_or(u32::MAX)) / f64::from(rate);
        tokio::time::sleep_until(began + Duration::from_secs_f64(seconds)).await;
    }
    close(&state, cloud, state.sent_by.unwrap_or(now)).await?;
    state.is_done = true;
    state.save(path)?;
    terminal.clear();
    Ok(report(&state, path, terminal))
}

async fn hand_over(state: &mut State, some: Vec<Seen>, way: &Way, terminal: &Terminal) -> Result<(), Error> {
    let all = some.len();
    let goes = some.into_iter().filter(|it| it.left_out.is_none()).map(|it| it.event);
    let goes: Vec<_> = goes.collect();
    if !goes.is_empty() {
        way.send(&goes).await?;
    }
    state.sent += goes.len();
    state.left_out += all - goes.len();
    terminal.progress(&format!("{} sent, {} left out …", state.sent, state.left_out));
    Ok(())
}

/// Whether there was anything to do.
fn report(state: &State, path: &Path, terminal: &Terminal) -> bool {
    let State { sent, left_out, .. } = state;
    if terminal.json {
        terminal
            .say_json(&json!({ "replay": state.replay, "sent": sent, "leftOut": left_out, "state": path }));
    } else if sent + left_out == 0 {
        nothing(&state.choice, terminal);
    } else {
        terminal.say(&format!("{} {sent}", terminal.ink(Ink::Good, "replayed")));
        if *left_out > 0 {
            terminal.say(&format!("left out: {left_out}; without --run it says why"));
        }
    }
    sent + left_out > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_lie_ahead_or_are_none_are_refused_with_what_to_write() {
        let now: Timestamp = runtime::now();
        let told = |it: &str| moment("--to", it, now).unwrap_err().to_string();
        assert!(told("2999-01-01T00:00:00Z").contains("lies ahead; name a time that is over"));
        assert!(told("yesterday").contains("is no time; write a time such as"));
        assert!(moment("--to", "2h", now).unwrap() < now);
        assert!(consumer("everybody").unwrap_err().to_string().contains("name dispatch, audit, bus"));
        assert_eq!(consumer("http://q").unwrap(), Consumer::Queue("http://q".into()));
    }

    #[test]
    fn a_reason_is_something_and_no_essay() {
        assert_eq!(reason("  why ").unwrap(), "why");
        assert!(reason(" ").is_err());
        assert!(reason(&"x".repeat(1_000)).is_ok() && reason(&"x".repeat(1_001)).is_err());
    }
}
