//! The feedback function: records the receipts of providers.
//!
//! A receipt is parsed, matched to its notification, applied to suppressions and recorded in the ledger.
//! Each message gets its own result. `domain::feedback::receipt` interprets receipts and decides about states.
//! `store` holds the conditions of the writes. The function sends no messages.

mod config;
mod receipt_backoff;
mod receipt_handler;

pub use config::Config;
pub use receipt_handler::ReceiptHandler;
