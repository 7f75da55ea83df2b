//! Reads e-mail attachments from Amazon S3, as whole objects up to a size limit.
//!
//! The module sends signed GET requests without the SDK's S3 client, which would add large dependencies.
//! The signer and the HTTP client are already linked for other services. The client is created with the
//! first attachment.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use aws_request::{Request, Service};
use aws_types::SdkConfig;
use domain::base::outcome::{Failure, Reason};
use domain::delivery::attachment::{Prefixes, is_kind};
use domain::delivery::job::Attachment;
use tokio::sync::{Semaphore, SemaphorePermit};

use crate::outgoing::{File, no};

/// The size limit of all attachments of an e-mail.
///
/// SES accepts 40 MB of Base64, about 28 MB of files, and many mailboxes accept 10 to 25 MB. A function
/// of 256 MB holds a file four times while sending: raw, in Base64, in the request, and in the
/// connection.
pub const MAX_FILES_BYTES: usize = 10 * 1024 * 1024;

/// The buckets of attachments.
pub struct AttachmentStore {
    allowed: BTreeSet<String>,
    /// The key prefixes of tenants.
    prefixes: Prefixes,
    config: SdkConfig,
    s3: OnceLock<Service>,
    /// Admits one e-mail with attachments at a time, because of the memory.
    room: Semaphore,
}

/// The answer of S3.
struct Answer {
    status: u16,
    kind: Option<String>,
    /// The header `Content-Range`, such as `bytes 0-99/1234`.
    range: Option<String>,
    body: Vec<u8>,
}

impl AttachmentStore {
    /// Creates a reader for the buckets in `allowed`, limited to the prefixes of the event's tenant.
    #[must_use]
    pub fn new(config: &SdkConfig, allowed: BTreeSet<String>, prefixes: Prefixes) -> AttachmentStore {
        AttachmentStore {
            allowed,
            prefixes,
            config: config.clone(),
            s3: OnceLock::new(),
            room: Semaphore::new(1),
        }
    }

    /// Waits until no other e-mail with attachments is being sent. An e-mail without attachments does
    /// not wait.
    pub async fn room_for(&self, attachments: &[Attachment]) -> Option<SemaphorePermit<'_>> {
        if attachments.is_empty() { None } else { self.room.acquire().await.ok() }
    }

    /// Fetches all files, in order, for a job of an event of `tenant`.
    ///
    /// # Errors
    /// [`Failure`] names the reaction. A file that is missing, outside the allowed prefixes or too large
    /// is a permanent failure.
    pub async fn fetch(
        &self,
        attachments: &[Attachment],
        tenant: Option<&str>,
    ) -> Result<Vec<File>, Failure> {
        for attachment in attachments {
            if !self.allowed.contains(&attachment.bucket) {
                return Err(no(Reason::ForbiddenAttachment, "its bucket is not one of AttachmentBuckets"));
            }
            self.prefixes.check(attachment, tenant).map_err(|why| no(Reason::ForbiddenAttachment, why))?;
        }
        let mut files: Vec<File> = Vec::with_capacity(attachments.len());
        let mut left = MAX_FILES_BYTES;
        for attachment in attachments {
            let answer = self.ask(attachment, left).await?;
            let file = read(attachment, answer, left)?;
            left -= file.bytes.expose().len();
            files.push(file);
        }
        Ok(files)
    }

    /// Requests one byte more than the limit, which bounds the size of the answer.
    async fn ask(&self, attachment: &Attachment, left: usize) -> Result<Answer, Failure> {
        let s3 = self.s3.get_or_init(|| Service::new(&self.config, "s3"));
        let path = format!("/{}/{}", attachment.bucket, escaped(&attachment.key));
        let headers = [("range", format!("bytes=0-{left}"))];
        let question =
            Request { doing: "get a file", method: "GET", path: &path, headers: &headers, body: &[] };
        // Reads are safe to repeat.
        let answer =
            s3.ask(&question, runtime::now()).await.map_err(|error| Failure::Transient(Box::new(error)))?;
        let header = |name: &str| answer.header(name).map(str::to_owned);
        let (kind, range) = (header("content-type"), header("content-range"));
        Ok(Answer { status: answer.status, kind, range, body: answer.body.into_exposed() })
    }
}

/// Classifies the answer of S3.
///
/// Source: Amazon S3 API reference, `GetObject` and "Error responses". A bucket in another Region
/// answers 301.
fn read(attachment: &Attachment, answer: Answer, left: usize) -> Result<File, Failure> {
    let total = answer.range.as_deref().and_then(|range| range.rsplit('/').next()?.parse::<usize>().ok());
    match answer.status {
        200 | 206 if answer.body.len() > left || total.is_some_and(|total| total > left) => {
            let why = format!("its files are larger than {MAX_FILES_BYTES} bytes");
            Err(no(Reason::TooLarge, why))
        }
        200 | 206 => {
            let kind = attachment.kind.clone().or_else(|| {
                let said = answer.kind?;
                let kind = said.split(';').next().unwrap_or_default().trim();
                is_kind(kind).then(|| kind.to_owned())
            });
            Ok(File { of: attachment.clone(), kind, bytes: answer.body.into() })
        }
        301 => Err(no(Reason::NoAttachment, "its bucket is in another Region")),
        403 => Err(no(Reason::ForbiddenAttachment, "S3 denied the read of the attachment")),
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

/// Encodes a key for a URL.
///
/// Source: Amazon S3 API reference, "Signature Version 4", `UriEncode`. Slashes stay unencoded.
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

#[cfg(test)]
mod tests;
