//! Webhook endpoints of tenants.

pub mod endpoint;
