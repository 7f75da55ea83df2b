//! The capture server: it plays the services that the local cloud has not, shows what they were sent, and brings the
//! receipts that the mailbox simulators of AWS would. It is the local issuer of tokens as well.
//!
//! It plays the ledger's stream too, see `player`. Functions reach it by the SDKs' own variables (`AWS_ENDPOINT_URL_SNS` and so on), which the template sets on the
//! local cloud only.

mod letters;
mod page;
mod play;
mod player;
mod postman;
mod record;

use std::convert::Infallible;
use std::path::Path;
use std::rc::Rc;

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
use super::sidecar::Sidecar;
use super::state::{FOLDER, State};
use letters::Passing;
use play::{Answer, Asked, play};
use record::Records;

/// More than the largest message of any service it plays: a letter with 10 MiB of files in base64.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// The process that runs it.
pub(super) const SIDECAR: Sidecar = Sidecar { what: server::CAPTURE, health: "/health", is_fixed: false };

/// Makes sure that it runs, as it was built last.
pub(super) fn start(state: &mut State) -> Result<(), Error> {
    if !state.capture.is_some_and(|capture| SIDECAR.runs(&capture)) {
        state.capture = Some(SIDECAR.start(state.capture, &["--cloud".to_owned(), state.endpoint()])?);
        state.save()?;
    }
    Ok(())
}

/// Serves until it is ended. Letters are handed on to `cloud`.
pub(super) async fn run(port: u16, cloud: &str, terminal: &Terminal) -> Done {
    let address = ("127.0.0.1", port);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| Error::usage(format!("port {port} cannot be used ({error})"), "name another"))?;
    let records = Rc::new(Records::open(&Path::new(FOLDER).join("captured.jsonl"))?);
    terminal.note(&format!("capturing on http://127.0.0.1:{port}"));
    let connections = LocalSet::new();
    connections.spawn_local(postman::run(Rc::clone(&records)));
    connections.spawn_local(player::run());
    let serving = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let (records, cloud) = (Rc::clone(&records), cloud.to_owned());
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| answer(request, &records, &cloud));
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
    cloud: &str,
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
            match (asked.method, asked.path) {
                ("POST", letters::PATH) => pass_on(&asked, records, cloud).await,
                ("GET", "/") => {
                    Answer::new(200, "text/html; charset=utf-8", page::of(&records.find(None, None)))
                }
                _ => play(&asked, records),
            }
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

/// Hands a letter on to the local cloud, and keeps it if it was taken.
async fn pass_on(asked: &Asked<'_>, records: &Records, cloud: &str) -> Answer {
    let headers = asked.headers.iter().filter(|(name, _)| !letters::OF_A_CONNECTION.contains(&name.as_str()));
    let headers =
        headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let headers = headers.collect();
    let passing = Passing { cloud: cloud.to_owned(), headers, body: asked.body.to_vec() };
    let answer = tokio::task::spawn_blocking(move || passing.hand_on()).await;
    let answer = answer.unwrap_or_else(|_| Answer::new(503, "text/plain", "no answer".to_owned()));
    letters::keep(asked.body, &answer, records);
    answer
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
    StreamBody::new(stream::iter(all.map(|all| Ok(Frame::data(all))))).boxed()
}
