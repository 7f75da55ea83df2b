//! Audit records and the signed digests over them.

pub mod access;
pub mod seal;
