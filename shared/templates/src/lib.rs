//! Rendering: a decision to send becomes what a channel sends, in the recipient's language.
//!
//! It is pure, and a crate of its own because it carries the template engine and the world's languages. Templates come
//! from users, so each has a limit on steps, on nesting, on length and on what it works on; a variable that is not there
//! is an error, never an empty space.

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
