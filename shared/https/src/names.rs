//! From a name to its addresses.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

/// Who knows addresses.
pub enum Names {
    /// The resolver of the machine.
    System,
    /// Nobody but this list: what a test, or a measurement, wants a name to lead to.
    Listed(BTreeMap<String, Vec<IpAddr>>),
}

impl Names {
    /// All addresses of a name, as it stands: no search suffix is tried.
    ///
    /// # Errors
    /// The resolver does not know it, or did not answer.
    pub(crate) async fn look_up(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        match self {
            Names::System => runtime::look_up(name).await,
            Names::Listed(all) => Ok(all.get(name).cloned().unwrap_or_default()),
        }
    }
}
