//! A bucket on the local cloud, with the one file that the samples attach.

use std::time::Duration;

use crate::error::Error;

use super::state::State;

/// The bucket that letters may take files from on the local cloud.
pub(super) const BUCKET: &str = "carillon-local-files";

/// What the samples attach.
const KEY: &str = "invoices/WE-2026-1187.pdf";

/// One page that says what it is.
const PDF: &str = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n\
4 0 obj<</Length 59>>stream\nBT /F 24 Tf 72 760 Td (Invoice WE-2026-1187, a sample) Tj ET\nendstream endobj\n\
trailer<</Root 1 0 R>>\n%%EOF\n";

/// Puts the bucket and the file there; that they are there already does no harm.
pub(super) fn provide(state: &State) -> Result<(), Error> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .http_status_as_error(false)
        .build()
        .into();
    let failed = |what: &str, why: String| {
        Error::Cloud(format!("{what} could not be put into the local cloud: {why}"))
    };
    let bucket = format!("{}/{BUCKET}", state.endpoint());
    let made = agent.put(&bucket).send_empty().map_err(|it| failed(BUCKET, it.to_string()))?;
    // 409: it is ours already.
    if !made.status().is_success() && made.status().as_u16() != 409 {
        return Err(failed(BUCKET, made.status().to_string()));
    }
    let put = agent.put(format!("{bucket}/{KEY}")).header("content-type", "application/pdf").send(PDF);
    match put {
        Ok(it) if it.status().is_success() => Ok(()),
        Ok(it) => Err(failed(KEY, it.status().to_string())),
        Err(it) => Err(failed(KEY, it.to_string())),
    }
}
