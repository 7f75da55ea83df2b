//! Wires the function. The work is in the library.

use api::{Api, Config};
use runtime::{Env, Error, init_log, run_json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let api = Api::new(&aws, config);
    run_json(async |request| Ok(Box::pin(api.answer(request)).await)).await
}
