//! The e-mail channel: sends e-mails through Amazon SES.
//!
//! [`OutgoingEmail`] shapes the request, [`AttachmentStore`] fetches attachments, and [`Ses`] makes the call and reads
//! the answer. The crate [`delivery`] claims, settles and retries.

mod buckets;
mod config;
mod outgoing;
mod ses;

pub use buckets::{AttachmentStore, MAX_FILES_BYTES};
pub use config::Config;
pub use outgoing::{File, OutgoingEmail};
pub use ses::Ses;

use domain::base::outcome::{Failure, Sent};
use domain::delivery::job::Job;

/// Shapes an e-mail, fetches its attachments and calls SES once.
///
/// # Errors
/// [`Failure`] names the reaction.
pub async fn send(job: &Job, buckets: &AttachmentStore, ses: &Ses) -> Result<Sent, Failure> {
    let outgoing = OutgoingEmail::shape(job)?;
    let attachments = &outgoing.email.attachments;
    // Held until the e-mail is sent.
    let _room = buckets.room_for(attachments).await;
    let files = buckets.fetch(attachments, job.event.tenant.as_deref()).await?;
    ses.send(&outgoing, files).await
}
