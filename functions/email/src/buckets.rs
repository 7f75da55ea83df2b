//! Amazon S3, as far as letters need it: one object, whole, if it is not too large.
//!
//! A signed GET rather than S3's own client: what signs it and what carries it are linked already, for the other
//! services, while that client brings a tree of its own for what is never asked here. It is made with the first letter
//! that brings something along.

use std::collections::BTreeSet;
use std::sync::OnceLock;

use asking::{Question, Service};
use aws_types::SdkConfig;
use domain::attachment::{Prefixes, is_kind};
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
    /// Which of their files are whose.
    prefixes: Prefixes,
    config: SdkConfig,
    s3: OnceLock<Service>,
    /// One letter with files at a time, because of the memory.
    room: Semaphore,
}

/// What S3 said.
struct Answer {
    status: u16,
    kind: Option<String>,
    /// `bytes 0-99/1234`
    range: Option<String>,
    body: Vec<u8>,
}

impl Buckets {
    /// Files come from the buckets named in `allowed` and no others, and there from below the prefixes of the event's
    /// tenant.
    #[must_use]
    pub fn new(config: &SdkConfig, allowed: BTreeSet<String>, prefixes: Prefixes) -> Buckets {
        Buckets { allowed, prefixes, config: config.clone(), s3: OnceLock::new(), room: Semaphore::new(1) }
    }

    /// Waits until no other letter with files is under way. A letter without any need not.
    pub async fn room_for(&self, attachments: &[Attachment]) -> Option<SemaphorePermit<'_>> {
        if attachments.is_empty() { None } else { self.room.acquire().await.ok() }
    }

    /// Every file, in this order, for a job of an event of `tenant`.
    ///
    /// # Errors
    /// [`Failure`] says who acts on it: a file that is not there, that lies elsewhere than allowed or that is too large
    /// is the tenant's own no, and never tried again.
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
            left -= file.bytes.len();
            files.push(file);
        }
        Ok(files)
    }

    /// Asks for one byte more than there is room for, so that no answer is larger than that.
    async fn ask(&self, attachment: &Attachment, left: usize) -> Result<Answer, Failure> {
        let s3 = self.s3.get_or_init(|| Service::new(&self.config, "s3"));
        let path = format!("/{}/{}", attachment.bucket, escaped(&attachment.key));
        let headers = [("range", format!("bytes=0-{left}"))];
        let question =
            Question { doing: "get a file", method: "GET", path: &path, headers: &headers, body: &[] };
        // Reading twice does no harm.
        let answer =
            s3.ask(&question, runtime::now()).await.map_err(|error| Failure::Transient(Box::new(error)))?;
        let header = |name: &str| answer.header(name).map(str::to_owned);
        let (kind, range) = (header("content-type"), header("content-range"));
        Ok(Answer { status: answer.status, kind, range, body: answer.body })
    }
}

/// What S3 answered, sorted by who acts on it.
///
/// Source: Amazon S3 API reference, `GetObject` and "Error responses". A bucket in another Region answers 301.
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

#[cfg(test)]
mod tests;
