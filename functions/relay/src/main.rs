//! Wires the function. The work is in the library.

use relay::{Config, Relay};
use runtime::{Env, Error, init_log, run_any};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let relay = Relay::new(&aws, config);
    run_any(async |invocation| relay.handle(&invocation).await).await
}
