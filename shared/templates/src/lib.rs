//! Rendering: a decision to send becomes what a channel sends, in the recipient's language.
//!
//! It is pure, and a crate of its own because it carries the template engine. Templates come from users, so each has a
//! limit on steps, on nesting and on length; a variable that is not there is an error, never an empty space.

mod renderer;
mod text;

pub use renderer::{Renderer, Scene, Unrendered};
