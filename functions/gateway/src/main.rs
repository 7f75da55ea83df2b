//! Wiring; the work is in the library.

use gateway::Gateway;
use runtime::{Env, Error, init_log, run_json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let gateway = Gateway::new(&aws, env.required("CONNECTIONS_TABLE")?, env.required("LEDGER_TABLE")?);
    run_json(async |request| Ok(gateway.answer(request).await?)).await
}
