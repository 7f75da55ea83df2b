//! Invariants that hold after every fault.
//! Source: reliability contract, G1 to G6. `verification` checks G4, `suite` checks G5.

use std::collections::BTreeSet;

use domain::base::channel::OnUnknown;
use domain::base::outcome::Status;
use domain::event::key::Key;
use store::LedgerRow;
use testkit::until::until;

use crate::jobs::TestJob;
use crate::suite::Suite;

/// Checks a job against the contract. `ambiguous`: the number of its replies that were lost, whether or not the
/// provider call was made.
pub(crate) async fn check(suite: &Suite, job: &mut TestJob, ambiguous: usize) -> (LedgerRow, usize) {
    let row = settled(suite, &job.job.key).await;
    let arrived = job.arrived(suite).await;
    let (sends, what) = (arrived.len(), format!("{} {:?}", job.job.channel().name(), job.job.key));
    // G2 and F1: a receiver recognises a repeated message by its id.
    assert!(sends <= 1 + ambiguous, "{what}: {sends} sends, and {ambiguous} answers were lost");
    assert!(arrived.iter().collect::<BTreeSet<_>>().len() <= 1, "{what}: {arrived:?}");
    match row.status {
        Status::Sent | Status::Delivered => assert!(sends >= 1, "{what} is said to be sent"),
        Status::Unknown => {
            assert!(job.job.on_unknown == OnUnknown::Hold && ambiguous > 0, "{what} is unknown");
            assert!(sends <= 1, "{what} was sent again although nobody knew");
        }
        Status::Suppressed | Status::Deferred => assert_eq!(sends, 0, "{what} is said not to be sent"),
        Status::Failed | Status::Claimed | Status::Released => panic!("{what}: {row:?}"),
        Status::Unconfirmed | Status::Undelivered | Status::Bounced => panic!("{what}: {row:?}"),
    }
    if ambiguous == 0 {
        assert_eq!((row.status, sends), (Status::Sent, 1), "{what}: nothing was in doubt");
    }
    (row, sends)
}

/// G1 and G6: the row is final and no claim holds it.
pub(crate) async fn settled(suite: &Suite, key: &Key) -> LedgerRow {
    until("it stands in the ledger", async || {
        suite.cloud.ledger.find(key).await.unwrap().filter(|row| row.status.is_final())
    })
    .await
}
