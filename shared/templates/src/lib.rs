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
mod locale_format;
mod names;
mod proofs;
mod renderer;
mod strings;
mod survivors;
mod template_context;
mod text;
mod values;

pub use extra::Extra;
pub use failure::{Cause, Path, Unrendered};
pub use inspect::{FILTERS, FUNCTIONS, Mistake, TESTS};
pub use proofs::{Written, context_of, proofs, settle};
pub use renderer::Renderer;
pub use survivors::{LeftOut, Rendered};
pub use template_context::{SAMPLE_WAY_OUT, TemplateContext};
