//! email: sends letters through Amazon SES.
//!
//! [`Letter`] is what SES is asked, exactly; [`Ses`] asks it and reads the answer. Claiming, settling and retrying are
//! [`delivery`]'s.

mod config;
mod letter;
mod ses;

pub use config::Config;
pub use letter::Letter;
pub use ses::Ses;
