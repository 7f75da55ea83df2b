//! The HTTP client with the requests of this function.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::base::sensitive::Sensitive;
use domain::event::key::Key;
use domain::webhook::endpoint::headers::CustomHeaders;
use domain::webhook::endpoint::secret::{Scheme, Secret, Secrets};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use std::time::Duration;

use domain::webhook::endpoint::attempt::{Answer, Wish};
use domain::webhook::endpoint::target::Allow;
use https::{MAX_LOCATION_CHARS, TO_READ_BODY};
use tokio::time::Instant;

use super::*;

#[tokio::test]
async fn request_is_the_signed_body_only() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").await;
    let reply = server.ask("/hooks?x=1").await;
    assert!(reply.answer.is_success());
    assert_eq!((reply.response.map(Sensitive::into_exposed).as_deref(), reply.error), (Some("ok"), None));
    let heard = server.heard();
    assert!(heard.starts_with("POST /hooks?x=1 HTTP/1.1\r\n"), "{heard}");
    assert!(heard.ends_with("\r\n\r\n{\"type\":\"t\"}"), "{heard}");
    let mut names: Vec<&str> =
        heard.lines().skip(1).filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
    names.sort_unstable();
    let expected = [
        "accept-encoding",
        "content-length",
        "content-type",
        "host",
        "user-agent",
        "webhook-id",
        "webhook-signature",
        "webhook-timestamp",
    ];
    assert_eq!(names, expected);
}

#[tokio::test]
async fn retry_after_and_webhook_delivery_headers_are_parsed() {
    let server =
        Server::answering("HTTP/1.1 429 Busy\r\nretry-after: 120\r\ncontent-length: 0\r\n\r\n").await;
    let retry_after = Some(Duration::from_secs(120));
    assert_eq!(server.ask("/").await.answer, Answer::Status { status: 429, retry_after, wish: None });
    let no = "HTTP/1.1 400 No\r\nwebhook-delivery: abort-message\r\ncontent-length: 0\r\n\r\n";
    let wish = Some(Wish::Abort);
    let expected = Answer::Status { status: 400, retry_after: None, wish };
    assert_eq!(Server::answering(no).await.ask("/").await.answer, expected);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let secret = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let to = format!("HTTP/1.1 307 There\r\nlocation: {}/\r\ncontent-length: 0\r\n\r\n", secret.origin);
    let server = Server::answering(&to).await;
    let reply = server.ask("/").await;
    assert!(matches!(reply.answer, Answer::Status { status: 307, .. }));
    assert_eq!(reply.location, Some(format!("{}/", secret.origin)));
    assert_eq!((server.connections(), secret.connections()), (1, 0));
}

#[tokio::test]
async fn location_of_a_redirect_is_kept_without_its_query_and_of_no_other_answer() {
    for (head, location, expected) in [
        ("302 There", "/login?token=s3cret", Some("/login")),
        ("308 There", "https://e.example/x#s3cret", Some("https://e.example/x")),
        ("301 There", "?s3cret", Some("")),
        ("200 OK", "/made", None),
        ("500 No", "/else", None),
    ] {
        let text = format!("HTTP/1.1 {head}\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
        let reply = Server::answering(&text).await.ask("/").await;
        assert_eq!(reply.location.as_deref(), expected, "{head} {location}");
    }
    let long = format!("HTTP/1.1 302 There\r\nlocation: /{}\r\ncontent-length: 0\r\n\r\n", "x".repeat(5_000));
    let reply = Server::answering(&long).await.ask("/").await;
    assert_eq!(reply.location.map(|location| location.len()), Some(MAX_LOCATION_CHARS));
}

#[tokio::test]
async fn headers_of_the_tenant_stand_beside_ours() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let custom = serde_json::json!({ "Authorization": "Bearer k", "X-Site": "7" });
    let custom = CustomHeaders::read(&custom).ok().unwrap();
    let http = Http::new(Names::System, Allow::parse(&server.origin).unwrap());
    assert!(http.post(&server.origin, &request().with_headers(custom).to_http()).await.answer.is_success());
    let heard = server.heard();
    for line in ["authorization: Bearer k", "x-site: 7", "webhook-id: k-1", "content-type: application/json"]
    {
        assert!(heard.lines().any(|received| received == line), "{line} in {heard}");
    }
}

#[tokio::test]
async fn a_name_that_leads_home_is_not_connected_to() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    for addresses in
        [vec!["127.0.0.1"], vec!["93.184.216.34", "127.0.0.1"], vec!["::1"], vec!["::ffff:127.0.0.1"]]
    {
        let listed = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let names = Names::Listed(BTreeMap::from([("hooks.example.com".to_owned(), listed)]));
        let http = Http::new(names, Allow::default());
        let reply = http.post("https://hooks.example.com/", &request().to_http()).await;
        assert_eq!((reply.answer, reply.error), (Answer::Blocked, Some("blocked target")), "{addresses:?}");
    }
    for url in
        [format!("{}/", server.origin), server.origin.replace("http:", "https:"), "https://[::1]/".to_owned()]
    {
        let reply = Http::new(Names::System, Allow::default()).post(&url, &request().to_http()).await;
        assert_eq!(reply.answer, Answer::Blocked, "{url}");
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn unknown_name_and_missing_server_are_retried() {
    let http = Http::new(Names::Listed(BTreeMap::new()), Allow::default());
    let reply = http.post("https://gone.example.com/", &request().to_http()).await;
    assert_eq!((reply.answer, reply.error), (Answer::Unreachable, Some("no address")));
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let origin = format!("http://{free}");
    let reply =
        Http::new(Names::System, Allow::parse(&origin).unwrap()).post(&origin, &request().to_http()).await;
    assert_eq!((reply.answer, reply.error), (Answer::Unreachable, Some("no connection")));
}

#[tokio::test]
async fn request_that_was_sent_is_not_sent_again_when_its_connection_breaks_at_once() {
    let server = Server::answering("").await;
    assert_eq!(server.ask("/").await.answer, Answer::Unreachable);
    assert_eq!(server.connections(), 1, "the receiver may have read it");
}

#[tokio::test]
async fn long_answer_is_not_stored_and_endless_one_is_cut() {
    let kept = |bytes: usize| async move {
        let body = "a".repeat(bytes);
        let text = format!("HTTP/1.1 500 No\r\ncontent-length: {bytes}\r\n\r\n{body}");
        Server::answering(&text).await.ask("/").await.response.unwrap().into_exposed()
    };
    assert_eq!(kept(20_000).await.len(), 20_000);
    assert_eq!(kept(20_001).await, "[not kept: 20001 bytes, more than 20000]");
    assert_eq!(kept(70_000).await, "[not kept: more than 65536 bytes]");
    let packed = "HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\n\u{1f}zz";
    assert_eq!(
        Server::answering(packed).await.ask("/").await.response.unwrap().into_exposed(),
        "\u{1f}zz",
        "as it came"
    );
}

#[tokio::test]
async fn success_with_a_dripping_body_is_delivered() {
    // The server announces ten bytes, sends two, and keeps the connection open.
    let server = Server::dripping("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok").await;
    let begun = Instant::now();
    let reply = server.ask("/").await;
    assert!(reply.answer.is_success(), "{:?}", reply.error);
    assert!(begun.elapsed() < TO_READ_BODY + Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(
        reply.response.map(Sensitive::into_exposed).as_deref(),
        Some("ok [cut: the rest of the body did not come in time]")
    );
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn failure_with_a_dripping_body_keeps_its_status() {
    let server = Server::dripping("HTTP/1.1 503 No\r\ncontent-length: 10\r\n\r\n").await;
    assert!(matches!(server.ask("/").await.answer, Answer::Status { status: 503, .. }));
}

#[tokio::test]
async fn headers_without_end_are_no_answer() {
    let text = format!("HTTP/1.1 200 OK\r\n{}", "x: y\r\n".repeat(100_000));
    assert_eq!(Server::answering(&text).await.ask("/").await.answer, Answer::Unreachable);
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_not_believed() {
    let server = Server::answering("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    let origin = server.origin.replace("http:", "https:");
    let reply =
        Http::new(Names::System, Allow::parse(&origin).unwrap()).post(&origin, &request().to_http()).await;
    assert_eq!(reply.answer, Answer::Unreachable);
    assert!(reply.error.unwrap().starts_with("no TLS"), "{:?}", reply.error);
}

/// A server that sends one fixed answer.
struct Server {
    origin: String,
    connections: Arc<AtomicUsize>,
    heard: Arc<std::sync::Mutex<String>>,
}

impl Server {
    async fn answering(text: &str) -> Server {
        Server::serving(text, false).await
    }

    /// Sends its text and keeps every connection open.
    async fn dripping(text: &str) -> Server {
        Server::serving(text, true).await
    }

    async fn serving(text: &str, keeps_open: bool) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let connections = Arc::new(AtomicUsize::new(0));
        let heard = Arc::new(std::sync::Mutex::new(String::new()));
        let (text, count, said) = (text.to_owned(), Arc::clone(&connections), Arc::clone(&heard));
        serve(async move {
            let mut open = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.fetch_add(1, Ordering::SeqCst);
                let mut read = vec![0; 8_192];
                let mut request = String::new();
                while !request.contains("{\"type\":\"t\"}") {
                    match stream.read(&mut read).await {
                        Ok(bytes) if bytes > 0 && !text.is_empty() => {
                            request.push_str(&String::from_utf8_lossy(&read[..bytes]));
                            // A TLS client sends a different first message.
                            if !request.starts_with("POST") {
                                break;
                            }
                        }
                        Ok(_) | Err(_) => break,
                    }
                }
                *said.lock().unwrap() = request;
                let _ = stream.write_all(text.as_bytes()).await;
                if keeps_open {
                    open.push(stream);
                }
            }
        });
        Server { origin, connections, heard }
    }

    async fn ask(&self, path: &str) -> Reply {
        let http = Http::new(Names::System, Allow::parse(&self.origin).unwrap());
        http.post(&format!("{}{path}", self.origin), &request().to_http()).await
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn heard(&self) -> String {
        self.heard.lock().unwrap().clone()
    }
}

#[expect(clippy::disallowed_methods, reason = "a server of the tests runs beside them")]
fn serve(server: impl Future<Output = ()> + Send + 'static) {
    tokio::spawn(server);
}

fn request() -> Request {
    let secrets = Secrets::of(Secret::new(Scheme::Hmac, vec![7; 32]).unwrap());
    Request::sign(&Key::from("k-1".to_owned()), "{\"type\":\"t\"}", &secrets, runtime::now())
}
