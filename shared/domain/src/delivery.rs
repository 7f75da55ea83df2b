//! Units of work for channel functions, and when a send is tried, held back or given up.

pub mod attachment;
pub mod breaker;
pub mod endpoint_recovery;
pub mod handling;
pub mod job;
pub mod manual;
pub mod poison;
pub mod rate_limit;
pub mod render_checks;
pub mod retry;
pub mod sms_spend;
