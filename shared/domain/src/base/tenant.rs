//! Reserved names of tenants.

/// The name that stands for all tenants in the tenants of a recipient or a producer.
pub const ALL_TENANTS: &str = "*";

/// The name that stands for no tenant where a key or a map needs one.
pub const NO_TENANT: &str = "-";
