//! A page in headless Chromium, driven by the Chrome DevTools Protocol, and a server for its files.
//! Source: <https://chromedevtools.github.io/devtools-protocol/>.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::put_events_stub::read_request;
use testkit::until::until;
use workspace::{root, unique};

/// A browser with one page. The process ends when the value is dropped.
pub(super) struct Page {
    browser: Child,
    profile: PathBuf,
    socket: WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>,
    last_id: u64,
}

impl Page {
    /// Starts Chromium. `None` if this machine has none.
    pub(super) async fn start() -> Option<Page> {
        let path = super::path();
        let names = ["chromium", "chromium-browser", "google-chrome"];
        let mut programs = path.split(':').flat_map(|folder| names.map(|name| Path::new(folder).join(name)));
        let program = programs.find(|program| program.exists())?;
        let profile = root().join("target/tmp").join(unique("browser"));
        let mut browser = Command::new(program)
            .args([
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--no-first-run",
            ])
            .args(["--remote-debugging-port=0", "--lang=en", "about:blank"])
            .arg(format!("--user-data-dir={}", profile.display()))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = BufReader::new(browser.stderr.take().unwrap()).lines().map_while(Result::ok);
        let line = errors.find_map(|line| Some(line.split_once("DevTools listening on ws://")?.1.to_owned()));
        let address = line.expect("Chromium names its address");
        std::thread::spawn(move || errors.for_each(drop));
        let list = format!("http://{}/json", address.split('/').next().unwrap());
        let target = until("Chromium has a page", async || {
            let text = ureq::get(&list).call().ok()?.body_mut().read_to_string().ok()?;
            let targets: Value = serde_json::from_str(&text).ok()?;
            let page = targets.as_array()?.iter().find(|target| target["type"] == "page")?.clone();
            page["webSocketDebuggerUrl"].as_str().map(str::to_owned)
        })
        .await;
        let (socket, _) = tokio_tungstenite::connect_async(target).await.unwrap();
        Some(Page { browser, profile, socket, last_id: 0 })
    }

    /// Calls a method, and returns its result.
    pub(super) async fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last_id += 1;
        let call = json!({ "id": self.last_id, "method": method, "params": parameters });
        self.socket.send(Message::text(call.to_string())).await.unwrap();
        loop {
            let message = self.socket.next().await.unwrap().unwrap();
            let answer: Value = serde_json::from_str(&message.to_string()).unwrap_or_default();
            if answer["id"] == self.last_id {
                assert!(answer["error"].is_null(), "{method}: {answer}");
                return answer["result"].clone();
            }
        }
    }

    /// The value of a JavaScript expression.
    pub(super) async fn evaluate(&mut self, expression: &str) -> Value {
        self.try_evaluate(expression).await.unwrap_or_else(|thrown| panic!("{expression}: {thrown}"))
    }

    /// Waits until an expression has a value. An expression may throw while the page is loading.
    pub(super) async fn until(&mut self, expression: &str, wanted: Value) {
        let wanted = Ok(wanted);
        until(expression, async || (self.try_evaluate(expression).await == wanted).then_some(())).await;
    }

    /// # Errors
    /// The exception that the expression throws.
    async fn try_evaluate(&mut self, expression: &str) -> Result<Value, Value> {
        let parameters = json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let result = self.call("Runtime.evaluate", parameters).await;
        if result["exceptionDetails"].is_null() {
            Ok(result["result"]["value"].clone())
        } else {
            Err(result["exceptionDetails"].clone())
        }
    }

    /// Sets the size of the window and the colour scheme.
    pub(super) async fn show_as(&mut self, width: u32, scheme: &str) {
        let size = json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500 });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.call("Emulation.setEmulatedMedia", features).await;
    }

    pub(super) async fn screenshot(&mut self, file: &Path) {
        let picture = self.call("Page.captureScreenshot", json!({ "format": "png" })).await;
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.browser.kill();
        let _ = self.browser.wait();
        let _ = std::fs::remove_dir_all(&self.profile);
    }
}

/// Serves the files of a folder, and returns the URL.
pub(super) fn serve(folder: PathBuf) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (stream, folder) = (stream.unwrap(), folder.clone());
            std::thread::spawn(move || answer(&stream, &folder));
        }
    });
    url
}

fn answer(mut stream: &TcpStream, folder: &Path) -> Option<()> {
    let (head, _) = read_request(stream)?;
    let name = head.split(' ').nth(1)?.trim_start_matches('/');
    let name = if name.is_empty() { "index.html" } else { name };
    let kind = match name.rsplit('.').next()? {
        "html" => "text/html",
        "css" => "text/css",
        "js" => "text/javascript",
        _ => "application/octet-stream",
    };
    let (status, body) = match std::fs::read(folder.join(name)) {
        Ok(body) => ("200 OK", body),
        Err(_) => ("404 Not Found", Vec::new()),
    };
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: {kind}\r\nconnection: close");
    write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n", body.len()).ok()?;
    stream.write_all(&body).ok()
}
