//! End-to-end tests on the local cloud, and checks of the whole repository. One binary, one module per subject:
//!
//! - `end_to_end`: an event becomes an e-mail, an in-app message and an audit record
//! - `delivery`: one send for duplicates and abandoned claims
//! - `engine`: digests, throttles, quiet hours, escalations, cancellations, large audiences
//! - `workspaces`: Slack and Microsoft Teams messages, from the event to the provider's request
//! - `channel_lists`: every list of channels outside the domain equals `Channel::ALL`
//! - `channels`: SMS, push notifications and WhatsApp messages as their providers receive them
//! - `feedback`: receipts, suppressed addresses, devices that are gone
//! - `email`: unsubscribe links, attachments, and requests to SES
//! - `webhook_secrets`: stored webhook secrets and the roles that can decrypt them
//! - `webhooks`: signed requests, retries, and forbidden addresses
//! - `failover`: a channel that cannot deliver and its fallback channel; the outage test runs alone
//! - `bad_input`: bad input has an outcome with a reason and does not affect other messages
//! - `outbox`: from a producer's transaction to the recipient despite crashes; streams; delivery events on the bus
//! - `render`: messages that the CLI previews
//! - `replay`: recorded events sent again, without duplicate notifications
//! - `forgery`: forged events change no record and no stream
//! - `sealing`: changed audit records and seals are found and named
//! - `broadcast`: live events to rooms and users, which are not stored
//! - `gateway`: tickets, rooms, and messages to clients
//! - `inbox`: in-app messages that are read later
//! - `resume`: messages that a client missed while it was away
//! - `producers`: events that a hostile producer may not publish
//! - `people`: updates of people, topics and tenants by the bus and the CLI
//! - `privacy`: unsubscribe links, keyed hashes, and address changes
//! - `api`: permissions and refusals of the HTTP API; inboxes, endpoints, devices and notifications over it
//! - `access`: access records of API requests and CLI commands
//! - `sessions`: sockets end with their token, person or tenant, or on request
//! - `limits`: limits on endpoints, pings and sockets
//! - `received`: the CLI's report on a person's notifications
//! - `commands`: commands of the CLI
//! - `browser`: CORS of the HTTP API
//! - `corpus`: files of releases for every stored format
//! - `releases`: the files of `make dist`
//! - `upgrade`: new indexes of a deployed stack, and refused upgrades
//! - `deploying`: commands of `make` for each environment
//! - `dlq`: dead-letter queues listed, redriven and deleted
//! - `patterns`: our pattern matcher compared with the local cloud's `TestEventPattern`
//! - `journeys`: notifications of each sample event, as snapshots
//! - `tenancy`: a hostile tenant, with foreign files, foreign devices, empty tenants and shared people
//! - `template`: properties of every queue, rule and role in the template
//! - `architecture`: dependencies between crates
//!
//! `make test` starts the local cloud first. Support code is in `api_client`, `cloud`, `ws_client`, `outbox_producer`,
//! `sweeping` and `until`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod access;
mod api;
mod api_client;
mod architecture;
mod bad_input;
mod broadcast;
mod browser;
mod channel_lists;
mod channels;
mod cloud;
mod cloudevents;
mod commands;
mod corpus;
mod delivery;
mod deploying;
mod dlq;
mod email;
mod end_to_end;
mod engine;
mod examples;
mod failover;
mod feedback;
mod forgery;
mod gateway;
mod inbox;
mod journeys;
mod limits;
mod lookups;
mod outbox;
mod outbox_producer;
mod patterns;
mod people;
mod privacy;
mod producers;
mod projects;
mod received;
mod recovery;
mod releases;
mod render;
mod replaced_systems;
mod replay;
mod resume;
mod sealing;
mod sessions;
mod sweeping;
mod template;
mod tenancy;
mod until;
mod upgrade;
mod webhook_secrets;
mod webhooks;
mod workspaces;
mod ws_client;
