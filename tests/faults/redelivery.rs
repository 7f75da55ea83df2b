//! Redelivery: the same message several times, at once to several processes and again later.

use crate::hellos::{Hello, check_books};
use crate::invariants::check;
use crate::parcels::{CHANNELS, Parcel};
use crate::suite::play;

/// Reliability F3.
#[tokio::test]
async fn job_delivered_five_times_at_once_and_again_later_is_sent_once() {
    play(async |suite| {
        let hello = Hello::new(&suite.cloud).await;
        let entries: Vec<_> = (0..5).map(|_| hello.entry()).collect();
        let mut parcels = Vec::new();
        for channel in CHANNELS {
            parcels.push(Parcel::by(suite, channel).await);
        }
        for _ in 0..2 {
            suite.cloud.put(&entries).await;
            for it in parcels.iter().flat_map(|parcel| std::iter::repeat_n(parcel, 5)) {
                it.send(suite).await;
            }
            suite.peace().await;
        }
        for parcel in &mut parcels {
            check(suite, parcel, 0).await;
        }
        hello.check(suite, 0).await;
        check_books(suite, &[hello]).await;
    })
    .await;
}
