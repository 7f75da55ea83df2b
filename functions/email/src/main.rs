//! Wires the function. The work is in the library.

use email::{AttachmentStore, Config, Ses};
use queue::Sources;
use runtime::{Env, Error, init_log, run_sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let ses = Ses::new(&aws, config.sender, config.configuration_set);
    let buckets = AttachmentStore::new(&aws, config.buckets, config.prefixes);
    let worker = config.worker.open(&aws, &store::client(&aws));
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    let deliver =
        async |batch| worker.deliver(batch, async |job| email::send(job, &buckets, &ses).await).await;
    run_sqs(deliver, delete).await
}
