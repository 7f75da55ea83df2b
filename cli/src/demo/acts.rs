//! Six acts that take time: a digest, a night, a throttle, an escalation, a cancellation and a bounce. Each is played with real
//! events on the local cloud, and told by the same words as `carillon explain`.

use std::time::Duration;

use domain::Timestamp;
use domain::event::Event;
use domain::outcome::{Reason, Status};
use domain::recipient::Recipient;
use jiff::SignedDuration;
use publish::{Bus, Entry};
use serde_json::{Value, json};
use store::{Ledger, LedgerRow, People};

use crate::cloud::Cloud;
use crate::error::Error;
use crate::explain::happened;
use crate::terminal::{Ink, Terminal};

use super::ears::Acknowledging;

/// Who sends the events of the acts.
const SOURCE: &str = "/carillon/demo";

/// How long the acts may take: the longest waits eight seconds, and a queue may add some.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long between two looks.
const PAUSE: Duration = Duration::from_millis(400);

/// Whether what is on record is what is waited for.
type Judge = fn(&[LedgerRow]) -> bool;

/// One act.
struct Act {
    title: &'static str,
    /// What people should notice.
    told: &'static str,
    events: Vec<Event>,
    /// What happens when the first of it is known, and whether it is.
    then: Option<(Event, Judge)>,
    /// Whether all of it has happened, and as it should.
    is_over: Judge,
}

/// The acts while they are played.
pub(super) struct Acts {
    acts: Vec<Act>,
    began: Timestamp,
    _ada: Acknowledging,
}

impl Acts {
    /// Puts the first events of all acts on the bus.
    pub(super) async fn begin(cloud: &Cloud, url: &str) -> Result<Acts, Error> {
        let began = runtime::now();
        let run = format!("{:x}", began.as_millisecond());
        let gone = person("demo-cal", "Cal", None)
            .map(|it| Recipient { email: Some(format!("bounce+{run}@simulator.amazonses.com")), ..it });
        let people = [person("demo-ada", "Ada", None), person("demo-ben", "Ben", None), owl(began), gone];
        let people: Vec<Recipient> = people.into_iter().collect::<Result<_, _>>()?;
        People::new(&store::client(&cloud.config), cloud.name("people")).put(&people, began).await?;
        let ada = Acknowledging::open(cloud, url, "demo-ada").await?;
        let acts = acts(&run, began)?;
        let bus = Bus::new(&cloud.config, cloud.bus());
        put(&bus, acts.iter().flat_map(|it| &it.events)).await?;
        // A little later, as people change their minds.
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let off = event(
            &run,
            "called-off",
            "demo.appointment.called-off",
            "demo-ada",
            "appointment-1",
            "Never mind.",
        )?;
        put(&bus, [&off].into_iter()).await?;
        Ok(Acts { acts, began, _ada: ada })
    }

    /// Waits until every act is over, and tells all of them; `false` when one did not end as it should.
    pub(super) async fn tell(self, cloud: &Cloud, terminal: &Terminal) -> Result<bool, Error> {
        let ledger = Ledger::new(&store::client(&cloud.config), cloud.name("ledger"));
        let give_up = self.began + PATIENCE;
        let mut all_right = true;
        let bus = Bus::new(&cloud.config, cloud.bus());
        for mut act in self.acts {
            let rows = loop {
                let rows = rows(&ledger, &act.events).await?;
                if let Some((event, _)) = act.then.take_if(|(_, is_known)| is_known(&rows)) {
                    put(&bus, [&event].into_iter()).await?;
                    act.events.push(event);
                }
                if (act.is_over)(&rows) || runtime::now() > give_up {
                    break rows;
                }
                let seconds = runtime::now().duration_since(self.began).as_secs();
                terminal.progress(&format!("{} …, {seconds} s", act.title));
                tokio::time::sleep(PAUSE).await;
            };
            terminal.clear();
            let right = (act.is_over)(&rows);
            all_right &= right;
            show(&act, &rows, right, terminal);
        }
        Ok(all_right)
    }
}

fn show(act: &Act, rows: &[LedgerRow], right: bool, terminal: &Terminal) {
    if terminal.json {
        let outcomes: Vec<Value> = rows.iter().map(happened::value).collect();
        return terminal.say_json(&json!({ "act": act.title, "right": right, "outcomes": outcomes }));
    }
    let sign = if right { terminal.ink(Ink::Good, "✓") } else { terminal.ink(Ink::Bad, "✗") };
    terminal.say("");
    terminal.say(&format!(
        "{sign} {}   {}",
        terminal.ink(Ink::Strong, act.title),
        terminal.ink(Ink::Quiet, act.told)
    ));
    for row in rows {
        happened::line(row, terminal);
    }
    if let Some(event) = act.events.first() {
        let command = format!("carillon explain {}", event.id);
        terminal.say(&terminal.ink(Ink::Note, &format!("  why?  {command}")));
    }
}

async fn rows(ledger: &Ledger, events: &[Event]) -> Result<Vec<LedgerRow>, Error> {
    let mut rows = Vec::new();
    for event in events {
        rows.extend(happened::rows(ledger, event).await?);
    }
    // Every event of a digest leads to the same letter.
    let mut seen = std::collections::BTreeSet::new();
    rows.retain(|it| seen.insert(it.key.clone()));
    Ok(rows)
}

fn acts(run: &str, now: Timestamp) -> Result<Vec<Act>, Error> {
    let one =
        |what: &str, kind: &str, to: &str, about: &str, text: &str| event(run, what, kind, to, about, text);
    let comments = ["The roof is leaking.", "I have called the roofer.", "He comes at four."];
    let digest = comments
        .iter()
        .enumerate()
        .map(|(at, text)| one(&format!("comment-{at}"), "demo.comment", "demo-ada", "the-roof", text));
    let alarms = (0..4)
        .map(|at| one(&format!("alarm-{at}"), "demo.alarm", "demo-ada", "pump-3", "Pump 3 is too hot."));
    let mut page = one("page", "demo.page", "demo-ada", "door", "Somebody is at the door.")?;
    page = with(
        &page,
        &json!({ "to": ["demo-ada", "demo-ben"], "about": "door", "text": "Somebody is at the door." }),
    )?;
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
        },
        Act {
            title: "A night",
            told: "the owl sleeps: the letter waits, the screen does not",
            events: vec![one("note", "demo.note", "demo-owl", "tonight", &night)?],
            then: None,
            is_over: |rows| count(rows, Status::Deferred, Some(Reason::QuietHours)) == 1 && rows.len() == 2,
        },
        Act {
            title: "A throttle",
            told: "four alarms, two letters a minute",
            events: alarms.collect::<Result<_, _>>()?,
            then: None,
            is_over: |rows| {
                count(rows, Status::Sent, None) == 2
                    && count(rows, Status::Suppressed, Some(Reason::Throttled)) == 2
            },
        },
        Act {
            title: "An escalation",
            told: "Ada says that she has seen it, Ben does not: he gets a letter",
            events: vec![page],
            then: None,
            is_over: |rows| {
                count(rows, Status::Suppressed, Some(Reason::Acknowledged)) == 1
                    && rows
                        .iter()
                        .any(|it| it.recipient == "demo-ben" && it.step == 2 && it.status == Status::Sent)
            },
        },
        Act {
            title: "A cancellation",
            told: "two reminders, one appointment is called off",
            events: vec![
                one("appointment-1", "demo.appointment", "demo-ada", "appointment-1", "The plumber comes.")?,
                one("appointment-2", "demo.appointment", "demo-ada", "appointment-2", "The painter comes.")?,
            ],
            then: None,
            is_over: |rows| {
                count(rows, Status::Suppressed, Some(Reason::Cancelled)) == 1
                    && count(rows, Status::Sent, None) == 1
            },
        },
        bounce(run)?,
    ])
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
    })
}

fn count(rows: &[LedgerRow], status: Status, reason: Option<Reason>) -> usize {
    rows.iter().filter(|it| it.status == status && (reason.is_none() || it.reason == reason)).count()
}

fn event(run: &str, what: &str, kind: &str, to: &str, about: &str, text: &str) -> Result<Event, Error> {
    let event = json!({
        "specversion": "1.0", "id": format!("demo-{run}-{what}"), "source": SOURCE, "type": kind,
        "time": runtime::now().to_string(), "datacontenttype": "application/json",
        "data": { "to": [to], "about": format!("{about} ({run})"), "text": text },
    });
    Event::parse(&event.to_string())
        .map_err(|it| Error::Cloud(format!("an event of the demo is refused: {it}")))
}

fn with(event: &Event, data: &Value) -> Result<Event, Error> {
    let mut value: Value =
        serde_json::from_str(&event.to_json()).map_err(|it| Error::Cloud(it.to_string()))?;
    value["data"] = data.clone();
    Event::parse(&value.to_string())
        .map_err(|it| Error::Cloud(format!("an event of the demo is refused: {it}")))
}

async fn put(bus: &Bus, events: impl Iterator<Item = &Event>) -> Result<(), Error> {
    let entries: Vec<Entry> = events
        .map(|it| Entry { source: it.source.clone(), detail_type: it.kind.clone(), detail: it.to_json() })
        .collect();
    for put in bus.put(&entries).await {
        put?;
    }
    Ok(())
}

fn person(id: &str, name: &str, quiet: Option<&Value>) -> Result<Recipient, Error> {
    let email = format!("{}@example.com", name.to_lowercase());
    let person =
        json!({ "id": id, "name": name, "email": email, "locale": "en", "zone": "Etc/UTC", "quiet": quiet });
    serde_json::from_value(person).map_err(|it| Error::Cloud(format!("somebody in the demo is nobody: {it}")))
}

/// Somebody whose night it is, from an hour ago until in an hour.
fn owl(now: Timestamp) -> Result<Recipient, Error> {
    let clock = |at: Timestamp| at.to_string().get(11..16).unwrap_or("00:00").to_owned();
    let hour = SignedDuration::from_hours(1);
    let quiet = json!({ "quiet": { "start": clock(now - hour), "end": clock(now + hour) } });
    person("demo-owl", "Otis", Some(&quiet))
}
