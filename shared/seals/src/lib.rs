//! Where the audit's seals are kept, and the key that signs them.
//!
//! S3 and KMS are asked by signed requests, not by their SDKs: six calls are all there is, and what signs and carries
//! them is linked already, for DynamoDB. It does not know what a seal says of which record.

mod keys;
mod vault;

pub use keys::{BadKey, PublicKey, Signer};
pub use vault::{Damaged, Failed, Vault, bucket, minute_named, name_of};
