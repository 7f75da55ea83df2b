//! push: sends notes to the lock screens of phones and tablets through Amazon SNS.
//!
//! [`Note`] is what SNS is asked, exactly; [`Devices`] asks it, and tells the bus of a device that is gone. Claiming,
//! settling and retrying are [`delivery`]'s.

mod config;
mod devices;
mod farewell;
mod note;

pub use config::Config;
pub use devices::Devices;
pub use farewell::{UNREGISTERED, farewell};
pub use note::{MAX_PAYLOAD_BYTES, Note};
