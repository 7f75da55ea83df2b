//! The proxy between the functions and the local cloud. It keeps a journal of all calls and injects faults for tests.
//!
//! | | |
//! |---|---|
//! | `GET /_journal?after=N` | the calls after the Nth, as a JSON list |
//! | `GET /_faults` | the plan of faults, with counts |
//! | `PUT /_faults` | replaces the plan |
//! | `DELETE /_faults` | removes the plan |
//!
//! All other requests are forwarded: those of the first port to the local cloud, those of the second port to the capture
//! server, which emulates the providers. The proxy listens on 127.0.0.1 and kills only functions of the local cloud.

mod answer;
mod call;
mod caller;
mod fault;
mod journal;
mod parts;
mod signing;

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use cli::error::{Done, Error};
use cli::local_cloud::{Running, State};
use cli::terminal::Terminal;

use crate::local::sidecar::Sidecar;
use crate::local::{server, state};

use answer::{Answer, Body, throttled};
use call::{Call, attempt};
use caller::{Caller, Callers};
use fault::{Deed, Harm, Plan};
use journal::{Entry, Journal, resources};
use parts::Split;
use signing::sign_again;

/// The largest request, above the limits of all services.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// The longest wait of a reordered call for the next call.
const REORDER: Duration = Duration::from_secs(1);

/// The process of the proxy. Its port is in the environment of the functions.
pub(crate) const SIDECAR: Sidecar = Sidecar { command: "proxy --port", health: "/_proxy", is_fixed: true };

/// Starts the proxy in front of the port `to`, on its previous ports.
///
/// # Errors
/// The process does not start, or a port is taken.
pub(crate) fn start(before: Option<Running>, providers: Option<u16>, to: u16) -> Result<Started, Error> {
    let mut arguments = vec!["--to".to_owned(), to.to_string()];
    arguments
        .extend(providers.into_iter().flat_map(|provider| ["--providers".to_owned(), provider.to_string()]));
    let proxy = SIDECAR.start(before, &arguments)?;
    let health = server::get(&format!("http://127.0.0.1:{}{}", proxy.port, SIDECAR.health));
    let providers = health.and_then(|health| serde_json::from_str::<Health>(&health).ok());
    let providers =
        providers.ok_or_else(|| Error::Cloud("the proxy does not report its second port".to_owned()))?;
    Ok(Started { proxy, providers: providers.providers })
}

/// A started proxy: the process, and its port in front of the capture server.
pub(crate) struct Started {
    pub(crate) proxy: Running,
    pub(crate) providers: u16,
}

/// The answer of the health path.
#[derive(serde::Serialize, serde::Deserialize)]
struct Health {
    providers: u16,
    /// The number of calls so far.
    #[serde(default)]
    calls: u64,
}

/// Starts the proxy unless its newest build is running.
///
/// # Errors
/// The process does not start.
pub(crate) fn ensure(state: &mut State) -> Result<(), Error> {
    if state.providers.is_none() || !state.proxy.is_some_and(|proxy| SIDECAR.is_current(&proxy)) {
        let started = start(state.proxy, state.providers, state.port)?;
        (state.proxy, state.providers) = (Some(started.proxy), Some(started.providers));
        state::save(state)?;
    }
    Ok(())
}

/// The port of a call.
#[derive(Clone, Copy)]
enum Upstream {
    /// The first port, for the local cloud.
    Cloud,
    /// The second port, for the capture server.
    Providers,
}

struct Proxy {
    /// The local cloud's port on 127.0.0.1.
    to: u16,
    /// The proxy's own ports.
    port: u16,
    providers: u16,
    callers: Callers,
    plan: RefCell<Plan>,
    journal: Journal,
    /// Notified after each call.
    passed: Notify,
}

/// A call that the proxy forwards.
#[derive(Clone, Copy)]
struct Forwarded<'a> {
    head: &'a Parts,
    body: &'a Bytes,
    upstream: Upstream,
    call: &'a Call,
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct NoAnswer;

/// Serves until the process ends.
///
/// # Errors
/// A port is taken.
pub(crate) async fn run(port: u16, providers: Option<u16>, to: u16, terminal: &Terminal) -> Done {
    let listener = bind(port).await?;
    let second = bind(providers.map_or_else(server::free_port, Ok)?).await?;
    let providers = second.local_addr().map_err(|error| Error::Cloud(error.to_string()))?.port();
    terminal.note(&format!("forwarding http://127.0.0.1:{port} to port {to}"));
    let (plan, journal, passed) = (RefCell::default(), Journal::default(), Notify::new());
    let proxy = Rc::new(Proxy { to, port, providers, callers: Callers::default(), plan, journal, passed });
    let cloud = serve(&proxy, listener, Upstream::Cloud);
    let both = async { tokio::join!(cloud, serve(&proxy, second, Upstream::Providers)) };
    LocalSet::new().run_until(both).await.0
}

async fn bind(port: u16) -> Result<TcpListener, Error> {
    let bound = TcpListener::bind(("127.0.0.1", port)).await;
    bound.map_err(|error| Error::usage(format!("port {port} cannot be used ({error})"), "name another"))
}

async fn serve(proxy: &Rc<Proxy>, listener: TcpListener, upstream: Upstream) -> Done {
    loop {
        let Ok((stream, peer)) = listener.accept().await else { continue };
        let proxy = Rc::clone(proxy);
        tokio::task::spawn_local(async move {
            let caller = RefCell::new(None);
            let service = service_fn(|request| proxy.answer(request, peer, upstream, &caller));
            let connection = hyper::server::conn::http1::Builder::new();
            // A broken connection is expected: faults kill callers.
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Proxy {
    fn port(&self, upstream: Upstream) -> u16 {
        match upstream {
            Upstream::Cloud => self.port,
            Upstream::Providers => self.providers,
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        upstream: Upstream,
        caller: &RefCell<Option<Caller>>,
    ) -> Result<Response<Body>, NoAnswer> {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else { return Err(NoAnswer) };
        let body = body.to_bytes();
        if let Some(answer) = self.control(&head, &body) {
            return Ok(answer);
        }
        // Looked up once a connection, because its process stays the same.
        let found = caller.borrow().clone().or_else(|| self.callers.find(peer, self.port(upstream)));
        caller.borrow_mut().clone_from(&found);
        let function = found.as_ref().and_then(|caller| caller.function.clone());
        let call = Call::of(head.method.as_str(), head.uri.path(), &head.headers, &body, function);
        let harm = self.plan.borrow_mut().next(&call, &body);
        let forwarded = Forwarded { head: &head, body: &body, upstream, call: &call };
        let answer = self.apply(&forwarded, harm, found.as_ref()).await;
        let fault = harm.map(|harm| harm.deed);
        self.passed.notify_waiters();
        self.journal.add(Entry {
            number: 0,
            at: runtime::now(),
            things: resources(&body),
            parts: parts::count(&call.action, &body),
            attempt: attempt(&head.headers),
            asked: body.len(),
            answered: answer.as_ref().map_or(0, |answer| answer.body.len()),
            status: answer.as_ref().map(|answer| answer.status.as_u16()),
            fault,
            call,
        });
        match (answer, fault) {
            (Some(_), Some(Deed::DropReply | Deed::KillAfter)) | (None, _) => Err(NoAnswer),
            (Some(answer), Some(Deed::Truncate)) => Ok(answer.half()),
            (Some(answer), _) => Ok(answer.whole()),
        }
    }

    async fn apply(
        &self,
        call: &Forwarded<'_>,
        harm: Option<Harm>,
        caller: Option<&Caller>,
    ) -> Option<Answer> {
        let Some(harm) = harm else { return self.forward(call).await };
        match harm.deed {
            Deed::Delay => {
                tokio::time::sleep(Duration::from_millis(harm.millis)).await;
                self.forward(call).await
            }
            Deed::Reorder => {
                let _ = tokio::time::timeout(REORDER, self.passed.notified()).await;
                self.forward(call).await
            }
            Deed::Duplicate => {
                self.forward(call).await;
                self.forward(call).await
            }
            Deed::Drop => None,
            Deed::Throttle => Some(throttled(&call.head.headers)),
            Deed::Error => Some(Answer::of(500, r#"{"__type":"InternalFailure","message":"a fault"}"#)),
            Deed::DropReply | Deed::Truncate => self.forward(call).await,
            Deed::KillBefore => {
                caller?.kill();
                None
            }
            Deed::FailSome => self.forward_some(call, harm.turn, caller).await,
            Deed::KillAfter => {
                let answer = self.forward(call).await;
                caller?.kill();
                answer
            }
        }
    }

    /// Forwards every other entry of a batch call. The answer reports the rest as failed.
    async fn forward_some(&self, call: &Forwarded<'_>, turn: u64, caller: Option<&Caller>) -> Option<Answer> {
        let Some(split) = Split::of(call.call, call.body, turn) else { return self.forward(call).await };
        let answer = match &split.rest {
            Some(rest) => {
                let mut head = call.head.clone();
                head.headers = sign_again(call.head, rest, &call.call.service, caller)?;
                Some(self.forward(&Forwarded { body: rest, head: &head, ..*call }).await?)
            }
            None => None,
        };
        match answer {
            Some(answer) if answer.status != StatusCode::OK => Some(answer),
            answer => {
                let body = answer.as_ref().map(|answer| answer.body.as_ref());
                Some(Answer::of(200, &split.answer(body)?))
            }
        }
    }

    /// Forwards a call and returns the answer.
    async fn forward(&self, Forwarded { head, body, upstream, .. }: &Forwarded<'_>) -> Option<Answer> {
        let to = match upstream {
            Upstream::Cloud => self.to,
            // Read for each call, because the capture server can restart on another port.
            Upstream::Providers => State::load().ok()??.capture?.port,
        };
        let stream = TcpStream::connect(("127.0.0.1", to)).await.ok()?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::task::spawn_local(connection);
        let mut request = Request::new(Full::new(Bytes::clone(body)));
        *request.method_mut() = head.method.clone();
        *request.uri_mut() = head.uri.path_and_query()?.as_str().parse().ok()?;
        *request.headers_mut() = head.headers.clone();
        request.headers_mut().remove(TRANSFER_ENCODING);
        request.headers_mut().insert(CONTENT_LENGTH, body.len().into());
        // The caller signed this host's name. The local cloud runs on the same machine.
        if !request.headers().contains_key(HOST) {
            request.headers_mut().insert(HOST, hyper::header::HeaderValue::from_static("127.0.0.1"));
        }
        let (parts, body) = sender.send_request(request).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// The answer to a request for the proxy itself.
    fn control(&self, head: &Parts, body: &Bytes) -> Option<Response<Body>> {
        let json = |text: String| Answer::of(200, &text).whole();
        let answer = match (head.uri.path(), &head.method) {
            ("/_proxy", &Method::GET) => {
                let health = Health { providers: self.providers, calls: self.journal.count() };
                json(serde_json::to_string(&health).unwrap_or_default())
            }
            ("/_journal", &Method::GET) => {
                let query = head.uri.query().unwrap_or_default();
                let after = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after");
                let after = after.and_then(|(_, number)| number.parse().ok()).unwrap_or_default();
                json(serde_json::to_string(&self.journal.after(after)).unwrap_or_default())
            }
            ("/_faults", &Method::GET) => {
                json(serde_json::to_string(&*self.plan.borrow()).unwrap_or_default())
            }
            ("/_faults", &Method::PUT) => match serde_json::from_slice(body) {
                Ok(plan) => {
                    *self.plan.borrow_mut() = plan;
                    json("{}".to_owned())
                }
                Err(error) => Answer::of(400, &format!("no plan of faults: {error}\n")).whole(),
            },
            ("/_faults", &Method::DELETE) => {
                *self.plan.borrow_mut() = Plan::default();
                json("{}".to_owned())
            }
            _ => return None,
        };
        Some(answer)
    }
}
