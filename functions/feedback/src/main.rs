//! Wiring; the work is in the library.

use feedback::{Clerk, Config};
use runtime::{Env, Error, init_log, run_sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let clerk = Clerk::new(&aws, config);
    // In a box: the runtime's layers around so many calls within calls are deeper than the compiler follows.
    run_sqs(async |batch| Ok(Box::pin(clerk.handle(batch)).await)).await
}
