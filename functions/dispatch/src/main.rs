//! The entry point of the Lambda function. The library contains the logic.

use dispatch::{Config, Dispatcher};
use queue::Sources;
use runtime::{Env, Error, init_log, run_sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let dispatcher = Dispatcher::new(&aws, config);
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    run_sqs(async |batch| dispatcher.handle(batch).await, delete).await
}
