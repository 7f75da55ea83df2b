//! Wires the function. The work is in the library.

use feedback::{Config, ReceiptHandler};
use queue::Sources;
use runtime::{Env, Error, init_log, run_sqs};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let env = Env::process();
    init_log(&env);
    let config = Config::from_env(&env)?;
    let aws = aws::Settings::read(|name| env.optional(name))?.config();
    let handler = ReceiptHandler::new(&aws, config);
    let delete = Sources::beside(&aws, &env.required("DEAD_LETTERS_URL")?).deleting();
    // Boxed, because the nested future of the runtime exceeds the compiler's recursion limit.
    let handle = async |batch| Ok(Box::pin(handler.handle(batch)).await);
    run_sqs(handle, delete).await
}
