//! JSON text: the scanner of [`carillon_event::json`], decimal numbers, a hash of the content, and values cut out by
//! path.

mod canonical;
mod decimal;
mod pick;

pub(crate) use canonical::content_hash;
pub(crate) use carillon_event::json::{Raw, Scanner, without_members};
pub(crate) use decimal::Decimal;
pub use decimal::as_double;
pub(crate) use pick::pick;
