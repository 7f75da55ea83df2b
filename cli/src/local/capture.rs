//! The capture server: it plays the services that the local cloud has not, shows what they were sent, and brings the
//! receipts that the mailbox simulators of AWS would. It is the local issuer of tokens as well.
//!
//! It plays the ledger's stream too, see `player`. Functions reach it by the SDKs' own variables (`AWS_ENDPOINT_URL_SNS` and so on), which the template sets on the
//! local cloud only.

mod play;
mod player;
mod postman;
mod record;

use std::path::Path;
use std::rc::Rc;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::CONTENT_TYPE;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::task::LocalSet;

use crate::error::{Done, Error};
use crate::terminal::Terminal;

use super::server;
use super::sidecar::Sidecar;
use super::state::{FOLDER, State};
use play::{Answer, Asked, play};
use record::Records;

/// More than the largest message of any service it plays: WhatsApp's 2,048,000 bytes in base64.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// The process that runs it.
const SIDECAR: Sidecar = Sidecar { what: server::CAPTURE, health: "/health", is_fixed: false };

/// Makes sure that it runs, as it was built last.
pub(super) fn start(state: &mut State) -> Result<(), Error> {
    if !state.capture.is_some_and(|it| SIDECAR.runs(&it)) {
        state.capture = Some(SIDECAR.start(state.capture, &[])?);
        state.save()?;
    }
    Ok(())
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
    connections.spawn_local(postman::run(Rc::clone(&records)));
    connections.spawn_local(player::run());
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
) -> Result<Response<Full<Bytes>>, std::convert::Infallible> {
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
    let mut response = Response::new(Full::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(answer.kind));
    Ok(response)
}
