//! The shell of a Lambda function: environment, clock, log, and a verdict for every message of a batch.
//!
//! It knows the process so that the rest need not. It links no AWS client.

mod deadline;
mod env;
mod log;
mod sqs;

pub use deadline::{Deadline, now};
pub use env::{Env, Unset};
pub use lambda_runtime::Error;
pub use log::init_log;
pub use sqs::{Batch, Message, Report, run_sqs};

use lambda_runtime::{LambdaEvent, service_fn};

/// Serves invocations whose payload and answer are JSON, such as those of an API gateway.
///
/// # Errors
/// The Runtime API went away.
pub async fn run_json<I, O, F>(handle: F) -> Result<(), Error>
where
    I: for<'de> serde::Deserialize<'de>,
    O: serde::Serialize,
    F: AsyncFn(I) -> Result<O, Error>,
{
    let handle = &handle;
    lambda_runtime::run(service_fn(async move |event: LambdaEvent<I>| handle(event.payload).await)).await
}

/// An error with all its causes in one line, for the log: `cannot claim: timed out: connection reset`.
#[must_use]
pub fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(it) = cause {
        let said = it.to_string();
        if !text.ends_with(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = it.source();
    }
    text
}
