//! Minimal HTTP/1.1 server for a function and an SDK client: keep-alive and `Content-Length` only.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

/// Longest accepted body. SQS accepts 1 MiB, and no request here is longer.
const MAX_BODY_BYTES: usize = 4 * 1024 * 1024;

/// An HTTP request.
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    /// Header with which DynamoDB and SQS clients name the operation.
    pub(crate) target: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// An HTTP response.
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// Listens on a free port of this machine until the process ends. `answer` may block. If it returns `None`, the
/// connection closes without a response.
///
/// # Errors
/// No port is free.
pub(crate) fn serve<F>(answer: F) -> io::Result<SocketAddr>
where
    F: Fn(&Request) -> Option<Response> + Clone + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = answer.clone();
            // A broken connection means that the function ended. The measuring code notices the missing response.
            thread::spawn(move || drop(converse(&stream, &answer)));
        }
    });
    Ok(address)
}

fn converse(stream: &TcpStream, answer: &impl Fn(&Request) -> Option<Response>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream);
    while let Some(request) = read(&mut input)? {
        let Some(response) = answer(&request) else { return Ok(()) };
        write(stream, &response)?;
    }
    Ok(())
}

fn read(input: &mut impl BufRead) -> io::Result<Option<Request>> {
    let mut line = String::new();
    if input.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Err(io::Error::other(format!("no request line: {line:?}")));
    };
    let (mut target, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        input.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().map_err(io::Error::other)?,
            "x-amz-target" => target = Some(value.trim().to_owned()),
            _ => {}
        }
    }
    if length > MAX_BODY_BYTES {
        return Err(io::Error::other(format!("a body of {length} bytes")));
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok(Some(Request { method, path, target, body }))
}

fn write(mut stream: &TcpStream, response: &Response) -> io::Result<()> {
    let mut text = format!("HTTP/1.1 {} -\r\ncontent-length: {}\r\n", response.status, response.body.len());
    for (name, value) in &response.headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    text.push_str("\r\n");
    text.push_str(&response.body);
    stream.write_all(text.as_bytes())
}
