//! The capture server: it plays the services that the local cloud has not, and shows what they were sent.
//!
//! Functions reach it by the SDKs' own variables (`AWS_ENDPOINT_URL_SNS` and so on), which the template sets on the
//! local cloud only.

mod play;
mod record;

use std::convert::Infallible;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full, Limited, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::task::LocalSet;

use crate::error::{Done, Error};
use crate::terminal::Terminal;

use super::server;
use super::state::{FOLDER, Running, State};
use play::{Answer, Asked, play};
use record::Records;

/// More than the largest message of any service it plays: WhatsApp's 2,048,000 bytes in base64.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// How long the process may take to answer.
const TO_START: Duration = Duration::from_secs(10);

/// Makes sure that this very program runs, where it ran before if that can be.
pub(super) fn start(state: &mut State) -> Result<(), Error> {
    let program = std::env::current_exe().map_err(|error| Error::read(Path::new("carillon"), error))?;
    let built = built(&program);
    let runs = |it: &Running| {
        it.built == built && server::is_running(it.pid, server::CAPTURE) && server::responds(&health(it.port))
    };
    if state.capture.as_ref().is_some_and(runs) {
        return Ok(());
    }
    if let Some(it) = &state.capture {
        server::end(it.pid, server::CAPTURE);
    }
    let before = state.capture.map(|it| it.port).filter(|it| TcpListener::bind(("127.0.0.1", *it)).is_ok());
    let port = before.map_or_else(server::free_port, Ok)?;
    state.capture = Some(Running { pid: spawn(&program, port)?, port, built });
    // Saved at once: what is started can be stopped, whatever happens next.
    state.save()?;
    let begun = runtime::now();
    while !server::responds(&health(port)) {
        if runtime::now().duration_since(begun) > TO_START.try_into().unwrap_or(jiff::SignedDuration::MAX) {
            return Err(Error::Cloud(format!("the capture server does not answer on port {port}")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn health(port: u16) -> String {
    format!("http://127.0.0.1:{port}/health")
}

fn built(program: &Path) -> u64 {
    let modified = program.metadata().and_then(|it| it.modified()).ok();
    modified.and_then(|it| it.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |it| it.as_secs())
}

fn spawn(program: &Path, port: u16) -> Result<u32, Error> {
    let child = Command::new(program)
        .args(["local", "capture", "--port", &port.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // A Ctrl-C in this terminal is meant for the command, not for the server.
        .process_group(0)
        .spawn()
        .map_err(|error| Error::read(program, error))?;
    Ok(child.id())
}

/// Serves until it is ended.
pub(super) async fn run(port: u16, terminal: &Terminal) -> Done {
    let address = ("127.0.0.1", port);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| Error::usage(format!("port {port} cannot be used ({error})"), "name another"))?;
    let records = Rc::new(Records::open(&Path::new(FOLDER).join("captured.jsonl"))?);
    terminal.note(&format!("capturing on http://127.0.0.1:{port}"));
    let connections = LocalSet::new();
    let serving = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let records = Rc::clone(&records);
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| answer(request, &records));
                // A client that goes away in the middle is none of our business.
                let _ = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
            });
        }
    };
    connections.run_until(serving).await
}

async fn answer(
    request: Request<Incoming>,
    records: &Records,
) -> Result<Response<BoxBody<Bytes, Infallible>>, Infallible> {
    let (head, body) = request.into_parts();
    let answer = match Limited::new(body, MAX_BODY_BYTES).collect().await {
        Ok(body) => {
            let body = body.to_bytes();
            let asked = Asked {
                method: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query().unwrap_or_default(),
                headers: &head.headers,
                body: &body,
            };
            play(&asked, records)
        }
        Err(_) => Answer::new(413, "text/plain", format!("more than {MAX_BODY_BYTES} bytes")),
    };
    tokio::time::sleep(answer.after).await;
    let mut response = Response::new(body_of(answer.body, answer.padding));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(answer.kind));
    if let Some((name, value)) = answer.header
        && let Ok(value) = HeaderValue::try_from(value)
    {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// A text, or a text and as much of nothing as is asked for, made while it is read.
fn body_of(text: String, padding: u64) -> BoxBody<Bytes, Infallible> {
    const NOTHING: &[u8] = &[b' '; 64 * 1024];
    if padding == 0 {
        return Full::from(text).boxed();
    }
    let chunks = usize::try_from(padding).unwrap_or(usize::MAX) / NOTHING.len();
    let padding = std::iter::repeat_n(Bytes::from_static(NOTHING), chunks);
    let all = std::iter::once(Bytes::from(text)).chain(padding);
    StreamBody::new(stream::iter(all.map(|it| Ok(Frame::data(it))))).boxed()
}
