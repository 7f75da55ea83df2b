//! Wires the function. The work is in the library.

use queue::Sources;
use runtime::{Env, Error, init_log, now, run_sqs};
use sms::{Config, SmsSender};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let (bus, wishes) = (config.bus, config.wishes);
    let open = |service| SmsSender::new(&aws, service, bus.clone());
    let carriers: Vec<SmsSender> = config.providers.into_iter().map(open).collect();
    let worker = config.worker.open(&aws, &store::client(&aws));
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    let deliver = async |batch| {
        worker
            .deliver_by(batch, async |job, provider| {
                // The worker passes an index into the list of providers.
                let carrier = carriers.get(provider).unwrap_or(&carriers[0]);
                carrier.send(job, &wishes, now()).await
            })
            .await
    };
    run_sqs(deliver, delete).await
}
