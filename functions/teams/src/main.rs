//! Wiring; the work is in the library and in [`messaging`].

use runtime::Error;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    messaging::run(teams::PROVIDER).await
}
