//! A bucket on the local cloud, with the one file that the samples attach.

use std::path::Path;
use std::process::Command;

use crate::error::Error;

use super::deploy;
use super::state::{FOLDER, State};

/// The bucket that letters may take files from on the local cloud.
pub(super) const BUCKET: &str = "carillon-local-files";

/// What the samples attach.
const KEY: &str = "tenants/clinic-westend/invoices/WE-2026-1187.pdf";

/// One page that says what it is.
const PDF: &str = "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>endobj\n\
4 0 obj<</Length 59>>stream\nBT /F 24 Tf 72 760 Td (Invoice WE-2026-1187, a sample) Tj ET\nendstream endobj\n\
trailer<</Root 1 0 R>>\n%%EOF\n";

/// Puts the bucket and the file there, by the SDK that came with SAM; that they are there already does no harm.
pub(super) fn provide(state: &State) -> Result<(), Error> {
    let script = "import boto3, sys
s3 = boto3.client('s3')
s3.create_bucket(Bucket=sys.argv[1])
s3.put_object(Bucket=sys.argv[1], Key=sys.argv[2], Body=sys.argv[3].encode(), ContentType='application/pdf')";
    let put = Command::new(deploy::tool("python"))
        .args(["-c", script, BUCKET, KEY, PDF])
        .envs(state.variables())
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .output()
        .map_err(|error| Error::read(Path::new(FOLDER), error))?;
    match put.status.success() {
        true => Ok(()),
        false => {
            let said = String::from_utf8_lossy(&put.stderr).into_owned();
            Err(Error::Cloud(format!("the files of the samples were not put into {BUCKET}: {said}")))
        }
    }
}
