//! Sends one request to an external server: only to checked addresses, with time and size limits.
//!
//! The module uses hyper and rustls directly, with one connection for each request. A higher-level
//! client follows redirects, uses proxies and pools connections by name, all of which would have to be
//! disabled.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::base::sensitive::Sensitive;
use domain::webhook::endpoint::attempt::{Answer, Wish, retry_after};
use domain::webhook::endpoint::challenge;
use domain::webhook::endpoint::target::{Allow, Blocked, HostName, Target};
use futures_util::future::{Either, select};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT_ENCODING, CONTENT_TYPE, HOST, HeaderValue, USER_AGENT};
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;

mod names;

pub use names::Names;

/// The time limit from name resolution to the end of the answer's headers.
///
/// Source: svix, the time that its cloud gives an endpoint.
const TOTAL: Duration = Duration::from_secs(15);

/// The time limit of the body, within [`TOTAL`]. The status is known by then.
pub const TO_READ_BODY: Duration = Duration::from_secs(3);

/// The time limits of name resolution and of connecting, within [`TOTAL`].
const TO_LOOK_UP: Duration = Duration::from_secs(5);
const TO_CONNECT: Duration = Duration::from_secs(10);

/// A connection attempt that fails within this time is repeated at once, because no request was sent. A
/// request whose connection broke before the answer may have been read, and waits for its next attempt.
const INSTANT: Duration = Duration::from_secs(1);

/// How much of an answer is read and stored.
const MAX_READ_BYTES: usize = 64 * 1024;
const MAX_KEPT_BYTES: usize = 20_000;

/// How much of a redirect's `Location` is stored.
pub const MAX_LOCATION_CHARS: usize = 300;

/// The size limit of an answer's headers.
const MAX_HEAD_BYTES: usize = 32 * 1024;

/// A request with a body.
pub struct Request<'a> {
    /// Names and values. A value may hold a token.
    pub headers: Vec<(&'a str, Sensitive<&'a str>)>,
    pub content_type: &'static str,
    pub body: Sensitive<Bytes>,
    /// The answer's header with the id of the request or the message, if the provider documents one.
    pub id_header: Option<&'static str>,
}

/// The HTTP client for endpoints and providers.
pub struct Http {
    tls: TlsConnector,
    names: Names,
    allow: Allow,
}

/// The result of a request.
pub struct Reply {
    pub answer: Answer,
    /// Why there was no answer, in terms that reveal no detail of our network to a tenant.
    pub error: Option<&'static str>,
    /// The body of the answer, or why it is not stored.
    pub response: Option<Sensitive<String>>,
    /// The header that can answer a challenge.
    pub challenge: Option<Sensitive<String>>,
    /// The value of [`Request::id_header`].
    pub id: Option<String>,
    /// Whether the server may have received the request. False if no connection was made or the target is blocked.
    pub maybe_received: bool,
    /// The target of a redirect without its query, which may contain a secret. Redirects are not
    /// followed.
    pub location: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum NoAnswer {
    #[error("{0}")]
    Blocked(#[from] Blocked),
    #[error("the name cannot be looked up")]
    Name(#[source] io::Error),
    #[error("no connection")]
    Connect(#[source] io::Error),
    #[error("no TLS")]
    Tls(#[source] io::Error),
    #[error("the connection broke")]
    Broken(#[source] hyper::Error),
    #[error("no answer in time")]
    Late,
}

impl Http {
    /// Creates a client that trusts the public web roots.
    #[must_use]
    pub fn new(names: Names, allow: Allow) -> Http {
        let roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring knows the versions that are safe")
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Http { tls: TlsConnector::from(Arc::new(config)), names, allow }
    }

    /// Sends once. Every result is a `Reply`, within 15 seconds.
    pub async fn post(&self, url: &str, request: &Request<'_>) -> Reply {
        let begun = runtime::now();
        let end = Instant::now() + TOTAL;
        let asked = match self.ask(url, request, end).await {
            Err(NoAnswer::Connect(_) | NoAnswer::Tls(_)) if since(begun) < INSTANT => {
                self.ask(url, request, end).await
            }
            other => other,
        };
        match asked {
            Ok(reply) => reply,
            Err(error) => no_answer(&error),
        }
    }

    async fn ask(&self, url: &str, request: &Request<'_>, end: Instant) -> Result<Reply, NoAnswer> {
        let target = Target::read(url, &self.allow)?;
        let stream = before(end, async {
            let addresses = self.addresses(&target).await?;
            connect(&target, &addresses).await
        });
        let stream = stream.await?;
        if !target.is_https {
            return exchange(stream, &target, request, end).await;
        }
        let name = match &target.host {
            HostName::Name(name) => {
                ServerName::try_from(name.clone()).map_err(|_| NoAnswer::Blocked(Blocked::Host))?
            }
            HostName::Address(address) => ServerName::from(*address),
        };
        let tls = self.tls.connect(name, stream);
        let stream = before(end, async { tls.await.map_err(NoAnswer::Tls) }).await?;
        exchange(stream, &target, request, end).await
    }

    /// The checked addresses of the target. They are resolved once, and the connection uses only these.
    async fn addresses(&self, target: &Target) -> Result<Vec<IpAddr>, NoAnswer> {
        let found = match &target.host {
            HostName::Address(address) => vec![*address],
            HostName::Name(name) => match timeout(TO_LOOK_UP, self.names.look_up(name)).await {
                Ok(found) => found.map_err(NoAnswer::Name)?,
                Err(_) => return Err(NoAnswer::Late),
            },
        };
        target.judge(&found)?;
        Ok(found)
    }
}

/// Connects to the first address that accepts. The peer must be that address.
async fn connect(target: &Target, addresses: &[IpAddr]) -> Result<TcpStream, NoAnswer> {
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        let connecting = TcpStream::connect(SocketAddr::new(*address, target.port));
        match timeout(TO_CONNECT, connecting).await {
            Ok(Ok(stream)) => {
                let peer = stream.peer_addr().map_err(NoAnswer::Connect)?.ip();
                if peer != *address {
                    return Err(NoAnswer::Blocked(Blocked::Address));
                }
                return Ok(stream);
            }
            Ok(Err(error)) => last = error,
            Err(_) => return Err(NoAnswer::Late),
        }
    }
    Err(NoAnswer::Connect(last))
}

/// Runs one part of a request, bounded by `end`.
async fn before<T>(end: Instant, part: impl Future<Output = Result<T, NoAnswer>>) -> Result<T, NoAnswer> {
    timeout_at(end, part).await.unwrap_or(Err(NoAnswer::Late))
}

/// Sends the request. `end` bounds the wait for the headers. The body has its own limit.
async fn exchange<S>(
    stream: S,
    target: &Target,
    request: &Request<'_>,
    end: Instant,
) -> Result<Reply, NoAnswer>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let handshake = hyper::client::conn::http1::Builder::new()
        .max_buf_size(MAX_HEAD_BYTES)
        .handshake::<_, Full<Bytes>>(TokioIo::new(stream));
    let shaken = before(end, async { handshake.await.map_err(NoAnswer::Broken) });
    let (mut sender, connection) = shaken.await?;
    let aws_request = async {
        let mut asked = hyper::Request::builder().method(Method::POST).uri(&target.path);
        for (name, value) in &request.headers {
            asked = asked.header(*name, *value.expose());
        }
        let asked = asked
            .header(HOST, &target.authority)
            .header(CONTENT_TYPE, HeaderValue::from_static(request.content_type))
            .header(USER_AGENT, HeaderValue::from_static("Carillon"))
            // The body is read as sent, without decompression.
            .header(ACCEPT_ENCODING, HeaderValue::from_static("identity"))
            .body(Full::new(request.body.expose().clone()))
            .map_err(|_| NoAnswer::Blocked(Blocked::NoUrl))?;
        let sent = sender.send_request(asked);
        let response = before(end, async { sent.await.map_err(NoAnswer::Broken) }).await?;
        Ok(read(response, runtime::now(), end.min(Instant::now() + TO_READ_BODY), request.id_header).await)
    };
    // The connection progresses only while it is polled. After its end the received data are still read.
    match select(pin!(aws_request), pin!(connection)).await {
        Either::Left((reply, _)) => reply,
        Either::Right((_, aws_request)) => aws_request.await,
    }
}

/// Reads an answer after its headers. The status decides, whatever happens to the body. The part of the
/// body received by `body_end` is stored.
async fn read(
    response: Response<Incoming>,
    now: Timestamp,
    body_end: Instant,
    id_header: Option<&str>,
) -> Reply {
    let (head, body) = response.into_parts();
    let header = |name: &str| head.headers.get(name).and_then(|header| header.to_str().ok());
    let answer = Answer::Status {
        status: head.status.as_u16(),
        retry_after: header("retry-after").and_then(|header| retry_after(header, now)),
        wish: header("webhook-delivery").and_then(Wish::read),
    };
    let challenge = header(challenge::HEADER).map(Sensitive::from);
    let location = header("location").filter(|_| head.status.is_redirection()).map(without_query);
    let id = id_header.and_then(header).map(str::to_owned);
    let response = Some(kept(body, body_end).await.into());
    Reply { answer, error: None, response, challenge, id, maybe_received: true, location }
}

/// A URL without query and fragment.
fn without_query(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    url.chars().take(end.min(MAX_LOCATION_CHARS)).collect()
}

/// The stored part of the body: the data received by `end`, at most [`MAX_READ_BYTES`]. A broken or slow
/// body does not change the result.
async fn kept(mut body: Incoming, end: Instant) -> String {
    let mut read = Vec::new();
    let mut is_cut = false;
    loop {
        let frame = match timeout_at(end, body.frame()).await {
            Ok(Some(Ok(frame))) => frame,
            Ok(Some(Err(_)) | None) => break,
            Err(_) => {
                is_cut = true;
                break;
            }
        };
        let Some(data) = frame.data_ref() else { continue };
        read.extend_from_slice(data);
        if read.len() > MAX_READ_BYTES {
            return format!("[not kept: more than {MAX_READ_BYTES} bytes]");
        }
    }
    match read.len() {
        0..=MAX_KEPT_BYTES if is_cut => {
            format!("{} [cut: the rest of the body did not come in time]", String::from_utf8_lossy(&read))
        }
        0..=MAX_KEPT_BYTES => String::from_utf8_lossy(&read).into_owned(),
        bytes => format!("[not kept: {bytes} bytes, more than {MAX_KEPT_BYTES}]"),
    }
}

fn no_answer(error: &NoAnswer) -> Reply {
    let (answer, said) = match error {
        NoAnswer::Blocked(Blocked::NoAddress) => (Answer::Unreachable, "no address"),
        NoAnswer::Blocked(_) => (Answer::Blocked, "blocked target"),
        NoAnswer::Name(_) => (Answer::Unreachable, "no address"),
        NoAnswer::Connect(_) => (Answer::Unreachable, "no connection"),
        NoAnswer::Tls(_) => (Answer::Unreachable, "no TLS: certificate or protocol do not fit"),
        NoAnswer::Broken(_) => (Answer::Unreachable, "the connection broke before an answer came"),
        NoAnswer::Late => (Answer::TimedOut, "no answer within 15 s"),
    };
    tracing::warn!(code = "HTTPS_NO_ANSWER", error = runtime::chain(error), "HTTPS server gave no answer");
    let maybe_received = match error {
        NoAnswer::Blocked(_) | NoAnswer::Name(_) | NoAnswer::Connect(_) | NoAnswer::Tls(_) => false,
        NoAnswer::Broken(_) | NoAnswer::Late => true,
    };
    let (response, challenge, id, location) = (None, None, None, None);
    Reply { answer, error: Some(said), response, challenge, id, maybe_received, location }
}

fn since(begun: Timestamp) -> Duration {
    Duration::try_from(runtime::now().duration_since(begun)).unwrap_or(Duration::ZERO)
}
