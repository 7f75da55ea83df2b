//! The capture server. It emulates the services that the local cloud lacks, records their requests, sends the receipts of
//! AWS's mailbox simulator, and publishes the token issuer's keys.
//!
//! [`stream_poller`] emulates the ledger's stream. Functions find this server by the SDKs' endpoint variables
//! (`AWS_ENDPOINT_URL_SNS` and so on), which the template sets on the local cloud only.

mod emails;
mod emulators;
mod page;
mod receipt_sender;
mod records;
mod stream_poller;

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

use cli::error::{Done, Error};
use cli::local_cloud::{FOLDER, State};
use cli::terminal::Terminal;

use crate::local::sidecar::Sidecar;
use crate::local::state;

use emails::ForwardedEmail;
use emulators::{Answer, Request as EmulatedRequest, answer as emulate};
use records::Records;

/// The largest request: an e-mail with 10 MiB of attachments in base64.
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

/// The process of the capture server.
pub(crate) const SIDECAR: Sidecar = Sidecar { command: "capture --port", health: "/health", is_fixed: false };

/// Starts the capture server unless its newest build is running.
///
/// # Errors
/// The process does not start.
pub(crate) fn ensure(state: &mut State) -> Result<(), Error> {
    if !state.capture.is_some_and(|capture| SIDECAR.is_current(&capture)) {
        state.capture = Some(SIDECAR.start(state.capture, &["--cloud".to_owned(), state.endpoint()])?);
        state::save(state)?;
    }
    Ok(())
}

/// Serves until the process ends. E-mails are forwarded to `cloud`.
///
/// # Errors
/// The port is taken, or the file of records cannot be written.
pub(crate) async fn run(port: u16, cloud: &str, terminal: &Terminal) -> Done {
    let address = ("127.0.0.1", port);
    let listener = tokio::net::TcpListener::bind(address)
        .await
        .map_err(|error| Error::usage(format!("port {port} cannot be used ({error})"), "name another"))?;
    let records = Rc::new(Records::open(&Path::new(FOLDER).join("captured.jsonl"))?);
    terminal.note(&format!("capturing on http://127.0.0.1:{port}"));
    let connections = LocalSet::new();
    connections.spawn_local(receipt_sender::run(Rc::clone(&records)));
    connections.spawn_local(stream_poller::run());
    let serving = async {
        loop {
            let Ok((stream, _)) = listener.accept().await else { continue };
            let (records, cloud) = (Rc::clone(&records), cloud.to_owned());
            tokio::task::spawn_local(async move {
                let service = service_fn(|request| answer(request, &records, &cloud));
                // A broken connection is no error.
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
            let request = EmulatedRequest {
                method: head.method.as_str(),
                path: head.uri.path(),
                query: head.uri.query().unwrap_or_default(),
                headers: &head.headers,
                body: &body,
            };
            match (request.method, request.path) {
                ("POST", emails::PATH) => forward_email(&request, records, cloud).await,
                ("GET", "/") => {
                    Answer::new(200, "text/html; charset=utf-8", page::of(&records.find(None, None)))
                }
                _ => emulate(&request, records),
            }
        }
        Err(_) => Answer::new(413, "text/plain", format!("more than {MAX_BODY_BYTES} bytes")),
    };
    tokio::time::sleep(answer.delay).await;
    let mut response = Response::new(body_of(answer.body, answer.padding));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if let Some((name, value)) = answer.header
        && let Ok(value) = HeaderValue::try_from(value)
    {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}

/// Forwards an e-mail to the local cloud, and records an accepted one.
async fn forward_email(request: &EmulatedRequest<'_>, records: &Records, cloud: &str) -> Answer {
    let headers =
        request.headers.iter().filter(|(name, _)| !emails::CONNECTION_HEADERS.contains(&name.as_str()));
    let headers =
        headers.filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    let headers = headers.collect();
    let email = ForwardedEmail { cloud: cloud.to_owned(), headers, body: request.body.to_vec() };
    let answer = tokio::task::spawn_blocking(move || email.forward()).await;
    let answer = answer.unwrap_or_else(|_| Answer::new(503, "text/plain", "no answer".to_owned()));
    emails::record(request.body, &answer, records);
    answer
}

/// A body: a text, followed by this many bytes of padding, which are generated while the client reads.
fn body_of(text: String, padding: u64) -> BoxBody<Bytes, Infallible> {
    const PADDING: &[u8] = &[b' '; 64 * 1024];
    if padding == 0 {
        return Full::from(text).boxed();
    }
    let chunks = usize::try_from(padding).unwrap_or(usize::MAX) / PADDING.len();
    let padding = std::iter::repeat_n(Bytes::from_static(PADDING), chunks);
    let all = std::iter::once(Bytes::from(text)).chain(padding);
    StreamBody::new(stream::iter(all.map(|bytes| Ok(Frame::data(bytes))))).boxed()
}
