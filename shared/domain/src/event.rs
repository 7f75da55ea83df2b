//! Events of the bus. The envelope and its strict form are in [`carillon_event`], which producers use too.
//! [`bus`] reads tolerantly.

pub mod bus;
pub mod emitted;
pub mod expose;
pub mod key;
pub mod layout;
pub mod origin;
pub mod outbox_mark;
pub mod own_events;
pub mod producers;
pub mod replay;
pub mod retention;

pub(crate) use carillon_event::reading::{
    Fields, check_name, check_tenant, check_type, extension, is_extension_name, kind_of, read_time,
    timestamp, trace_context,
};
pub use carillon_event::{
    Attribute, Data, Event, Extension, Found, MAX_DEPTH, MAX_EVENT_BYTES, Priority, Refusal, RefusalClass,
    Sequence, Unusable, WrittenTimes, names_time, with_attribute,
};

#[cfg(test)]
mod tests;
