//! A stand-in for DynamoDB and SQS. The test answers every call.

use std::io::{BufRead, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use aws_types::SdkConfig;
use serde_json::{Value, json};

/// A server on its own port, which runs as long as the process.
pub(super) struct Cloud {
    pub(super) url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

/// One call.
#[derive(Clone)]
pub(super) struct Call {
    pub(super) operation: String,
    pub(super) body: Value,
}

/// A settlement written over a claim.
pub(super) struct Settled {
    /// The key without its padding.
    pub(super) key: String,
    pub(super) status: String,
    pub(super) reason: Option<String>,
    pub(super) token: String,
}

type Answer = (u16, Value);

impl Call {
    /// The answer of a fully successful call.
    pub(super) fn fine(&self) -> Answer {
        let statements = self.body["Statements"].as_array().map_or(0, Vec::len);
        let answer = match self.operation.as_str() {
            "BatchExecuteStatement" => json!({ "Responses": vec![json!({}); statements] }),
            "SendMessage" => json!({ "MessageId": "m", "MD5OfMessageBody": "x" }),
            _ => json!({}),
        };
        (200, answer)
    }

    #[expect(clippy::unused_self, reason = "it reads like its sister")]
    pub(super) fn broken(&self) -> Answer {
        (500, json!({ "__type": "InternalServerError", "message": "broken" }))
    }

    pub(super) fn is_claim(&self) -> bool {
        self.statements().any(|(text, _)| text.starts_with("INSERT"))
    }

    fn statements(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        self.body["Statements"].as_array().into_iter().flatten().map(|item| {
            let parameters = item["Parameters"].as_array().into_iter().flatten();
            (
                item["Statement"].as_str().unwrap(),
                parameters.filter_map(|parameter| parameter["S"].as_str()).collect(),
            )
        })
    }
}

impl Cloud {
    pub(super) fn start(answer: impl Fn(&Call) -> Answer + Send + Sync + 'static) -> Cloud {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let calls = Arc::new(Mutex::new(Vec::new()));
        let (seen, answer) = (calls.clone(), Arc::new(answer));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (seen, answer) = (seen.clone(), answer.clone());
                std::thread::spawn(move || serve(&stream.unwrap(), &seen, &*answer));
            }
        });
        Cloud { url, calls }
    }

    pub(super) fn config(&self) -> SdkConfig {
        let variable = |name: &str| match name {
            "AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => Some("test".to_owned()),
            "AWS_ENDPOINT_URL" => Some(self.url.clone()),
            _ => None,
        };
        aws::Settings::read(variable).unwrap().config()
    }

    pub(super) fn calls(&self, operation: &str) -> Vec<Call> {
        let calls = self.calls.lock().unwrap();
        calls.iter().filter(|call| call.operation == operation).cloned().collect()
    }

    pub(super) fn count(&self, operation: &str) -> usize {
        self.calls(operation).len()
    }

    /// Every outcome that was written, in order.
    pub(super) fn settled(&self) -> Vec<Settled> {
        let mut settled = Vec::new();
        for call in self.calls("BatchExecuteStatement") {
            for (text, parameters) in call.statements().filter(|(text, _)| text.starts_with("UPDATE")) {
                let [.., event, own, token, _claimed] = parameters[..] else { panic!("{text}") };
                if text.contains("lease_until") {
                    // Taking over a claim settles nothing.
                    continue;
                }
                settled.push(Settled {
                    key: format!("{event}{own}").trim_end_matches('.').to_owned(),
                    status: parameters[0].to_owned(),
                    reason: text.contains("\"reason\"").then(|| parameters[2].to_owned()),
                    token: token.to_owned(),
                });
            }
        }
        settled
    }
}

/// Serves one connection, request after request.
fn serve(stream: &TcpStream, seen: &Mutex<Vec<Call>>, answer: &dyn Fn(&Call) -> Answer) {
    let mut reader = BufReader::new(stream);
    while let Some(call) = read(&mut reader) {
        let (status, body) = answer(&call);
        seen.lock().unwrap().push(call);
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} -\r\ncontent-type: application/x-amz-json-1.0\r\n");
        let mut stream = stream;
        write!(stream, "{head}content-length: {}\r\n\r\n{body}", body.len()).unwrap();
    }
}

fn read(reader: &mut impl BufRead) -> Option<Call> {
    let (mut operation, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        let line = line.trim_end();
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(": ") else { continue };
        match name.to_ascii_lowercase().as_str() {
            "x-amz-target" => operation = value.rsplit('.').next()?.to_owned(),
            "content-length" => length = value.parse().ok()?,
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Call { operation, body: serde_json::from_slice(&body).ok()? })
}
