//! Wires the function. The work is in the library.

use runtime::{Env, Error, init_log, run_any};
use sweep::Sweep;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let sweep = Sweep::from_env(&aws, &env)?;
    run_any(async |invocation| sweep.run(&invocation).await).await
}
