//! Messages as their providers receive them, receipts, and fallback channels.
//!
//! - `phones`: SMS, push notifications and WhatsApp messages
//! - `email`: unsubscribe links, attachments, and requests to SES
//! - `webhooks`: signed requests, retries, and forbidden addresses
//! - `webhook_secrets`: stored webhook secrets and the roles that can decrypt them
//! - `workspaces`: Slack and Microsoft Teams messages
//! - `feedback`: receipts, suppressed addresses, devices that are gone
//! - `failover`: a channel that cannot deliver and its fallback channel; the outage test runs alone

pub(crate) mod email;
mod failover;
mod feedback;
mod phones;
mod webhook_secrets;
pub(crate) mod webhooks;
mod workspaces;
