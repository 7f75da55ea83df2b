//! Wires the function. The work is in the library.

use push::{Config, Devices};
use queue::Sources;
use runtime::{Env, Error, init_log, now, run_sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let devices = Devices::new(&aws, config.bus);
    let worker = config.worker.open(&aws, &store::client(&aws));
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    let deliver = async |batch| worker.deliver(batch, async |job| devices.send(job, now()).await).await;
    run_sqs(deliver, delete).await
}
