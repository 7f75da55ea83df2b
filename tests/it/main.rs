//! End to end, and what holds for the whole repository. One binary, a module for each subject:
//!
//! - `thread`: an event becomes a letter, a live message and an audit record
//! - `delivery`: once, whatever comes twice or is left behind
//! - `engine`: digests, throttles, nights, escalations, cancellations, large audiences
//! - `workspaces`: Slack and Microsoft Teams, from the event to the request of the provider
//! - `channel_lists`: every list of channels outside the domain, compared with `Channel::ALL`
//! - `channels`: texts, notes and WhatsApp messages, as their providers get them
//! - `feedback`: receipts, closed addresses, devices that are gone
//! - `email`: how letters are left, what they bring along, what SES is asked
//! - `webhook_secrets`: what the table holds of them, and who can read it
//! - `webhooks`: signed requests, retries, and what must not be asked
//! - `failover`: a channel that cannot deliver, and the one that takes its place; one of them is played alone
//! - `bad_input`: each gives a reasoned outcome, and its neighbours go through
//! - `outbox`: from a producer's transaction to the person, whatever dies on the way; streams of events; what the bus hears
//! - `render`: what the CLI shows of messages before they are sent
//! - `replay`: recorded events sent on their way again: what was lost is told, and nobody twice
//! - `forgery`: what a hostile producer puts on the bus changes no record and no stream
//! - `sealing`: who touches what was recorded, or its seals, is found and named
//! - `broadcast`: events that go live to rooms and users, and of which nothing is kept
//! - `gateway`: tickets, rooms, and what clients are told
//! - `inbox`: what was said live and is read later
//! - `resume`: what a client missed that was away
//! - `producers`: a hostile producer, and what is refused
//! - `people`: what the bus and the CLI say about people, topics and tenants
//! - `privacy`: links that act once, hashes that need the stack's secret, changed addresses
//! - `api`: the HTTP API: who reaches what, once, and what is said to everybody else; inboxes, endpoints, devices and
//!   deliveries over it
//! - `access`: who asked for what, over the API and with the CLI, is on record
//! - `sessions`: sockets end with their token, their person, a tenant, or on request
//! - `limits`: endpoints and their owners' proof, pings, sockets: who is over a limit, and what happens then
//! - `received`: what the CLI says of somebody's messages
//! - `commands`: the CLI as a person types it
//! - `browser`: what a page of another origin may ask of the HTTP API
//! - `deploying`: what `make` does for each environment
//! - `dlq`: what was put aside, listed, sent back, deleted
//! - `patterns`: our matcher beside the local cloud's `TestEventPattern`
//! - `journeys`: what each sample makes of whom, as they will read it
//! - `tenancy`: a hostile tenant: foreign files, foreign devices, empty tenants, shared people
//! - `template`: what must hold for every queue, rule and role
//! - `house`: who may depend on whom
//!
//! `make test` brings the local cloud up first; the support is in `asking`, `cloud`, `client`, `desk` and `until`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say where it stopped")]

mod access;
mod api;
mod asking;
mod bad_input;
mod broadcast;
mod browser;
mod channel_lists;
mod channels;
mod client;
mod cloud;
mod cloudevents;
mod commands;
mod delivery;
mod deploying;
mod desk;
mod dlq;
mod email;
mod engine;
mod examples;
mod failover;
mod feedback;
mod forgery;
mod gateway;
mod house;
mod inbox;
mod journeys;
mod limits;
mod lookups;
mod outbox;
mod patterns;
mod people;
mod privacy;
mod producers;
mod projects;
mod received;
mod recovery;
mod render;
mod replaced_systems;
mod replay;
mod resume;
mod sealing;
mod sessions;
mod sweeping;
mod template;
mod tenancy;
mod thread;
mod until;
mod webhook_secrets;
mod webhooks;
mod workspaces;
