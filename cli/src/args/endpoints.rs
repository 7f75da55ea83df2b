//! `carillon endpoints …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use domain::endpoint::secret::Scheme;

#[derive(Subcommand)]
pub(crate) enum Endpoints {
    /// List the endpoints of a tenant, or of all
    #[command(after_help = "Examples:
  carillon endpoints ls
  carillon endpoints ls acme --json")]
    Ls {
        /// Only this tenant's; - for those of no tenant
        #[arg(value_name = "TENANT")]
        of: Option<String>,
        /// The same
        #[arg(long, conflicts_with = "of")]
        tenant: Option<String>,
    },
    /// Show one endpoint, how it has been doing, and what verifies its signatures
    #[command(after_help = "Examples:
  carillon endpoints show acme/erp
  carillon endpoints show acme/erp --reveal")]
    Show {
        #[command(flatten)]
        named: Named,
        /// Print the secret, too: it is decrypted with your right to kms:Decrypt
        #[arg(long)]
        reveal: bool,
    },
    Put(PutEndpoint),
    Rotate(Rotate),
    /// Switch an endpoint on, as if it had never failed
    #[command(after_help = "Example:
  carillon endpoints enable acme/erp")]
    Enable(Named),
    /// Switch an endpoint off: nothing is sent to it but pings
    #[command(after_help = "Example:
  carillon endpoints disable acme/erp")]
    Disable(Named),
    /// Send an endpoint a challenge, and say whether it met it: exit 0 if it is verified
    #[command(after_help = "Examples:
  carillon endpoints verify acme/erp
  carillon endpoints verify acme/erp --vouch

The endpoint meets the challenge by an answer of 2xx with the challenge as the whole body, as
{\"challenge\": \"…\"} or as plain text, or with the header webhook-challenge.")]
    Verify {
        #[command(flatten)]
        named: Named,
        /// Ask nothing: you know who controls it
        #[arg(long)]
        vouch: bool,
    },
    /// Send an endpoint a message that says nothing, and say what it answered: exit 0 if that was a yes
    #[command(after_help = "Example:
  carillon endpoints ping acme/erp")]
    Ping(Named),
    /// What an endpoint was asked last, and what it answered
    #[command(after_help = "Examples:
  carillon endpoints attempts acme/erp
  carillon endpoints attempts acme/erp --limit 100 --json | jq 'select(.status == 500)'")]
    Attempts {
        #[command(flatten)]
        named: Named,
        /// So many of the latest
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    Retry(Retry),
    Recover(Recover),
}

/// One endpoint.
#[derive(Args)]
pub(crate) struct Named {
    /// <tenant>/<id>, or -/<id> of no tenant
    #[arg(value_name = "TENANT/ID")]
    pub(crate) endpoint: String,
}

/// Make an endpoint exactly this; a new one gets a secret, which is printed
#[derive(Args)]
#[command(after_help = "Examples:
  carillon endpoints put acme/erp https://erp.example.com/hooks
  carillon endpoints put acme/erp https://erp.example.com/hooks --when pattern.json --description 'the ERP'
  carillon endpoints put acme/erp https://erp.example.com/hooks --version 2026-05 --scheme ed25519
  echo '{\"Authorization\":\"Bearer …\"}' | carillon endpoints put acme/erp https://erp.example.com/hooks --headers -

The pattern is EventBridge's. Which events may be told at all, rules decide: those with `- endpoints: tenant`.
Headers stay until others are given, --no-headers is said, or the URL gets another origin.")]
#[command(disable_version_flag = true)]
pub(crate) struct PutEndpoint {
    #[command(flatten)]
    pub(crate) named: Named,
    /// Where requests go: https, port 443, a public address
    pub(crate) url: String,
    /// A file with the pattern of the events it wants; all that rules send, when it is left out
    #[arg(long, value_name = "FILE")]
    pub(crate) when: Option<PathBuf>,
    /// For people
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// The version of the events' data that it was written for
    #[arg(long = "version", value_name = "VERSION")]
    pub(crate) wanted: Option<String>,
    /// A file with headers of its own, a JSON object of names and values; - for standard input. Values are secrets:
    /// they are encrypted, and shown nowhere
    #[arg(long, value_name = "FILE", conflicts_with = "no_headers")]
    pub(crate) headers: Option<PathBuf>,
    /// Send no headers of its own any more
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// The form of its messages: standard, or cloudevents for CloudEvents in structured mode
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// How requests are signed, where it has no secret yet
    #[arg(long, value_enum, default_value_t = SecretScheme::Hmac)]
    pub(crate) scheme: SecretScheme,
    /// The rules that are asked whether they tell endpoints of what it wants; nothing is asked where there is no such
    /// folder
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
    /// You know who controls it: its owner has nothing to prove
    #[arg(long)]
    pub(crate) vouch: bool,
    /// Origins that the deployment's parameter WebhookAllow names
    #[arg(long, default_value = "", value_name = "ORIGINS")]
    pub(crate) allow: String,
}

/// How requests are signed.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum SecretScheme {
    /// HMAC-SHA256, v1: both sides have the secret
    Hmac,
    /// ed25519, v1a: the receiver has the public half
    Ed25519,
}

impl SecretScheme {
    pub(crate) fn scheme(self) -> Scheme {
        match self {
            SecretScheme::Hmac => Scheme::Hmac,
            SecretScheme::Ed25519 => Scheme::Ed25519,
        }
    }
}

/// Sign with a new secret; the one before signs, too, for 24 hours
#[derive(Args)]
#[command(after_help = "Examples:
  carillon endpoints rotate acme/erp
  carillon endpoints rotate acme/erp --scheme ed25519")]
pub(crate) struct Rotate {
    #[command(flatten)]
    pub(crate) named: Named,
    /// How requests are signed from now on; as before, when it is left out
    #[arg(long, value_enum)]
    pub(crate) scheme: Option<SecretScheme>,
}

/// Send one message again that did not arrive, or one event that the endpoint was not told of: one attempt, now
#[derive(Args)]
#[command(after_help = "Example:
  carillon endpoints retry acme/erp q3Jx…  (the message, as `attempts` calls it)")]
pub(crate) struct Retry {
    #[command(flatten)]
    pub(crate) named: Named,
    /// The message's id: the header webhook-id
    #[arg(value_name = "MESSAGE")]
    pub(crate) message: String,
}

/// Send an endpoint what it has not got: messages that failed, and events of the time when it was switched off,
/// unverified or kept away by its own pattern
///
/// Nobody else is told anything. The rules of now decide, and the endpoint's pattern of now. Each message is sent once:
/// asking again, or going on after a stop, does no harm.
#[derive(Args)]
#[command(after_help = "Examples:
  carillon endpoints recover acme/erp --since 2026-11-20T00:00:00Z --dry-run
  carillon endpoints recover acme/erp --since 24h

At most 14 days back and 10,000 messages a call; --next goes on where the call before stopped. An endpoint that was
registered later gets earlier events by `carillon replay --all`.")]
pub(crate) struct Recover {
    #[command(flatten)]
    pub(crate) named: Named,
    /// What first failed, or was not told, at this time or later: a time, or so long ago (30m, 24h, 7d)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: String,
    /// Count them, and send nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Go on there: what the call before printed
    #[arg(long, value_name = "PLACE")]
    pub(crate) next: Option<String>,
}
