//! `carillon audit`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Subcommand};
use domain::Timestamp;

use crate::since;

fn time(text: &str) -> Result<Timestamp, String> {
    since::ago(text).map_err(|error| error.to_string())
}

#[derive(Subcommand)]
pub(crate) enum Audit {
    Verify(Verify),
    Seals(Seals),
    Access(AuditAccess),
}

/// List who asked for what, over the HTTP API and with this command line, oldest first; exit 1 if nothing fits
#[derive(ClapArgs)]
#[command(
    group = clap::ArgGroup::new("about").required(true).multiple(true),
    after_help = "Examples:
  carillon audit access --person patient-lena
  carillon --env prod audit access --person patient-lena --since 30d --json
  carillon audit access --subject owner-sam --since 2h
  carillon --env prod audit access --subject arn:aws:sts::123456789012:assumed-role/ops/sam --since 7d
  carillon audit access --since 15m

Records about a person are one query. Without --person, everything that was recorded in that time is
read: without --since that is a day."
)]
pub(crate) struct AuditAccess {
    /// What concerned this person, lists that held the person too
    #[arg(long, value_name = "ID", group = "about", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) person: Option<String>,
    /// Only of this caller: a token's user, or the ARN of an IAM identity
    #[arg(long, value_name = "SUBJECT", group = "about", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) subject: Option<String>,
    /// How far back: 30m, 24h, 7d
    #[arg(long, value_name = "TIME", group = "about")]
    pub(crate) since: Option<String>,
}

/// Compare every record of the audit with its seal, and every seal with the one before; exit 1 if anything is wrong
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon audit verify
  carillon audit verify --from 2h
  carillon --env prod audit verify --from 2026-11-01T00:00:00Z --to 2026-11-02T00:00:00Z
  carillon --env prod --json audit verify --seals seals/ --public-key seals/public-key.pem

Signatures are checked on this machine. Seals and public key that were saved earlier and kept
elsewhere (`carillon audit seals --save`) need no trust in whoever runs the bucket and the key.")]
pub(crate) struct Verify {
    /// Begin with this minute: that of the first seal, when it is left out
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// End before this minute: what may have been sealed by now, when it is left out
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    /// Seals from this folder, not from the bucket
    #[arg(long, value_name = "FOLDER")]
    pub(crate) seals: Option<PathBuf>,
    /// The public key from this file, PEM, not from KMS
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
}

/// List the seals, and save them with the public key where nobody can reach them who runs the table
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon audit seals --from 2026-11-20T12:00:00Z
  carillon --env prod audit seals --save seals/")]
pub(crate) struct Seals {
    /// Begin with this minute
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// End before this minute
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    /// Write them into this folder too, and the key to public-key.pem
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,
}
