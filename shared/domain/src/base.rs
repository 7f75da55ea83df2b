//! Vocabulary of all other folders: JSON, paths, languages, money, outcomes, texts of errors.

pub use carillon_event::batches;

pub mod channel;
pub mod config_error;
pub mod finding;
pub(crate) mod json;
pub mod link;
pub mod locale;
pub mod money;
pub mod outcome;
pub mod path;
pub mod sensitive;
pub mod sms_segments;
pub mod stack_secret;
pub mod suggestions;
pub mod tenant;
pub mod value_key;
