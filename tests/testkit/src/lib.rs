//! Clients of the local cloud that end-to-end and fault tests share. `make up` starts the cloud.
//!
//! - `cloud`: the deployed stack, with an SDK client for each of its services
//! - `api_client`: HTTP client of the API, with valid and forged tokens
//! - `ws_client`: WebSocket client of the gateway
//! - `outbox_producer`: a producer with an outbox table of its own
//! - `sweeping`: the sweep, run without its schedule
//! - `aws_cli`: the AWS CLI, pointed at the local cloud
//! - `until`: polling for an expected state

#![expect(clippy::unwrap_used, reason = "a test stops at the first error and shows its place")]

pub mod api_client;
pub mod aws_cli;
pub mod cloud;
pub mod outbox_producer;
pub mod sweeping;
pub mod until;
pub mod ws_client;
