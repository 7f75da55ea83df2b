//! Poison messages: messages that crash their consumer, in a batch with good ones.

use domain::base::channel::Channel;
use serde_json::{Value, json};
use testkit::until::until;
use workspace::unique;

use crate::hello_events::HelloEvent;
use crate::invariants::check;
use crate::jobs::TestJob;
use crate::suite::{MAX_RECEIVES, Suite, run_scenario};

/// Number of messages in one batch, and the indexes of the poison messages.
const BATCH: usize = 10;
const POISON: [usize; 2] = [2, 6];

/// Delay in seconds that lets all messages of a call arrive before the first becomes visible, so that they form one
/// batch.
const DELAY_S: i32 = 2;

/// `docs/contract/invariants.md` F7: messages that no function survives, as after an out-of-memory kill or a bug.
#[tokio::test]
async fn poison_message_is_dead_lettered_without_its_neighbours() {
    run_scenario(async |suite| {
        let mut emails = jobs(suite, Channel::Email).await;
        let mut requests = jobs(suite, Channel::Webhook).await;
        let mut events = Vec::new();
        for _ in 0..BATCH {
            events.push(HelloEvent::new(&suite.cloud).await);
        }
        let lines = [
            ("email", emails.iter().map(message_of_job).collect::<Vec<_>>()),
            ("webhook", requests.iter().map(message_of_job).collect()),
            ("dispatch", events.iter().map(message_of_event).collect()),
        ];
        let kills = lines.iter().flat_map(|(function, line)| POISON.map(|at| kill(function, &line[at])));
        let began = suite.proxy.now();
        suite.proxy.plan(suite.seed, &kills.collect::<Vec<_>>());
        for (queue, line) in &lines {
            let bodies: Vec<&str> = line.iter().map(|item| item.body.as_str()).collect();
            suite.send_all(queue, &bodies, DELAY_S).await;
        }
        for job in [&mut emails, &mut requests].into_iter().flat_map(|all| others(all)) {
            check(suite, job, 0).await;
        }
        for other in others(&mut events) {
            other.check(suite, 0).await;
        }
        for (queue, line) in &lines {
            check_dead_letters(suite, queue, line).await;
        }
        suite.wait_until_idle().await;
        for killed in suite.proxy.done().chunks(POISON.len()) {
            let times: u64 = killed.iter().sum();
            assert!(
                killed.iter().all(|count| *count > 0) && times >= MAX_RECEIVES,
                "not all of them kill: {killed:?}"
            );
        }
        for channel in ["email", "webhook"] {
            let journal = suite.proxy.journal(began);
            let first =
                journal.iter().find(|call| call.function.as_deref() == Some(channel) && call.fault.is_some());
            assert_eq!(first.map(|first| first.parts), Some(BATCH), "{channel}: they did not come together");
        }
    })
    .await;
}

/// A message, and the text that only calls about it contain.
struct Line {
    body: String,
    mark: String,
}

fn kill(function: &str, line: &Line) -> Value {
    json!({ "function": function, "contains": line.mark, "do": "kill_before" })
}

async fn jobs(suite: &Suite, channel: Channel) -> Vec<TestJob> {
    let mut jobs = Vec::new();
    for _ in 0..BATCH {
        jobs.push(TestJob::by(suite, channel).await);
    }
    jobs
}

fn message_of_job(job: &TestJob) -> Line {
    // The claim contains the recipient. The text ends at the end of the word because another recipient may share the
    // prefix.
    Line { body: job.text.clone(), mark: format!("{}\"", job.job.recipient) }
}

fn message_of_event(hello: &HelloEvent) -> Line {
    let event = hello.event();
    let body = json!({
        "version": "0", "id": unique("bus"), "detail-type": "core.hello", "source": hello.mark, "time": event["time"],
        "detail": event,
    });
    Line { body: body.to_string(), mark: format!("{}-ann\"", hello.mark) }
}

fn others<T>(all: &mut [T]) -> impl Iterator<Item = &mut T> {
    all.iter_mut().enumerate().filter(|(index, _)| !POISON.contains(index)).map(|(_, job)| job)
}

/// Checks that only the poison messages of the batch are in the dead-letter queue.
async fn check_dead_letters(suite: &Suite, queue: &str, line: &[Line]) {
    let mut found = Vec::new();
    until(&format!("the dead letters of {queue}"), async || {
        let all = suite.cloud.dead_letters(queue, "").await;
        let of_line = |body: &str| line.iter().position(|item| body.contains(&item.mark));
        found.extend(all.iter().filter_map(|item| of_line(item.body.as_deref()?)));
        (found.len() >= POISON.len()).then_some(())
    })
    .await;
    found.sort_unstable();
    assert_eq!(found, POISON, "{queue}");
}
