//! Messages that kill whoever takes them up, between neighbours.

use domain::channel::Channel;
use serde_json::{Value, json};

use crate::cloud::unique;
use crate::hellos::Hello;
use crate::invariants::check;
use crate::parcels::Parcel;
use crate::suite::{Suite, TRIES, play};
use crate::until::until;

/// How many come in one batch, and which of them kill.
const BATCH: usize = 10;
const KILLERS: [usize; 2] = [2, 6];

/// Long enough for all of a call's messages to be there before the first is shown, so that they are one batch.
const TOGETHER_S: i32 = 2;

/// Reliability F7: what no function survives, as a lack of memory or a fault of ours would have it.
#[tokio::test]
async fn what_kills_whoever_takes_it_up_becomes_a_dead_letter_and_takes_nobody_along() {
    play(async |suite| {
        let mut letters = parcels(suite, Channel::Email).await;
        let mut requests = parcels(suite, Channel::Webhook).await;
        let mut hellos = Vec::new();
        for _ in 0..BATCH {
            hellos.push(Hello::new(&suite.cloud).await);
        }
        let lines = [
            ("email", letters.iter().map(line_of_parcel).collect::<Vec<_>>()),
            ("webhook", requests.iter().map(line_of_parcel).collect()),
            ("dispatch", hellos.iter().map(line_of_hello).collect()),
        ];
        let kills = lines.iter().flat_map(|(function, line)| KILLERS.map(|at| kill(function, &line[at])));
        let began = suite.proxy.now();
        suite.proxy.plan(suite.seed, &kills.collect::<Vec<_>>());
        for (queue, line) in &lines {
            let bodies: Vec<&str> = line.iter().map(|it| it.body.as_str()).collect();
            suite.send_all(queue, &bodies, TOGETHER_S).await;
        }
        for it in [&mut letters, &mut requests].into_iter().flat_map(|all| others(all)) {
            check(suite, it, 0).await;
        }
        for other in others(&mut hellos) {
            other.check(suite, 0).await;
        }
        for (queue, line) in &lines {
            die_alone(suite, queue, line).await;
        }
        suite.peace().await;
        for killed in suite.proxy.done().chunks(KILLERS.len()) {
            let times: u64 = killed.iter().sum();
            assert!(killed.iter().all(|it| *it > 0) && times >= TRIES, "not all of them kill: {killed:?}");
        }
        for channel in ["email", "webhook"] {
            let journal = suite.proxy.journal(began);
            let first =
                journal.iter().find(|it| it.function.as_deref() == Some(channel) && it.fault.is_some());
            assert_eq!(first.map(|first| first.parts), Some(BATCH), "{channel}: they did not come together");
        }
    })
    .await;
}

/// A message, and the words in whatever is asked about it and about no other.
struct Line {
    body: String,
    mark: String,
}

fn kill(function: &str, line: &Line) -> Value {
    json!({ "function": function, "contains": line.mark, "do": "kill_before" })
}

async fn parcels(suite: &Suite, channel: Channel) -> Vec<Parcel> {
    let mut parcels = Vec::new();
    for _ in 0..BATCH {
        parcels.push(Parcel::by(suite, channel).await);
    }
    parcels
}

fn line_of_parcel(it: &Parcel) -> Line {
    // Whoever it is for is in the claim. To the end of the word: another one may begin like it.
    Line { body: it.text.clone(), mark: format!("{}\"", it.job.recipient) }
}

fn line_of_hello(it: &Hello) -> Line {
    let event = it.event();
    let body = json!({
        "version": "0", "id": unique("bus"), "detail-type": "core.hello", "source": it.mark, "time": event["time"],
        "detail": event,
    });
    Line { body: body.to_string(), mark: format!("{}-ann\"", it.mark) }
}

fn others<T>(all: &mut [T]) -> impl Iterator<Item = &mut T> {
    all.iter_mut().enumerate().filter(|(at, _)| !KILLERS.contains(at)).map(|(_, it)| it)
}

/// Of all that came together, the killers alone are put aside.
async fn die_alone(suite: &Suite, queue: &str, line: &[Line]) {
    let mut found = Vec::new();
    until(&format!("the dead letters of {queue}"), async || {
        let all = suite.cloud.dead_letters(queue, "").await;
        let of_line = |body: &str| line.iter().position(|it| body.contains(&it.mark));
        found.extend(all.iter().filter_map(|it| of_line(it.body.as_deref()?)));
        (found.len() >= KILLERS.len()).then_some(())
    })
    .await;
    found.sort_unstable();
    assert_eq!(found, KILLERS, "{queue}");
}
