//! The shell of a Lambda function: environment, clock, log, and the report on each message of a batch.
//!
//! Only this crate reads the process. It links no AWS client.

mod deadline;
mod env;
mod isolation;
mod log;
mod metric;
mod names;
mod policy;
mod sqs;

pub use aws::chain;
pub use deadline::{Deadline, now};
pub use env::{Env, Unset};
pub use isolation::run_isolated;
pub use lambda_runtime::Error;
pub use log::init_log;
pub use metric::count;
pub use names::{allowed, look_up, vet, vouched};
pub use policy::{PolicyUnusable, policy, producers};
pub use sqs::{Batch, Message, Report, run_sqs};

use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};

/// Serves invocations with a JSON payload and answer, such as those of API Gateway.
///
/// # Errors
/// The Runtime API is gone.
pub async fn run_json<I, O, F>(handle: F) -> Result<(), Error>
where
    I: for<'de> serde::Deserialize<'de>,
    O: serde::Serialize,
    F: AsyncFn(I) -> Result<O, Error>,
{
    let handle = &handle;
    let serve = async move |event: LambdaEvent<I>| handle(event.payload).await.map_err(Failed::of);
    lambda_runtime::run(service_fn(serve)).await
}

/// An invocation of a function with several event sources. The function tells them apart.
pub struct Invocation {
    /// The payload as JSON text.
    pub payload: Box<serde_json::value::RawValue>,
    pub deadline: Deadline,
}

/// Serves invocations with any payload, one after the other.
///
/// An `Err` from `handle` fails the invocation. Lambda then retries stream records and redelivers queue
/// messages.
///
/// # Errors
/// The Runtime API is gone.
pub async fn run_any<O, F>(handle: F) -> Result<(), Error>
where
    O: serde::Serialize,
    F: AsyncFn(Invocation) -> Result<O, Error>,
{
    let handle = &handle;
    let serve = async move |event: LambdaEvent<Box<serde_json::value::RawValue>>| {
        let deadline = Deadline::at_millis(event.context.deadline);
        Box::pin(handle(Invocation { payload: event.payload, deadline })).await.map_err(Failed::of)
    };
    lambda_runtime::run(service_fn(serve)).await
}

/// The error of a failed invocation. The Lambda runtime logs it once, by its `Debug`.
struct Failed(String);

impl Failed {
    #[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
    fn of(error: Error) -> Failed {
        Failed(chain(error.as_ref()))
    }
}

impl std::fmt::Debug for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Failed> for Diagnostic {
    fn from(failed: Failed) -> Diagnostic {
        Diagnostic { error_type: "Carillon.InvocationFailed".to_owned(), error_message: failed.0 }
    }
}
