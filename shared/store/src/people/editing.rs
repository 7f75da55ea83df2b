//! Edits of a person that depend on the current profile.

use aws::Refused;
use domain::producers::Tenants;
use domain::recipient::Recipient;
use domain::registry::{Amendment, Change, Stamp};

use super::amend::Swap;
use super::filed;
use super::{Amended, NotApplied, People};
use crate::pause;
use crate::writes::{ROUNDS, left_over};

/// The reason why an edit was not written.
#[derive(Debug)]
pub enum NotEdited<E> {
    /// The decision function refused the change.
    Denied(E),
    NotApplied(NotApplied),
}

impl<E> From<Refused> for NotEdited<E> {
    fn from(refused: Refused) -> NotEdited<E> {
        NotEdited::NotApplied(NotApplied::Refused(refused))
    }
}

impl People {
    /// Calls `decide` with the current profile and applies the change it returns. If the profile changed meanwhile,
    /// calls it again. `None` from `decide` means no change.
    ///
    /// # Errors
    /// [`NotEdited::Denied`] carries the error of `decide`.
    pub async fn edit<E>(
        &self,
        id: &str,
        stamp: &Stamp,
        decide: impl Fn(Option<&Recipient>) -> Result<Option<Change>, E>,
    ) -> Result<Amended, NotEdited<E>> {
        for round in 0..ROUNDS {
            pause::before(round).await;
            let item = self.reread(id).await?;
            let before = item.as_ref().map(filed::filed).transpose();
            let before = before.map_err(super::amend::unreadable)?.unwrap_or_default();
            let change = decide(before.entry.person.as_ref()).map_err(NotEdited::Denied)?;
            let Some(change) = change else { return Ok(Amended::default()) };
            let stamp = stamp.clone();
            let amendment = Amendment { id: id.to_owned(), change, stamp, reach: Tenants::All };
            let mut after = before.clone();
            let amended = after.amend(&amendment);
            let amended = amended.map_err(|error| NotEdited::NotApplied(NotApplied::Unfit(error)))?;
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
