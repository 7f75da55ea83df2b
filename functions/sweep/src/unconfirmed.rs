//! What awaited its receipt for longer than networks take to send one.

use aws::Refused;
use domain::Timestamp;
use store::Ledger;

/// Says of each that nobody will confirm it; the ledger's stream tells the bus. How many there were.
///
/// # Errors
/// The ledger could not be asked or written. What was said before stays said.
pub(crate) async fn give_up(
    ledger: &Ledger,
    now: Timestamp,
    has_time: impl Fn() -> bool,
) -> Result<usize, Refused> {
    let mut given_up = 0;
    for key in ledger.overdue(now).await? {
        if !has_time() {
            break;
        }
        given_up += usize::from(ledger.give_up_waiting(&key, now).await?);
    }
    Ok(given_up)
}
