//! `carillon audit`.

use std::path::PathBuf;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args as ClapArgs, Subcommand};
use domain::Timestamp;

use super::age;
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

/// List accesses to personal data by the HTTP API and this program, oldest first; exit 1 without any
#[derive(ClapArgs)]
#[command(
    group = clap::ArgGroup::new("about").required(true).multiple(true),
    after_help = "Examples:
  carillon audit access --person patient-lena
  carillon --env prod audit access --person patient-lena --since 30d --json
  carillon audit access --subject owner-sam --since 2h
  carillon --env prod audit access --subject arn:aws:sts::123456789012:assumed-role/ops/sam --since 7d
  carillon audit access --since 15m

Records about a person are one query. Without --person, all records of the time are read: one day without --since."
)]
pub(crate) struct AuditAccess {
    /// Accesses to this person, with lists that contained the person
    #[arg(long, value_name = "ID", group = "about", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) person: Option<String>,
    /// Only accesses of this caller: a token's user, or the ARN of an IAM identity
    #[arg(long, value_name = "SUBJECT", group = "about", value_parser = NonEmptyStringValueParser::new())]
    pub(crate) subject: Option<String>,
    /// The age of the oldest access: 30m, 24h, 7d
    #[arg(long, value_name = "TIME", group = "about", value_parser = age)]
    pub(crate) since: Option<String>,
}

/// Verify every audit record against its seal, and every seal against the previous one; exit 1 for a mismatch
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon audit verify
  carillon audit verify --from 2h
  carillon --env prod audit verify --from 2026-11-01T00:00:00Z --to 2026-11-02T00:00:00Z
  carillon --env prod --json audit verify --seals seals/ --public-key seals/public-key.pem

Signatures are checked on this machine. Seals and a public key that were saved elsewhere
(`carillon audit seals --save`) need no trust in the operator of the bucket and the key.")]
pub(crate) struct Verify {
    /// The first minute; that of the first seal by default
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// The end, exclusive; the last minute that can be sealed by default
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    /// Read the seals from this folder instead of the bucket
    #[arg(long, value_name = "FOLDER")]
    pub(crate) seals: Option<PathBuf>,
    /// Read the public key from this PEM file instead of KMS
    #[arg(long, value_name = "FILE")]
    pub(crate) public_key: Option<PathBuf>,
}

/// List the seals, or save them with the public key
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon audit seals --from 2026-11-20T12:00:00Z
  carillon --env prod audit seals --save seals/")]
pub(crate) struct Seals {
    /// The first minute
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) from: Option<Timestamp>,
    /// The end, exclusive
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub(crate) to: Option<Timestamp>,
    /// Save the seals in this folder, and the key as public-key.pem
    #[arg(long, value_name = "FOLDER")]
    pub(crate) save: Option<PathBuf>,
}
