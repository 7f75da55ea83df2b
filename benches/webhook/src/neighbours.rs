//! Sends 1,000 webhooks to 100 endpoints with as many workers as the template allows. A worker takes batches of ten,
//! calls all ten endpoints at once and is busy until the last of them answers, like an invocation.

use std::rc::Rc;
use std::time::Duration;

use domain::webhook::endpoint::secret::{Scheme, Secret, Secrets};
use domain::webhook::endpoint::target::Allow;
use domain::event::key::Key;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::{JoinSet, LocalSet};
use webhook::{Http, Names, Request};

const MESSAGES: usize = 1_000;
const ENDPOINTS: usize = 100;

/// The template's `MaximumConcurrency` and `BatchSize`.
const WORKERS: usize = 50;
const BATCH: usize = 10;

/// Response time of a healthy endpoint and of the slow one. The dead one never answers.
const HEALTHY: Duration = Duration::from_millis(20);
const SLOW: Duration = Duration::from_secs(10);

/// Indexes of the failing endpoints.
const DEAD_AT: usize = 17;
const SLOW_AT: usize = 42;

struct Message {
    endpoint: usize,
    queued: domain::Timestamp,
}

pub(crate) fn run() {
    for (name, pause) in [("200 a second", Duration::from_millis(50)), ("all at once", Duration::ZERO)] {
        let (healthy, sick) = (play(false, pause), play(true, pause));
        let ratio = sick.1.as_secs_f64() / healthy.1.as_secs_f64();
        println!("{name}: without sick ones p50 {:.0?}, p99 {:.0?}", healthy.0, healthy.1);
        println!("{name}: with a dead and a slow one p50 {:.0?}, p99 {:.0?}; p99 × {ratio:.2}", sick.0, sick.1);
    }
}

/// p50 and p99 of the time from the queue to the response of the 98 healthy endpoints. A batch is queued each `pause`.
fn play(sick: bool, pause: Duration) -> (Duration, Duration) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async {
        let origin = serve(sick).await;
        let http = Rc::new(Http::new(Names::System, Allow::parse(&origin).expect("an origin")));
        let (sender, receiver) = channel::<Vec<Message>>(MESSAGES);
        let receiver = Rc::new(Mutex::new(receiver));
        let mut workers = JoinSet::new();
        for _ in 0..WORKERS {
            workers.spawn_local(work(Rc::clone(&receiver), Rc::clone(&http), origin.clone()));
        }
        for batch in 0..MESSAGES / BATCH {
            // 37 and 100 have no common factor, so all endpoints get ten messages each and the composition of batches
            // changes.
            let endpoint = |at: usize| (batch * BATCH + at) * 37 % ENDPOINTS;
            let queued = runtime::now();
            let messages = (0..BATCH).map(|at| Message { endpoint: endpoint(at), queued });
            sender.send(messages.collect()).await.expect("somebody works");
            tokio::time::sleep(pause).await;
        }
        drop(sender);
        let mut waited: Vec<Duration> = workers.join_all().await.into_iter().flatten().collect();
        waited.sort_unstable();
        let at = |share: usize| waited[(waited.len() * share / 100).min(waited.len() - 1)];
        (at(50), at(99))
    })
}

async fn work(receiver: Rc<Mutex<Receiver<Vec<Message>>>>, http: Rc<Http>, origin: String) -> Vec<Duration> {
    let secrets = Secrets::of(Secret::new(Scheme::Hmac, vec![7; 32]).expect("32 bytes"));
    let mut waited = Vec::new();
    loop {
        let Some(batch) = receiver.lock().await.recv().await else { return waited };
        let mut sending = JoinSet::new();
        for Message { endpoint, queued } in batch {
            let body = "{\"type\":\"t\",\"data\":{}}";
            let request = Request::sign(&Key::from("k".to_owned()), body, &secrets, queued);
            let (http, url) = (Rc::clone(&http), format!("{origin}/{endpoint}"));
            sending.spawn_local(async move {
                http.post(&url, &request).await;
                let waited = Duration::try_from(runtime::now().duration_since(queued)).unwrap_or_default();
                (endpoint != DEAD_AT && endpoint != SLOW_AT).then_some(waited)
            });
        }
        waited.extend(sending.join_all().await.into_iter().flatten());
    }
}

/// Serves all endpoints, which differ by path.
async fn serve(sick: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::task::spawn_local(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::task::spawn_local(answer(stream, sick));
        }
    });
    origin
}

async fn answer(mut stream: TcpStream, sick: bool) {
    let mut head = vec![0; 4_096];
    let read = stream.read(&mut head).await.unwrap_or(0);
    let line = String::from_utf8_lossy(&head[..read]).into_owned();
    let endpoint = line.split(['/', ' ']).nth(2).and_then(|part| part.parse::<usize>().ok());
    let pause = match endpoint {
        Some(DEAD_AT) if sick => Duration::from_secs(60),
        Some(SLOW_AT) if sick => SLOW,
        _ => HEALTHY,
    };
    tokio::time::sleep(pause).await;
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await;
}
