//! Settles notifications whose receipt did not arrive in time.

use aws::CallError;
use domain::Timestamp;
use store::Ledger;

/// Settles each of them as unconfirmed and returns their number. The ledger's stream publishes the
/// outcomes.
///
/// # Errors
/// The ledger was not read or written. Earlier settlements remain.
pub(crate) async fn give_up(
    ledger: &Ledger,
    now: Timestamp,
    has_time: impl Fn() -> bool,
) -> Result<usize, CallError> {
    let mut given_up = 0;
    for key in ledger.overdue(now).await? {
        if !has_time() {
            break;
        }
        given_up += usize::from(ledger.mark_unconfirmed(&key, now).await?);
    }
    Ok(given_up)
}
