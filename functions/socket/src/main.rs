//! Wires the function. The work is in the library.

use queue::Sources;
use runtime::{Batch, Env, Error, init_log, run_sqs};
use socket::{Config, Fanout};
use sockets::Sockets;
use store::{Connections, Inbox};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let tables = store::client(&aws);
    let fanout = Fanout {
        connections: Connections::new(&tables, config.connections_table),
        inbox: Inbox::new(&tables, config.inbox_table),
        sockets: Sockets::new(&aws, config.endpoint),
    };
    let worker = config.worker.open(&aws, &tables);
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    let deliver = async |batch: Batch| {
        let deadline = batch.deadline;
        worker.deliver(batch, async |job| fanout.send(job, deadline).await).await
    };
    run_sqs(deliver, delete).await
}
