//! Checks of the whole repository that need no cloud. One module per subject:
//!
//! - `architecture`: dependencies between crates, file sizes, log codes, patches that break code on purpose
//! - `channel_lists`: every list of channels outside the domain equals `Channel::ALL`
//! - `template`: properties of every queue, rule and role in the template
//! - `deploying`: commands of `make` for each environment
//! - `projects`: a user's own project in the CLI
//! - `render`: messages that the CLI previews
//! - `commands`: commands of the CLI that need no cloud
//! - `sensitive_fields`: public fields with personal data or secrets have the type `Sensitive`
//! - `corpus`: files of releases for every stored format
//! - `releases`: the files of `make dist`
//! - `documents`: code in documents that equals code in examples
//!
//! `make build` comes first, because the tests run the CLI and read the compiled catalog.

#![expect(clippy::unwrap_used, reason = "a test stops at the first error and shows its place")]

mod architecture;
mod cargo_metadata;
mod channel_lists;
mod commands;
mod corpus;
mod deploying;
mod documents;
mod projects;
mod releases;
mod render;
mod sensitive_fields;
mod template;
