//! Wires the function. The work is in the library.

use queue::Sources;
use runtime::{Env, Error, init_log, run_sqs};
use webhook::{Config, WebhookSender};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let tables = store::client(&aws);
    let sender = WebhookSender::new(&aws, &tables, config.sender);
    let worker = config.worker.open_with(&aws, &tables, config.later);
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    let deliver = async |batch| {
        let report = worker.deliver(batch, async |job| sender.send(job).await).await;
        sender.keep_attempts().await;
        report
    };
    run_sqs(deliver, delete).await
}
