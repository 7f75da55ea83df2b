//! Wires the function. The work is in the library.

use audit::Audit;
use queue::Sources;
use runtime::{Env, Error, init_log, run_sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let audit = Audit::from_env(&aws, &env)?;
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    run_sqs(async |batch| audit.keep(batch).await, delete).await
}
