//! Answers to the caller: the local cloud's answer, the first half of it, or a throttling error.

use std::convert::Infallible;
use std::io;

use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::header::{CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use hyper::{HeaderMap, Response, StatusCode};

pub(super) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// An answer of the local cloud.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// The throttling error of the service.
pub(super) fn throttled(headers: &HeaderMap) -> Answer {
    let target = headers.get("x-amz-target").and_then(|header| header.to_str().ok()).unwrap_or_default();
    let kind = match target.split('.').next().unwrap_or_default() {
        target if target.starts_with("DynamoDB") => {
            "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
        }
        "AmazonSQS" => "com.amazonaws.sqs#RequestThrottled",
        "" => {
            let mut answer = Answer::of(429, r#"{"message":"Too Many Requests"}"#);
            let kind = hyper::header::HeaderValue::from_static("TooManyRequestsException");
            answer.headers.insert("x-amzn-errortype", kind);
            return answer;
        }
        _ => "ThrottlingException",
    };
    Answer::of(400, &format!(r#"{{"__type":"{kind}","message":"a fault"}}"#))
}

impl Answer {
    pub(super) fn of(status: u16, text: &str) -> Answer {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/x-amz-json-1.0"));
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Answer { status, headers, body: Bytes::copy_from_slice(text.as_bytes()) }
    }

    pub(super) fn whole(self) -> Response<Body> {
        let body = Full::new(self.body.clone()).map_err(|never: Infallible| match never {}).boxed_unsync();
        self.with(body)
    }

    /// The first half of the body, after which the connection breaks.
    pub(super) fn half(self) -> Response<Body> {
        let half = self.body.slice(..self.body.len() / 2);
        let frames = [Ok(Frame::data(half)), Err(io::Error::from(io::ErrorKind::ConnectionReset))];
        let body = StreamBody::new(stream::iter(frames)).boxed_unsync();
        self.with(body)
    }

    fn with(self, body: Body) -> Response<Body> {
        let length = self.body.len();
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response.headers_mut().remove(TRANSFER_ENCODING);
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
        response
    }
}
