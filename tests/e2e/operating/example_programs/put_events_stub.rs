//! An EventBridge that answers `PutEvents` entry by entry as a test wants.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// The error code of an entry, by the numbers of the call and of the entry.
type Answer = fn(usize, usize) -> Option<&'static str>;

pub(super) struct Stub {
    pub(super) url: String,
    calls: Arc<Mutex<Vec<Vec<Value>>>>,
}

impl Stub {
    pub(super) fn start(answer: Answer) -> Stub {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&calls);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                serve(&stream.unwrap(), answer, &seen);
            }
        });
        Stub { url, calls }
    }

    /// The events of each call.
    pub(super) fn calls(&self) -> Vec<Vec<Value>> {
        self.calls.lock().unwrap().clone()
    }
}

fn serve(mut stream: &TcpStream, answer: Answer, calls: &Mutex<Vec<Vec<Value>>>) {
    let Some((_, body)) = read_request(stream) else { return };
    let request: Value = serde_json::from_slice(&body).unwrap();
    let entries = request["Entries"].as_array().unwrap();
    let events = entries.iter().map(|entry| serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap());
    let call = {
        let mut calls = calls.lock().unwrap();
        calls.push(events.collect());
        calls.len() - 1
    };
    let answers = entries.iter().enumerate().map(|(index, _)| match answer(call, index) {
        Some(code) => json!({ "ErrorCode": code, "ErrorMessage": "refused by the test" }),
        None => json!({ "EventId": format!("event-{call}-{index}") }),
    });
    let answers: Vec<Value> = answers.collect();
    let failed = answers.iter().filter(|answer| answer["ErrorCode"].is_string()).count();
    let text = json!({ "FailedEntryCount": failed, "Entries": answers }).to_string();
    let head = "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\nconnection: close";
    let _ = write!(stream, "{head}\r\ncontent-length: {}\r\n\r\n{text}", text.len());
}

/// The head and the body of a request. `None` for a connection without a request.
pub(super) fn read_request(stream: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    if lower.contains("expect: 100-continue") {
        let mut stream = stream;
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").ok()?;
    }
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
