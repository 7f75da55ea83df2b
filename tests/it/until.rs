//! Waiting for what will be, and making sure that nothing more comes.

use std::time::Duration;

/// A function that a loaded machine slows beyond its timeout leaves its batch to the next one, for which the batch is
/// visible after 180 s (`VisibilityTimeout` in `infra/template.yaml`).
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);
const PAUSE: Duration = Duration::from_millis(200);

/// Asks until the answer is `Some`.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
    let place = std::panic::Location::caller();
    async move {
        let asked = async {
            loop {
                if let Some(ask) = ask().await {
                    return ask;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        match tokio::time::timeout(PATIENCE, asked).await {
            Ok(timeout) => timeout,
            Err(_) => panic!("{place}: after {} s still not: {what}", PATIENCE.as_secs()),
        }
    }
}

/// Long enough for a message that should not exist to have arrived.
pub(crate) async fn quiet() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}
