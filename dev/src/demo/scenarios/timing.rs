//! Six scenarios with waits: digest, quiet hours, throttle, escalation, cancellation, bounce.

use domain::Timestamp;
use domain::base::outcome::{Reason, Status};
use domain::event::Event;
use domain::recipient::Recipient;
use jiff::SignedDuration;
use serde_json::json;

use cli::error::Error;

use super::Scenario;
use super::fixtures::{count, event, person, with};

/// The people of these scenarios.
pub(super) fn people(run: &str, now: Timestamp) -> Result<Vec<Recipient>, Error> {
    let bouncing = person("demo-cal", "Cal", None).map(|person| Recipient {
        email: Some(format!("bounce+{run}@simulator.amazonses.com").into()),
        ..person
    });
    [person("demo-ada", "Ada", None), person("demo-ben", "Ben", None), owl(now), bouncing]
        .into_iter()
        .collect()
}

/// The event that cancels a reminder.
///
/// # Errors
/// The event is refused.
pub(super) fn cancel_event(run: &str) -> Result<Event, Error> {
    event(run, "called-off", "demo.appointment.called-off", "demo-ada", "appointment-1", "Never mind.")
}

pub(super) fn scenarios(run: &str, now: Timestamp) -> Result<Vec<Scenario>, Error> {
    let one =
        |name: &str, kind: &str, to: &str, about: &str, text: &str| event(run, name, kind, to, about, text);
    let comments = ["The roof is leaking.", "I have called the roofer.", "He comes at four."];
    let digest = comments
        .iter()
        .enumerate()
        .map(|(index, text)| one(&format!("comment-{index}"), "demo.comment", "demo-ada", "the-roof", text));
    let alarms = (0..4).map(|index| {
        one(&format!("alarm-{index}"), "demo.alarm", "demo-ada", "pump-3", "Pump 3 is too hot.")
    });
    let night = format!("The night began at {}.", now.to_string().get(11..16).unwrap_or_default());
    Ok(vec![
        Scenario {
            title: "A digest",
            about: "three comments, one e-mail",
            events: digest.collect::<Result<_, _>>()?,
            then: None,
            is_complete: |rows| {
                count(rows, Status::Sent, None) == 1
                    && count(rows, Status::Suppressed, Some(Reason::Merged)) == 3
            },
            check: None,
        },
        Scenario {
            title: "A night",
            about: "quiet hours: the e-mail waits, the in-app message does not",
            events: vec![one("note", "demo.note", "demo-owl", "tonight", &night)?],
            then: None,
            is_complete: |rows| {
                count(rows, Status::Deferred, Some(Reason::QuietHours)) == 1 && rows.len() == 2
            },
            check: None,
        },
        Scenario {
            title: "A throttle",
            about: "four alarms, two e-mails an hour",
            events: alarms.collect::<Result<_, _>>()?,
            then: None,
            is_complete: |rows| {
                count(rows, Status::Sent, None) == 2
                    && count(rows, Status::Suppressed, Some(Reason::Throttled)) == 2
            },
            check: None,
        },
        escalation(run)?,
        cancellation(run)?,
        bounce(run)?,
    ])
}

fn escalation(run: &str) -> Result<Scenario, Error> {
    let mut page = event(run, "page", "demo.page", "demo-ada", "door", "A visitor is at the door.")?;
    page = with(
        &page,
        &json!({ "to": ["demo-ada", "demo-ben"], "about": "door", "text": "A visitor is at the door." }),
    )?;
    Ok(Scenario {
        title: "An escalation",
        about: "Ada acknowledges the message, Ben does not and gets an e-mail",
        events: vec![page],
        then: None,
        is_complete: |rows| {
            count(rows, Status::Suppressed, Some(Reason::Acknowledged)) == 1
                && rows
                    .iter()
                    .any(|row| row.recipient == "demo-ben" && row.step == 2 && row.status == Status::Sent)
        },
        check: None,
    })
}

fn cancellation(run: &str) -> Result<Scenario, Error> {
    Ok(Scenario {
        title: "A cancellation",
        about: "two reminders, one appointment is cancelled",
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
        is_complete: |rows| {
            count(rows, Status::Suppressed, Some(Reason::Cancelled)) == 1
                && count(rows, Status::Sent, None) == 1
        },
        check: None,
    })
}

fn bounce(run: &str) -> Result<Scenario, Error> {
    let alarm = |name: &str, about: &str, text: &str| event(run, name, "demo.alarm", "demo-cal", about, text);
    let next = alarm("unreachable-2", "pump-5", "Pump 5 is too hot.")?;
    Ok(Scenario {
        title: "A bounce",
        about: "an e-mail bounces, and the next one is suppressed",
        events: vec![alarm("unreachable-1", "pump-4", "Pump 4 is too hot.")?],
        then: Some((next, |rows| count(rows, Status::Bounced, None) == 1)),
        is_complete: |rows| {
            count(rows, Status::Bounced, None) == 1
                && count(rows, Status::Suppressed, Some(Reason::SuppressedAddress)) == 1
        },
        check: None,
    })
}

/// A person with quiet hours from an hour ago until an hour from now.
fn owl(now: Timestamp) -> Result<Recipient, Error> {
    let clock = |time: Timestamp| time.to_string().get(11..16).unwrap_or("00:00").to_owned();
    let hour = SignedDuration::from_hours(1);
    let quiet = json!({ "quiet": { "start": clock(now - hour), "end": clock(now + hour) } });
    person("demo-owl", "Otis", Some(&quiet))
}
