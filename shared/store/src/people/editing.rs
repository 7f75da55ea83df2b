//! Edits of a person that depend on the current profile.

use aws::CallError;
use domain::event::producers::Tenants;
use domain::recipient::Recipient;
use domain::recipient::recipient_changes::{Change, RecipientChange, Stamp};

use super::amend::Swap;
use super::filed;
use super::{ChangeResult, NotApplied, People};
use crate::pause;
use crate::writes::{ROUNDS, left_over};

/// The reason why an edit was not written.
#[derive(Debug)]
pub enum EditError<E> {
    /// The decision function refused the change.
    Denied(E),
    NotApplied(NotApplied),
}

impl<E> From<CallError> for EditError<E> {
    fn from(refused: CallError) -> EditError<E> {
        EditError::NotApplied(NotApplied::Refused(refused))
    }
}

impl People {
    /// Calls `decide` with the current profile and applies the change it returns. If the profile changed meanwhile,
    /// calls it again. `None` from `decide` means no change.
    ///
    /// # Errors
    /// [`EditError::Denied`] carries the error of `decide`.
    pub async fn edit<E>(
        &self,
        id: &str,
        stamp: &Stamp,
        decide: impl Fn(Option<&Recipient>) -> Result<Option<Change>, E>,
    ) -> Result<ChangeResult, EditError<E>> {
        for round in 0..ROUNDS {
            pause::before(round).await;
            let item = self.reread(id).await?;
            let before = item.as_ref().map(filed::filed).transpose();
            let before = before.map_err(super::amend::unreadable)?.unwrap_or_default();
            let change = decide(before.entry.person.as_ref()).map_err(EditError::Denied)?;
            let Some(change) = change else { return Ok(ChangeResult::default()) };
            let stamp = stamp.clone();
            let amendment = RecipientChange { id: id.to_owned(), change, stamp, reach: Tenants::All };
            let mut after = before.clone();
            let amended = after.amend(&amendment);
            let amended = amended.map_err(|error| EditError::NotApplied(NotApplied::Unfit(error)))?;
            if after.entry == before.entry && before.open.is_none() && !self.lacks_addresses(&before) {
                return Ok(amended);
            }
            match self.swap(id, &before, after).await? {
                Swap::Done => return Ok(amended),
                Swap::Lost => {}
            }
        }
        Err(left_over("change a person").into())
    }
}
