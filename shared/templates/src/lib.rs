//! Rendering: turns a decision to send into the content of a channel, in the recipient's language.
//!
//! Rendering is pure. This is a crate of its own because it contains the template engine and the language data.
//! Templates come from users, so steps, nesting, length and value sizes are limited. A missing variable is an error
//! and never renders as empty text.

mod cards;
mod escape;
mod extra;
mod failure;
mod grammar;
mod inspect;
mod limits;
mod names;
mod proofs;
mod renderer;
mod scene;
mod speech;
mod strings;
mod survivors;
mod text;
mod values;

pub use extra::Extra;
pub use failure::{Cause, Path, Unrendered};
pub use inspect::{FILTERS, FUNCTIONS, Mistake, TESTS};
pub use proofs::{Written, proofread, proofs, scene_of, settle};
pub use renderer::Renderer;
pub use scene::{SAMPLE_WAY_OUT, Scene};
pub use survivors::{LeftOut, Told};
