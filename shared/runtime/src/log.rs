//! The log: JSON lines on stderr, which Lambda stores.

use tracing::level_filters::LevelFilter;

use crate::Env;

/// Starts the log. `LOG_LEVEL` is `error`, `warn` or `info` (the default). Lower levels are not compiled
/// in.
pub fn init_log(env: &Env) {
    let level = env.optional("LOG_LEVEL").and_then(|optional| optional.parse::<LevelFilter>().ok());
    let subscriber = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_target(false)
        .with_max_level(level.unwrap_or(LevelFilter::INFO))
        .with_writer(std::io::stderr)
        .finish();
    // A second call, as in tests, keeps the first subscriber.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
