//! Parts of the reader, for programs that read other envelopes into an [`Event`](crate::Event).
//!
//! Producers do not need this module. It may change with every minor version.

pub use crate::attributes::{
    check_name, check_tenant, check_type, extension, is_extension_name, is_scheme, timestamp, trace_context,
};
pub use crate::fields::{Fields, kind_of};
pub use crate::marks::covers;
pub use crate::rfc3339::{Moment, read as read_time};
