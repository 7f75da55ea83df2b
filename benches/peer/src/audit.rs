//! The deployed audit function with the SDK's default client: credentials, TLS and root certificates.

use audit::Audit;
use aws_config::BehaviorVersion;
use queue::Sources;
use runtime::{Env, Error, init_log, run_sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let aws = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let audit = Audit::from_env(&aws, &env)?;
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    run_sqs(async |batch| audit.keep(batch).await, delete).await
}
