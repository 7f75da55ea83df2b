//! Polling for an expected state, and waiting to show that no further message arrives.

use std::time::Duration;

/// Longest wait. A function that times out on a loaded machine returns its batch, which becomes visible after 180 s
/// (`VisibilityTimeout` in `infra/template.yaml`).
pub const PATIENCE: Duration = Duration::from_secs(240);
const PAUSE: Duration = Duration::from_millis(200);

/// Polls until the answer is `Some`.
#[track_caller]
pub fn until<T>(what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> impl Future<Output = T> {
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

/// Waits long enough for an unwanted message to have arrived.
pub async fn quiet() {
    tokio::time::sleep(Duration::from_secs(3)).await;
}
