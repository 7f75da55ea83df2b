//! Wiring; the work is in the library.

use email::{Config, Letter, Ses};
use runtime::{Env, Error, init_log, run_sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let ses = Ses::new(&aws, config.sender);
    let desk = config.desk.open(&aws, &store::client(&aws));
    run_sqs(async |batch| desk.deliver(batch, async |job| ses.send(&Letter::shape(job)?).await).await).await
}
