//! email: sends letters through Amazon SES.
//!
//! [`Letter`] is what SES is asked, exactly; [`Buckets`] fetches what it brings along; [`Ses`] asks it and reads the
//! answer. Claiming, settling and retrying are [`delivery`]'s.

mod buckets;
mod config;
mod letter;
mod ses;

pub use buckets::{Buckets, MAX_FILES_BYTES};
pub use config::Config;
pub use letter::{File, Letter};
pub use ses::Ses;

use domain::job::Job;
use domain::outcome::{Failure, Sent};

/// Shapes a letter, fetches its files and asks SES once.
///
/// # Errors
/// [`Failure`] says who acts on it.
pub async fn send(job: &Job, buckets: &Buckets, ses: &Ses) -> Result<Sent, Failure> {
    let letter = Letter::shape(job)?;
    let attachments = &letter.email.attachments;
    // Held until the letter is sent.
    let _room = buckets.room_for(attachments).await;
    let files = buckets.fetch(attachments, job.event.tenant.as_deref()).await?;
    ses.send(&letter, files).await
}
