//! Amazon S3, as far as letters need it: one object, whole, if it is not too large.
//!
//! A signed GET rather than S3's own client: what signs it and what carries it are linked already, for the other
//! services, while that client brings a tree of its own for what is never asked here. It is made with the first letter
//! that brings something along.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_types::SdkConfig;
use domain::attachment::is_kind;
use domain::job::Attachment;
use domain::outcome::{Failure, Reason};
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::letter::{File, no};

/// The most that a letter may bring along, all its files together.
///
/// SES takes 40 MB once everything is in base64, some 28 MB of files, and many mailboxes 10 to 25. A function of 256 MB
/// holds a file four times while it is sent: as it came, in base64, in the request, and on its way.
pub const MAX_FILES_BYTES: usize = 10 * 1024 * 1024;

/// Where the files of letters lie.
pub struct Buckets {
    allowed: BTreeSet<String>,
    config: SdkConfig,
    region: String,
    endpoint: String,
    get: OnceLock<Operation<HttpRequest, Answer, Infallible>>,
    /// One letter with files at a time, because of the memory.
    room: Semaphore,
}

/// What S3 said.
#[derive(Debug)]
struct Answer {
    status: u16,
    kind: Option<String>,
    /// `bytes 0-99/1234`
    range: Option<String>,
    body: Vec<u8>,
}

impl Buckets {
    /// Files come from the buckets named in `allowed` and no others.
    #[must_use]
    pub fn new(config: &SdkConfig, allowed: BTreeSet<String>) -> Buckets {
        let region = config.region().map_or("us-east-1", |it| it.as_ref()).to_owned();
        let suffix = if region.starts_with("cn-") { ".cn" } else { "" };
        let own = || format!("https://s3.{region}.amazonaws.com{suffix}");
        let endpoint = config.endpoint_url().map_or_else(own, |it| it.trim_end_matches('/').to_owned());
        let (get, room) = (OnceLock::new(), Semaphore::new(1));
        Buckets { allowed, config: config.clone(), region, endpoint, get, room }
    }

    /// Waits until no other letter with files is under way. A letter without any need not.
    pub async fn room_for(&self, attachments: &[Attachment]) -> Option<SemaphorePermit<'_>> {
        if attachments.is_empty() { None } else { self.room.acquire().await.ok() }
    }

    /// Every file, in this order.
    ///
    /// # Errors
    /// [`Failure`] says who acts on it: a file that is not there, that lies elsewhere than allowed or that is too large
    /// is the tenant's own no, and never tried again.
    pub async fn fetch(&self, attachments: &[Attachment]) -> Result<Vec<File>, Failure> {
        for it in attachments {
            if !self.allowed.contains(&it.bucket) {
                return Err(no(Reason::ForbiddenAttachment, "its bucket is not one of AttachmentBuckets"));
            }
        }
        let mut files: Vec<File> = Vec::with_capacity(attachments.len());
        let mut left = MAX_FILES_BYTES;
        for it in attachments {
            let answer = self.ask(it, left).await?;
            let file = read(it, answer, left)?;
            left -= file.bytes.len();
            files.push(file);
        }
        Ok(files)
    }

    /// Asks for one byte more than there is room for, so that no answer is larger than that.
    async fn ask(&self, attachment: &Attachment, left: usize) -> Result<Answer, Failure> {
        let path = format!("/{}/{}", attachment.bucket, escaped(&attachment.key));
        let request = self.signed(&path, left).await?;
        let get = self.get.get_or_init(|| operation(&self.config, &self.endpoint));
        match get.invoke(request).await {
            Ok(answer) => Ok(answer),
            // Reading twice does no harm.
            Err(error) => Err(Failure::Transient(Box::new(error))),
        }
    }

    async fn signed(&self, path: &str, left: usize) -> Result<HttpRequest, Failure> {
        let transient = |it| Failure::Transient(it);
        let mut request = HttpRequest::get(path).map_err(|it| transient(it.into()))?;
        request.headers_mut().insert("range", format!("bytes=0-{left}"));
        let provider: Option<SharedCredentialsProvider> = self.config.credentials_provider();
        let provider = provider.ok_or_else(|| transient("there are no credentials".into()))?;
        let identity = provider.provide_credentials().await.map_err(|it| transient(it.into()))?.into();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name("s3")
            .time(time(runtime::now()))
            .settings(settings)
            .build()
            .map_err(|it| transient(it.into()))?
            .into();
        let url = format!("{}{path}", self.endpoint);
        let headers = request.headers().iter();
        let signable = SignableRequest::new("GET", url, headers, SignableBody::Bytes(&[]));
        let signed = sign(signable.map_err(|it| transient(it.into()))?, &params);
        let (instructions, _) = signed.map_err(|it| transient(it.into()))?.into_parts();
        for (name, value) in instructions.headers() {
            request.headers_mut().insert(name.to_owned(), value.to_owned());
        }
        Ok(request)
    }
}

fn operation(config: &SdkConfig, endpoint: &str) -> Operation<HttpRequest, Answer, Infallible> {
    let mut get = Operation::builder()
        .service_name("s3")
        .operation_name("GetObject")
        .behavior_version(aws_smithy_runtime_api::client::behavior_version::BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .no_auth()
        .standard_retry(&aws::retries())
        .timeout_config(aws::timeouts());
    if let Some(client) = config.http_client() {
        get = get.http_client(client);
    }
    if let Some(sleep) = config.sleep_impl() {
        get = get.sleep_impl(sleep);
    }
    get.serializer(|request: HttpRequest| Ok(request))
        .deserializer(|response: &HttpResponse| {
            let header = |name: &str| response.headers().get(name).map(str::to_owned);
            Ok(Answer {
                status: response.status().as_u16(),
                kind: header("content-type"),
                range: header("content-range"),
                body: response.body().bytes().unwrap_or_default().to_vec(),
            })
        })
        .build()
}

/// What S3 answered, sorted by who acts on it.
///
/// Source: Amazon S3 API reference, `GetObject` and "Error responses". A bucket in another Region answers 301.
fn read(attachment: &Attachment, answer: Answer, left: usize) -> Result<File, Failure> {
    let total = answer.range.as_deref().and_then(|it| it.rsplit('/').next()?.parse::<usize>().ok());
    match answer.status {
        200 | 206 if answer.body.len() > left || total.is_some_and(|it| it > left) => {
            let why = format!("its files are larger than {MAX_FILES_BYTES} bytes");
            Err(no(Reason::TooLarge, why))
        }
        200 | 206 => {
            let kind = attachment.kind.clone().or_else(|| {
                let said = answer.kind?;
                let kind = said.split(';').next().unwrap_or_default().trim();
                is_kind(kind).then(|| kind.to_owned())
            });
            Ok(File { of: attachment.clone(), kind, bytes: answer.body })
        }
        301 => Err(no(Reason::NoAttachment, "its bucket is in another Region")),
        403 => Err(no(Reason::ForbiddenAttachment, "S3 does not let us read it")),
        404 => Err(no(Reason::NoAttachment, "there is no such object, or no such bucket")),
        416 => Err(no(Reason::NoAttachment, "the object is empty")),
        429 | 503 => {
            let source = format!("S3 answered {}", answer.status).into();
            Err(Failure::Throttled { delay: aws::THROTTLE_PAUSE, source })
        }
        status @ 500.. => Err(Failure::Transient(format!("S3 answered {status}").into())),
        status => Err(no(Reason::NoAttachment, format!("S3 answered {status}"))),
    }
}

/// A key as it stands in a URL.
///
/// Source: Amazon S3 API reference, "Signature Version 4", `UriEncode`; slashes stay.
fn escaped(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    for byte in key.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

fn time(now: domain::Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(now.as_second()).unwrap_or(0))
}

#[cfg(test)]
mod tests;
