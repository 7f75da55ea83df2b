//! The parts of `carillon explain` that other programs use.

use std::path::Path;

use domain::catalog::Catalog;
use domain::event::Event;
use serde_json::Value;
use store::{Ledger, LedgerRow};

use crate::error::Error;
use crate::explain::{self, happened};
use crate::terminal::Terminal;

/// Reads a catalog: a config folder, or a compiled file.
///
/// # Errors
/// The catalog cannot be read or has errors.
pub fn catalog(path: &Path) -> Result<Catalog, Error> {
    explain::catalog(path)
}

/// Reads the ledger rows of an event, with those of its digests.
///
/// # Errors
/// A table cannot be read.
pub async fn ledger_rows(ledger: &Ledger, event: &Event) -> Result<Vec<LedgerRow>, Error> {
    happened::rows(ledger, event).await
}

/// A ledger row as `explain --json` prints it.
pub fn row_json(row: &LedgerRow) -> Value {
    happened::value(row)
}

/// Prints a ledger row as `explain` does.
pub fn print_row(row: &LedgerRow, terminal: &Terminal) {
    happened::line(row, terminal);
}
