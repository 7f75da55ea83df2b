//! A bucket on the local cloud, with the file that the samples attach.

use cli::error::Error;
use cli::local_cloud::State;

use super::python;

/// The bucket for e-mail attachments on the local cloud.
pub(super) const BUCKET: &str = "carillon-local-files";

/// The attachment of the samples.
const KEY: &str = "tenants/clinic-westend/invoices/WE-2026-1187.pdf";
const PDF: &[u8] = include_bytes!("../../samples/invoice.pdf");

/// Creates the bucket and the file. An existing bucket or file is no error.
///
/// # Errors
/// The local cloud refused them.
pub(super) fn provide(state: &State) -> Result<(), Error> {
    let command = python::command(include_str!("../../scripts/sample_file.py"), &[BUCKET, KEY], state);
    let failed = format!("the files of the samples were not put into {BUCKET}");
    python::run(command, PDF, &failed).map(drop)
}
