//! The deployed dispatch function with the SDK's default client: credentials, TLS and root certificates.

use aws_config::BehaviorVersion;
use dispatch::{Config, Dispatcher};
use queue::Sources;
use runtime::{Env, Error, init_log, run_sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let dispatcher = Dispatcher::new(&aws, config);
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    run_sqs(async |batch| dispatcher.handle(batch).await, delete).await
}
