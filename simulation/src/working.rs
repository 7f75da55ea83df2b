//! A function with an SQS trigger: invoked with batches, sometimes killed, and restarted.

use std::rc::Rc;
use std::time::Duration;

use runtime::{Batch, Deadline, Error, Message, Report};

use crate::clock::{now, sleep_ms};
use crate::process::Process;
use crate::queue::Line;
use crate::world::World;

/// Timeout of a function, as in the template.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Serves a queue until the run ends. `start` creates the state of a process; `handle` is one invocation.
pub(crate) async fn serve<S>(
    world: Rc<World>,
    line: Rc<Line>,
    acks_first: bool,
    start: impl Fn(&Rc<Process>) -> S,
    handle: impl AsyncFn(&S, Batch) -> Result<Report, Error>,
) {
    let mut running: Option<(Rc<Process>, S)> = None;
    loop {
        let messages = line.receive(&world).await;
        let token = format!("{}-{}", line.name, world.new_id());
        let (process, state) = running.take().unwrap_or_else(|| {
            let process = Process::new(&world, token.clone());
            let state = start(&process);
            (process, state)
        });
        world.tell(|| format!("{token} gets {} messages from {}", messages.len(), line.name));
        if acks_first {
            messages.iter().for_each(|message| line.delete(message));
        }
        let batch = Batch { messages: messages.clone(), request_id: token.clone(), deadline: deadline() };
        match process.invoke(&token, TIMEOUT, handle(&state, batch)).await {
            Some(Ok(report)) => {
                acknowledge(&world, &line, &messages, &report);
                running = Some((process, state));
            }
            // The whole batch becomes visible again after the visibility timeout.
            Some(Err(error)) => {
                world.tell(|| format!("{token} fails: {error}"));
                running = Some((process, state));
            }
            None => {
                let pause = world.chance.borrow_mut().between(100, 2_000);
                sleep_ms(pause).await;
            }
        }
    }
}

/// Deadline of an invocation that begins now.
pub(crate) fn deadline() -> Deadline {
    let ends = now().as_millisecond() + i64::try_from(TIMEOUT.as_millis()).unwrap_or(i64::MAX);
    Deadline::at_millis(u64::try_from(ends).unwrap_or(0))
}

/// Deletes messages that are not reported as failed, unless the deletion is lost.
fn acknowledge(world: &World, line: &Line, messages: &[Message], report: &Report) {
    let report = serde_json::to_value(report).expect("a report is names");
    let failures = report["batchItemFailures"].as_array().cloned().unwrap_or_default();
    let ignored = world.is(crate::Variant::ReportIgnored);
    for message in messages {
        let failed = failures.iter().any(|failure| failure["itemIdentifier"] == message.message_id.as_str());
        let lost = world.chance.borrow_mut().hits(world.faults().twice);
        if (!failed || ignored) && !lost {
            line.delete(message);
        }
    }
}
