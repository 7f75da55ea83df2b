//! Test bench around a function: the Runtime API with its invocations, and the stub cloud with a journal of calls. Both
//! listen at one address.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::cloud::Cloud;
use crate::http::{Request, Response, serve};

/// Version prefix of all Runtime API paths.
const RUNTIME_API: &str = "/2018-06-01/runtime/";

/// The year 2100 in milliseconds, so that no invocation times out under Valgrind.
const DEADLINE_MILLIS: &str = "4102444800000";

/// Queues of dispatch itself. Messages that it sends there for later are not jobs.
const LANES: [&str; 3] = ["critical", "dispatch", "bulk"];

/// The bench of all runs. Each run begins with [`Stage::clear`].
#[derive(Clone)]
pub(crate) struct Stage {
    address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    cloud: Cloud,
    state: Mutex<State>,
    changed: Condvar,
}

/// Progress of one run.
#[derive(Default)]
struct State {
    run: u64,
    waiting: VecDeque<String>,
    handed_out: u64,
    /// Time at which the last invocation was handed out.
    handed_at: Option<Instant>,
    /// Time since which the function waits for more invocations.
    idle_since: Option<Instant>,
    journal: Journal,
}

/// Record of a function's calls.
#[derive(Default, Clone)]
pub(crate) struct Journal {
    /// Number of calls by operation.
    pub(crate) calls: BTreeMap<String, u64>,
    /// Messages sent to each queue.
    pub(crate) sent: BTreeMap<String, Vec<String>>,
    /// Time from each invocation to its response, in order.
    pub(crate) times: Vec<Duration>,
    /// Time of each event's first arrival on the bus, by id.
    pub(crate) arrivals: BTreeMap<String, Instant>,
    /// Unexpected calls. Figures of such a run are invalid.
    pub(crate) faults: Vec<String>,
}

impl Journal {
    /// Number of messages sent to the channel queues.
    pub(crate) fn jobs(&self) -> u64 {
        self.queued().map(|queued| queued.len() as u64).sum()
    }

    /// Total length of those messages.
    pub(crate) fn job_bytes(&self) -> u64 {
        self.queued().flatten().map(|queued| queued.len() as u64).sum()
    }

    fn queued(&self) -> impl Iterator<Item = &Vec<String>> {
        self.sent.iter().filter(|(queue, _)| !LANES.contains(&queue.as_str())).map(|(_, item)| item)
    }
}

impl Stage {
    /// # Errors
    /// No port is free.
    pub(crate) fn open(cloud: Cloud) -> io::Result<Stage> {
        let inner = Arc::new(Inner { cloud, state: Mutex::default(), changed: Condvar::new() });
        let answering = Arc::clone(&inner);
        let address = serve(move |request: &Request| answering.answer(request))?;
        Ok(Stage { address, inner })
    }

    /// Address of the Runtime API and the cloud, as `host:port`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Base URL of the webhook endpoints, which are not part of the cloud.
    pub(crate) fn hooks(&self) -> &str {
        self.inner.cloud.hooks()
    }

    /// Begins a run with an empty queue and journal.
    pub(crate) fn clear(&self) {
        let mut state = self.inner.lock();
        *state = State { run: state.run + 1, ..State::default() };
        self.inner.changed.notify_all();
    }

    /// Hands these invocations out in order.
    pub(crate) fn feed(&self, payloads: &[String]) {
        let mut state = self.inner.lock();
        state.waiting.extend(payloads.iter().cloned());
        state.idle_since = None;
        self.inner.changed.notify_all();
    }

    /// Time at which the function asked for more invocations than there were; `None` when it did not within `patience`.
    pub(crate) fn idle_within(&self, patience: Duration) -> Option<Instant> {
        let state = self.inner.lock();
        let waited = self.inner.changed.wait_timeout_while(state, patience, |item| item.idle_since.is_none());
        waited.unwrap_or_else(PoisonError::into_inner).0.idle_since
    }

    pub(crate) fn journal(&self) -> Journal {
        self.inner.lock().journal.clone()
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Option<Response> {
        let Some(runtime) = request.path.strip_prefix(RUNTIME_API) else { return Some(self.call(request)) };
        if request.method == "GET" {
            return self.next();
        }
        let mut state = self.lock();
        let took = state.handed_at.take().map(|since| since.elapsed());
        state.journal.times.extend(took);
        drop(state);
        let said = String::from_utf8_lossy(&request.body);
        if !runtime.ends_with("/response") || said.contains("itemIdentifier") {
            self.lock().journal.faults.push(format!("{runtime}: {said}"));
        }
        Some(Response { status: 202, headers: Vec::new(), body: String::new() })
    }

    /// The next invocation, as soon as there is one. `None` when the run has ended.
    #[expect(clippy::disallowed_methods, reason = "the time that is measured")]
    fn next(&self) -> Option<Response> {
        let arrived = Instant::now();
        let mut state = self.lock();
        let run = state.run;
        while state.run == run {
            if let Some(body) = state.waiting.pop_front() {
                state.handed_out += 1;
                state.handed_at = Some(Instant::now());
                let id = format!("8476a536-e9f4-11e8-9739-{:012}", state.handed_out);
                let headers = vec![
                    ("content-type", "application/json".to_owned()),
                    ("lambda-runtime-aws-request-id", id),
                    ("lambda-runtime-deadline-ms", DEADLINE_MILLIS.to_owned()),
                    (
                        "lambda-runtime-invoked-function-arn",
                        "arn:aws:lambda:eu-central-1:000000000000:function:bench".to_owned(),
                    ),
                ];
                return Some(Response { status: 200, headers, body });
            }
            if state.idle_since.is_none() {
                state.idle_since = Some(arrived);
                self.changed.notify_all();
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }

    #[expect(clippy::disallowed_methods, reason = "the time that is measured")]
    fn call(&self, request: &Request) -> Response {
        let arrived = Instant::now();
        let answer = self.cloud.answer(request);
        let mut state = self.lock();
        let Some(call) = answer else {
            let asked = request.target.as_deref().unwrap_or(&request.path);
            state.journal.faults.push(format!("cloud.rs knows no answer to {} {asked}", request.method));
            return Response { status: 501, headers: Vec::new(), body: String::new() };
        };
        *state.journal.calls.entry(call.operation).or_default() += 1;
        for id in call.published {
            state.journal.arrivals.entry(id).or_insert(arrived);
        }
        if let Some(sent) = call.sent {
            state.journal.sent.entry(sent.queue).or_default().extend(sent.bodies);
        }
        let headers = vec![("content-type", "application/x-amz-json-1.0".to_owned())];
        Response { status: 200, headers, body: call.answer }
    }
}
