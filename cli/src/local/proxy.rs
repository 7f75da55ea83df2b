//! The proxy between the functions and the local cloud: it keeps a journal of every call, and does harm where it is asked
//! to, so that what happens then can be seen.
//!
//! | | |
//! |---|---|
//! | `GET /_journal?after=N` | the calls after the Nth, as a JSON list |
//! | `GET /_faults` · `PUT /_faults` · `DELETE /_faults` | the plan of faults, with what was done · another one · none |
//!
//! Everything else goes on to the local cloud. It listens on 127.0.0.1 and kills nobody but the local cloud's functions.

mod call;
mod caller;
mod fault;
mod journal;

use std::cell::RefCell;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, TRANSFER_ENCODING};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::LocalSet;

use crate::error::{Done, Error};
use crate::terminal::Terminal;

use super::server;
use super::sidecar::Sidecar;
use super::state::{Running, State};
use call::Call;
use caller::Caller;
use fault::{Deed, Plan};
use journal::{Entry, Journal, things};

/// More than the largest request of any service.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// How long a call that goes on after the next one waits for that.
const REORDER: Duration = Duration::from_secs(1);

/// The process that runs it. Functions know its port from their environment.
const SIDECAR: Sidecar = Sidecar { what: server::PROXY, health: "/_proxy", is_fixed: true };

/// Starts it in front of this port.
pub(super) fn start(before: Option<Running>, to: u16) -> Result<Running, Error> {
    SIDECAR.start(before, &["--to".to_owned(), to.to_string()])
}

/// Makes sure that it runs, as it was built last, where it ran before.
pub(super) fn keep(state: &mut State) -> Result<(), Error> {
    if !state.proxy.is_some_and(|it| SIDECAR.runs(&it)) {
        state.proxy = Some(start(state.proxy, state.port)?);
        state.save()?;
    }
    Ok(())
}

type Body = UnsyncBoxBody<Bytes, io::Error>;

struct Proxy {
    /// The local cloud, on 127.0.0.1.
    to: u16,
    plan: RefCell<Plan>,
    journal: Journal,
    /// Told when a call has gone by.
    passed: Notify,
}

/// What the cloud said.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// No answer: the connection is closed.
#[derive(Debug, thiserror::Error)]
#[error("no answer")]
struct NoAnswer;

/// Serves until it is ended.
pub(super) async fn run(port: u16, to: u16, terminal: &Terminal) -> Done {
    let listener = TcpListener::bind(("127.0.0.1", port))
        .await
        .map_err(|error| Error::usage(format!("port {port} cannot be used ({error})"), "name another"))?;
    terminal.note(&format!("passing http://127.0.0.1:{port} on to port {to}"));
    let proxy =
        Rc::new(Proxy { to, plan: RefCell::default(), journal: Journal::default(), passed: Notify::new() });
    let serving = async {
        loop {
            let Ok((stream, peer)) = listener.accept().await else { continue };
            let proxy = Rc::clone(&proxy);
            tokio::task::spawn_local(async move {
                let caller = RefCell::new(None);
                let service = service_fn(|request| proxy.answer(request, peer, &caller));
                let connection = hyper::server::conn::http1::Builder::new();
                // A caller that goes away in the middle, or is killed, is what this is for.
                let _ = connection.serve_connection(TokioIo::new(stream), service).await;
            });
        }
    };
    LocalSet::new().run_until(serving).await
}

impl Proxy {
    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        caller: &RefCell<Option<Caller>>,
    ) -> Result<Response<Body>, NoAnswer> {
        let (head, body) = request.into_parts();
        let Ok(body) = Limited::new(body, MAX_BODY_BYTES).collect().await else { return Err(NoAnswer) };
        let body = body.to_bytes();
        if let Some(answer) = self.control(&head, &body) {
            return Ok(answer);
        }
        // Asked once for a connection: a process does not change.
        let who = caller.borrow().clone().or_else(|| Caller::of(peer));
        caller.borrow_mut().clone_from(&who);
        let function = who.as_ref().and_then(|it| it.function.clone());
        let call = Call::of(head.method.as_str(), head.uri.path(), &head.headers, &body, function);
        let fault = self.plan.borrow_mut().next(&call, &body);
        let answer = self.carry_out(&head, &body, fault, who.as_ref()).await;
        self.passed.notify_waiters();
        self.journal.write(Entry {
            number: 0,
            at: runtime::now(),
            things: things(&body),
            asked: body.len(),
            answered: answer.as_ref().map_or(0, |it| it.body.len()),
            status: answer.as_ref().map(|it| it.status.as_u16()),
            fault: fault.map(|(deed, _)| deed),
            call,
        });
        match (answer, fault) {
            (Some(_), Some((Deed::DropReply | Deed::KillAfter, _))) | (None, _) => Err(NoAnswer),
            (Some(answer), Some((Deed::Truncate, _))) => Ok(answer.half()),
            (Some(answer), _) => Ok(answer.whole()),
        }
    }

    async fn carry_out(
        &self,
        head: &Parts,
        body: &Bytes,
        fault: Option<(Deed, u64)>,
        who: Option<&Caller>,
    ) -> Option<Answer> {
        let Some((deed, millis)) = fault else { return self.pass(head, body).await };
        match deed {
            Deed::Delay => {
                tokio::time::sleep(Duration::from_millis(millis)).await;
                self.pass(head, body).await
            }
            Deed::Reorder => {
                let _ = tokio::time::timeout(REORDER, self.passed.notified()).await;
                self.pass(head, body).await
            }
            Deed::Duplicate => {
                self.pass(head, body).await;
                self.pass(head, body).await
            }
            Deed::Drop => None,
            Deed::Throttle => Some(throttled(&head.headers)),
            Deed::Error => Some(Answer::of(500, r#"{"__type":"InternalFailure","message":"a fault"}"#)),
            Deed::DropReply | Deed::Truncate => self.pass(head, body).await,
            Deed::KillBefore => {
                who?.kill();
                None
            }
            Deed::KillAfter => {
                let answer = self.pass(head, body).await;
                who?.kill();
                answer
            }
        }
    }

    /// To the local cloud and back.
    async fn pass(&self, head: &Parts, body: &Bytes) -> Option<Answer> {
        let stream = TcpStream::connect(("127.0.0.1", self.to)).await.ok()?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.ok()?;
        tokio::task::spawn_local(connection);
        let mut request = Request::new(Full::new(body.clone()));
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
            ("/_proxy", &Method::GET) => json("{}".to_owned()),
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

/// The service's own word for too many calls.
fn throttled(headers: &HeaderMap) -> Answer {
    let target = headers.get("x-amz-target").and_then(|it| it.to_str().ok()).unwrap_or_default();
    let kind = match target.split('.').next().unwrap_or_default() {
        it if it.starts_with("DynamoDB") => {
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
        }
        "AmazonSQS" => "com.amazonaws.sqs#RequestThrottled",
        "" => {
            let mut answer = Answer::of(429, r#"{"message":"Too Many Requests"}"#);
            let kind = hyper::header::HeaderValue::from_static("TooManyRequestsException");
            answer.headers.insert("x-amzn-errortype", kind);
            return answer;
        }
        _ => "ThrottlingException",
    };
    Answer::of(400, &format!(r#"{{"__type":"{kind}","message":"a fault"}}"#))
}

impl Answer {
    fn of(status: u16, text: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/x-amz-json-1.0"));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Answer { status, headers, body: Bytes::copy_from_slice(text.as_bytes()) }
    }

    fn whole(self) -> Response<Body> {
        let body = Full::new(self.body.clone()).map_err(|never: Infallible| match never {}).boxed_unsync();
        self.with(body)
    }

    /// The first half, and then the connection breaks.
    fn half(self) -> Response<Body> {
        let half = self.body.slice(..self.body.len() / 2);
        let frames = [Ok(Frame::data(half)), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
        let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
        self.with(body)
    }

    fn with(self, body: Body) -> Response<Body> {
        let length = self.body.len();
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().remove(TRANSFER_ENCODING);
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        response
    }
}
