//! Wires the function. The work is in the library.

use runtime::{Env, Error, init_log, run_any};
use seal::Sealer;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let sealer = Sealer::from_env(&aws, &env)?;
    run_any(async |invocation| sealer.run(&invocation).await).await
}
