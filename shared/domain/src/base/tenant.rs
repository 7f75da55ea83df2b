//! Reserved names of tenants.

pub use carillon_event::ALL_TENANTS;

/// The name that stands for no tenant where a key or a map needs one.
pub const NO_TENANT: &str = "-";
