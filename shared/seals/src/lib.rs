//! The bucket of audit seals and the key that signs them.
//!
//! S3 and KMS are called by signed requests, without their SDKs. Only six calls are needed, and the
//! signer and HTTP client are already linked for DynamoDB. This crate does not interpret the contents of
//! a seal.

mod keys;
mod seal_store;

pub use keys::{BadKey, PublicKey, Signer};
pub use seal_store::{Failed, SealStore, UnreadableSeal, bucket, minute_named, name_of};
