//! Wires the function. The work is in the library.

use gateway::{Config, Gateway};
use runtime::{Env, Error, init_log, run_json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let gateway = Gateway::new(&aws, config);
    run_json(async |request| Ok(Box::pin(gateway.answer(request)).await?)).await
}
