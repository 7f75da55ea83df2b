//! Limits over time: counters of caps and throttles, digests, cancellations.

pub mod cancel;
pub mod counter;
pub mod digest;
