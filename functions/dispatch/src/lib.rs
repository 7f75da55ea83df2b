//! dispatch: an event comes off the bus, and everybody it concerns gets a job in the queue of their channel, or an
//! outcome that says why not.
//!
//! Read → plan → look people up → decide → render → hand over. The deciding is `domain`'s and the rendering is
//! `templates`'; here is what lies between them and AWS. It claims nothing: when a batch comes twice, the same jobs
//! go out twice under the same keys, and the ledger lets one of each through.

mod broadcast;
mod config;
mod dispatcher;
mod handover;
mod intake;
mod lane;
mod orders;
mod questions;
mod rate;
mod sets;
mod unfold;
mod way_out;

pub use config::{CatalogUnusable, Config, Lanes, Targets, load_catalog};
pub use dispatcher::Dispatcher;
pub use intake::{Intake, read};
pub use lane::{Lane, Leaving};
pub use orders::{Words, Work, work};
pub use unfold::PAGE;
pub use way_out::WaysOut;
