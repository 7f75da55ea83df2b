//! audit as it is deployed, but for its client: credentials, TLS and roots are what the SDK brings by default.

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
