//! Six acts about time: a digest, a night, a throttle, an escalation, a cancellation and a bounce.

use domain::Timestamp;
use domain::event::Event;
use domain::outcome::{Reason, Status};
use domain::recipient::Recipient;
use jiff::SignedDuration;
use serde_json::json;

use crate::error::Error;

use super::Act;
use super::props::{count, event, person, with};

/// Whom these acts are about.
pub(super) fn people(run: &str, now: Timestamp) -> Result<Vec<Recipient>, Error> {
    let gone = person("demo-cal", "Cal", None)
        .map(|person| Recipient { email: Some(format!("bounce+{run}@simulator.amazonses.com")), ..person });
    [person("demo-ada", "Ada", None), person("demo-ben", "Ben", None), owl(now), gone].into_iter().collect()
}

/// What takes a reminder back, a little later.
pub(super) fn called_off(run: &str) -> Result<Event, Error> {
    event(run, "called-off", "demo.appointment.called-off", "demo-ada", "appointment-1", "Never mind.")
}

pub(super) fn acts(run: &str, now: Timestamp) -> Result<Vec<Act>, Error> {
    let one =
        |what: &str, kind: &str, to: &str, about: &str, text: &str| event(run, what, kind, to, about, text);
    let comments = ["The roof is leaking.", "I have called the roofer.", "He comes at four."];
    let digest = comments
        .iter()
        .enumerate()
        .map(|(at, text)| one(&format!("comment-{at}"), "demo.comment", "demo-ada", "the-roof", text));
    let alarms = (0..4)
        .map(|at| one(&format!("alarm-{at}"), "demo.alarm", "demo-ada", "pump-3", "Pump 3 is too hot."));
    let night = format!("The night began at {}.", now.to_string().get(11..16).unwrap_or_default());
    Ok(vec![
        Act {
            title: "A digest",
            told: "three comments, one letter",
            events: digest.collect::<Result<_, _>>()?,
            then: None,
            is_over: |rows| {
                count(rows, Status::Sent, None) == 1
                    && count(rows, Status::Suppressed, Some(Reason::Merged)) == 3
            },
            proof: None,
        },
        Act {
            title: "A night",
            told: "the owl sleeps: the letter waits, the screen does not",
            events: vec![one("note", "demo.note", "demo-owl", "tonight", &night)?],
            then: None,
            is_over: |rows| count(rows, Status::Deferred, Some(Reason::QuietHours)) == 1 && rows.len() == 2,
            proof: None,
        },
        Act {
            title: "A throttle",
            told: "four alarms, two letters an hour",
            events: alarms.collect::<Result<_, _>>()?,
            then: None,
            is_over: |rows| {
                count(rows, Status::Sent, None) == 2
                    && count(rows, Status::Suppressed, Some(Reason::Throttled)) == 2
            },
            proof: None,
        },
        escalation(run)?,
        cancellation(run)?,
        bounce(run)?,
    ])
}

fn escalation(run: &str) -> Result<Act, Error> {
    let mut page = event(run, "page", "demo.page", "demo-ada", "door", "Somebody is at the door.")?;
    page = with(
        &page,
        &json!({ "to": ["demo-ada", "demo-ben"], "about": "door", "text": "Somebody is at the door." }),
    )?;
    Ok(Act {
        title: "An escalation",
        told: "Ada says that she has seen it, Ben does not: he gets a letter",
        events: vec![page],
        then: None,
        is_over: |rows| {
            count(rows, Status::Suppressed, Some(Reason::Acknowledged)) == 1
                && rows
                    .iter()
                    .any(|row| row.recipient == "demo-ben" && row.step == 2 && row.status == Status::Sent)
        },
        proof: None,
    })
}

fn cancellation(run: &str) -> Result<Act, Error> {
    Ok(Act {
        title: "A cancellation",
        told: "two reminders, one appointment is called off",
        events: vec![
            event(
                run,
                "appointment-1",
                "demo.appointment",
                "demo-ada",
                "appointment-1",
                "The plumber comes.",
            )?,
            event(
                run,
                "appointment-2",
                "demo.appointment",
                "demo-ada",
                "appointment-2",
                "The painter comes.",
            )?,
        ],
        then: None,
        is_over: |rows| {
            count(rows, Status::Suppressed, Some(Reason::Cancelled)) == 1
                && count(rows, Status::Sent, None) == 1
        },
        proof: None,
    })
}

fn bounce(run: &str) -> Result<Act, Error> {
    let alarm = |what: &str, about: &str, text: &str| event(run, what, "demo.alarm", "demo-cal", about, text);
    let next = alarm("unreachable-2", "pump-5", "Pump 5 is too hot.")?;
    Ok(Act {
        title: "A bounce",
        told: "a letter comes back, and the next one is not written",
        events: vec![alarm("unreachable-1", "pump-4", "Pump 4 is too hot.")?],
        then: Some((next, |rows| count(rows, Status::Bounced, None) == 1)),
        is_over: |rows| {
            count(rows, Status::Bounced, None) == 1
                && count(rows, Status::Suppressed, Some(Reason::SuppressedAddress)) == 1
        },
        proof: None,
    })
}

/// Somebody whose night it is, from an hour ago until in an hour.
fn owl(now: Timestamp) -> Result<Recipient, Error> {
    let clock = |at: Timestamp| at.to_string().get(11..16).unwrap_or("00:00").to_owned();
    let hour = SignedDuration::from_hours(1);
    let quiet = json!({ "quiet": { "start": clock(now - hour), "end": clock(now + hour) } });
    person("demo-owl", "Otis", Some(&quiet))
}
