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
    let courier = WebhookSender::new(&aws, &tables, config.courier);
    let desk = config.desk.open_with(&aws, &tables, config.later);
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    let deliver = async |batch| {
        let report = desk.deliver(batch, async |job| courier.send(job).await).await;
        courier.keep_attempts().await;
        report
    };
    run_sqs(deliver, delete).await
}
