//! The proxy between the functions and the local cloud: it keeps a journal of every call, and does harm where it is asked
//! to, so that what happens then can be seen.
//!
//! | | |
//! |---|---|
//! | `GET /_journal?after=N` | the calls after the Nth, as a JSON list |
//! | `GET /_faults` · `PUT /_faults` · `DELETE /_faults` | the plan of faults, with what was done · another one · none |
//!
//! Everything else goes on: what comes to its port to the local cloud, what comes to its second port to the capture server,
//! which plays the providers. It listens on 127.0.0.1 and kills nobody but the local cloud's functions.

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

use crate::error::{Done, Error};
use crate::terminal::Terminal;

use super::server;
use super::sidecar::Sidecar;
use super::state::{Running, State};
use answer::{Answer, Body, throttled};
use call::{Call, attempt};
use caller::{Caller, Callers};
use fault::{Deed, Harm, Plan};
use journal::{Entry, Journal, things};
use parts::Split;
use signing::sign_again;

/// More than the largest request of any service.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// How long a call that goes on after the next one waits for that.
const REORDER: Duration = Duration::from_secs(1);

/// The process that runs it. Functions know its port from their environment.
pub(super) const SIDECAR: Sidecar = Sidecar { what: server::PROXY, health: "/_proxy", is_fixed: true };

/// Starts it in front of this port. Both of its own stay what they were.
pub(super) fn start(before: Option<Running>, providers: Option<u16>, to: u16) -> Result<Proxied, Error> {
    let mut arguments = vec!["--to".to_owned(), to.to_string()];
    arguments
        .extend(providers.into_iter().flat_map(|provider| ["--providers".to_owned(), provider.to_string()]));
    let proxy = SIDECAR.start(before, &arguments)?;
    let said = server::ask(&format!("http://127.0.0.1:{}{}", proxy.port, SIDECAR.health));
    let providers = said.and_then(|said| serde_json::from_str::<Doors>(&said).ok());
    let providers =
        providers.ok_or_else(|| Error::Cloud("the proxy does not say its second port".to_owned()))?;
    Ok(Proxied { proxy, providers: providers.providers })
}

/// The process, and its port in front of the capture server.
pub(super) struct Proxied {
    pub(super) proxy: Running,
    pub(super) providers: u16,
}

/// What it says of itself.
#[derive(serde::Serialize, serde::Deserialize)]
struct Doors {
    providers: u16,
    /// How many calls went by.
    #[serde(default)]
    calls: u64,
}

/// Makes sure that it runs, as it was built last, where it ran before.
pub(super) fn keep(state: &mut State) -> Result<(), Error> {
    if state.providers.is_none() || !state.proxy.is_some_and(|proxy| SIDECAR.runs(&proxy)) {
        let started = start(state.proxy, state.providers, state.port)?;
        (state.proxy, state.providers) = (Some(started.proxy), Some(started.providers));
        state.save()?;
    }
    Ok(())
}

/// Where a call came in.
#[derive(Clone, Copy)]
enum Door {
    /// It is for the local cloud.
    Cloud,
    /// It is for the capture server.
    Providers,
}

struct Proxy {
    /// The local cloud, on 127.0.0.1.
    to: u16,
    /// Its own ports.
    port: u16,
    providers: u16,
    callers: Callers,
    plan: RefCell<Plan>,
    journal: Journal,
    /// Told when a call has gone by.
    passed: Notify,
}

/// A call on its way.
#[derive(Clone, Copy)]
struct Onward<'a> {
    head: &'a Parts,
    body: &'a Bytes,
    door: Door,
    call: &'a Call,
}

/// No answer: the connection is closed.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct NoAnswer;

/// Serves until it is ended.
pub(super) async fn run(port: u16, providers: Option<u16>, to: u16, terminal: &Terminal) -> Done {
    let listener = bind(port).await?;
    let second = bind(providers.map_or_else(server::free_port, Ok)?).await?;
    let providers = second.local_addr().map_err(|error| Error::Cloud(error.to_string()))?.port();
    terminal.note(&format!("passing http://127.0.0.1:{port} on to port {to}"));
    let (plan, journal, passed) = (RefCell::default(), Journal::default(), Notify::new());
    let proxy = Rc::new(Proxy { to, port, providers, callers: Callers::default(), plan, journal, passed });
    let cloud = serve(&proxy, listener, Door::Cloud);
    let both = async { tokio::join!(cloud, serve(&proxy, second, Door::Providers)) };
    LocalSet::new().run_until(both).await.0
}

async fn bind(port: u16) -> Result<TcpListener, Error> {
    let bound = TcpListener::bind(("127.0.0.1", port)).await;
    bound.map_err(|error| Error::usage(format!("port {port} cannot be used ({error})"), "name another"))
}

async fn serve(proxy: &Rc<Proxy>, listener: TcpListener, door: Door) -> Done {
    loop {
        let Ok((stream, peer)) = listener.accept().await else { continue };
        let proxy = Rc::clone(proxy);
        tokio::task::spawn_local(async move {
            let caller = RefCell::new(None);
            let service = service_fn(|request| proxy.answer(request, peer, door, &caller));
            let connection = hyper::server::conn::http1::Builder::new();
            // A caller that goes away in the middle, or is killed, is what this is for.
            let _ = connection.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

impl Proxy {
    fn port(&self, door: Door) -> u16 {
        match door {
            Door::Cloud => self.port,
            Door::Providers => self.providers,
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        door: Door,
        caller: &RefCell<Option<Caller>>,
    ) -> Result<Response<Body>, NoAnswer> {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else { return Err(NoAnswer) };
        let body = body.to_bytes();
        if let Some(answer) = self.control(&head, &body) {
            return Ok(answer);
        }
        // Asked once for a connection: a process does not change.
        let who = caller.borrow().clone().or_else(|| self.callers.of(peer, self.port(door)));
        caller.borrow_mut().clone_from(&who);
        let function = who.as_ref().and_then(|who| who.function.clone());
        let call = Call::of(head.method.as_str(), head.uri.path(), &head.headers, &body, function);
        let harm = self.plan.borrow_mut().next(&call, &body);
        let onward = Onward { head: &head, body: &body, door, call: &call };
        let answer = self.carry_out(&onward, harm, who.as_ref()).await;
        let fault = harm.map(|harm| harm.deed);
        self.passed.notify_waiters();
        self.journal.write(Entry {
            number: 0,
            at: runtime::now(),
            things: things(&body),
            parts: parts::count(&call.action, &body),
            attempt: attempt(&head.headers),
            asked: body.len(),
            answered: answer.as_ref().map_or(0, |it| it.body.len()),
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

    async fn carry_out(&self, it: &Onward<'_>, harm: Option<Harm>, who: Option<&Caller>) -> Option<Answer> {
        let Some(harm) = harm else { return self.pass(it).await };
        match harm.deed {
            Deed::Delay => {
                tokio::time::sleep(Duration::from_millis(harm.millis)).await;
                self.pass(it).await
            }
            Deed::Reorder => {
                let _ = tokio::time::timeout(REORDER, self.passed.notified()).await;
                self.pass(it).await
            }
            Deed::Duplicate => {
                self.pass(it).await;
                self.pass(it).await
            }
            Deed::Drop => None,
            Deed::Throttle => Some(throttled(&it.head.headers)),
            Deed::Error => Some(Answer::of(500, r#"{"__type":"InternalFailure","message":"a fault"}"#)),
            Deed::DropReply | Deed::Truncate => self.pass(it).await,
            Deed::KillBefore => {
                who?.kill();
                None
            }
            Deed::FailSome => self.pass_some(it, harm.turn, who).await,
            Deed::KillAfter => {
                let answer = self.pass(it).await;
                who?.kill();
                answer
            }
        }
    }

    /// A part of what a call carries goes on; the answer has a no for the rest.
    async fn pass_some(&self, it: &Onward<'_>, turn: u64, who: Option<&Caller>) -> Option<Answer> {
        let Some(split) = Split::of(it.call, it.body, turn) else { return self.pass(it).await };
        let said = match &split.rest {
            Some(rest) => {
                let mut head = it.head.clone();
                head.headers = sign_again(it.head, rest, &it.call.service, who)?;
                Some(self.pass(&Onward { body: rest, head: &head, ..*it }).await?)
            }
            None => None,
        };
        match said {
            Some(said) if said.status != StatusCode::OK => Some(said),
            said => Some(Answer::of(200, &split.answer(said.as_ref().map(|said| said.body.as_ref()))?)),
        }
    }

    /// To where it is meant for and back.
    async fn pass(&self, Onward { head, body, door, .. }: &Onward<'_>) -> Option<Answer> {
        let to = match door {
            Door::Cloud => self.to,
            // It may be started after this, and again elsewhere.
            Door::Providers => State::load().ok()??.capture?.port,
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
        // It signed this host's name; what the cloud calls itself is the same machine.
        if !request.headers().contains_key(HOST) {
            request.headers_mut().insert(HOST, hyper::header::HeaderValue::from_static("127.0.0.1"));
        }
        let (parts, body) = sender.send_request(request).await.ok()?.into_parts();
        let body = body.collect().await.ok()?.to_bytes();
        Some(Answer { status: parts.status, headers: parts.headers, body })
    }

    /// What is asked of the proxy itself.
    fn control(&self, head: &Parts, body: &Bytes) -> Option<Response<Body>> {
        let json = |text: String| Answer::of(200, &text).whole();
        let answer = match (head.uri.path(), &head.method) {
            ("/_proxy", &Method::GET) => {
                let doors = Doors { providers: self.providers, calls: self.journal.count() };
                json(serde_json::to_string(&doors).unwrap_or_default())
            }
            ("/_journal", &Method::GET) => {
                let query = head.uri.query().unwrap_or_default();
                let after = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "after");
                let after = after.and_then(|(_, it)| it.parse().ok()).unwrap_or_default();
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
