//! The log: JSON lines on stderr, which Lambda keeps.

use tracing::level_filters::LevelFilter;

use crate::Env;

/// Starts the log. `LOG_LEVEL` is `error`, `warn` or `info` (the default). What is below `info` is not compiled in.
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
    // A second call, as in tests, leaves the first in place.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
