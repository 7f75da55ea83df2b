//! Sends messages to a workspace provider such as Slack or Microsoft Teams over HTTP.
//!
//! A channel function brings a [`Provider`]: how a message becomes a request, and the meaning of an answer.
//! [`Sender`] finds the credentials, checks the host and sends once. Claiming, settling and retrying are [`delivery`]'s.

mod config;
mod credentials;
mod sender;

pub use config::Config;
pub use credentials::{Access, Credentials, Unreadable};
pub use sender::{Provider, Reply, Request, Sender, configuration, permanent, throttled, transient};

use queue::Sources;
use runtime::{Env, Error, init_log, run_sqs};

/// The shell of a channel function.
///
/// # Errors
/// The environment is incomplete, or the runtime stopped.
pub async fn run(provider: Provider) -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env, provider.channel.name())?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let worker = config.worker.open(&aws, &store::client(&aws));
    let sender = Sender::new(provider, config.credentials, config.endpoint, config.hosts)?;
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    // Boxes keep the size of the futures, and with it the depth of their types, within the compiler's limit.
    let deliver = async |batch| worker.deliver(batch, async |job| Box::pin(sender.send(job)).await).await;
    Box::pin(run_sqs(deliver, delete)).await
}
