//! `carillon endpoints …`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use domain::webhook::endpoint::secret::Scheme;

#[derive(Subcommand)]
pub(crate) enum Endpoints {
    /// List the endpoints of a tenant, or all
    #[command(after_help = "Examples:
  carillon endpoints ls
  carillon endpoints ls acme --json")]
    Ls {
        /// The tenant; - for endpoints without a tenant
        #[arg(value_name = "TENANT")]
        of: Option<String>,
        /// The tenant
        #[arg(long, conflicts_with = "of")]
        tenant: Option<String>,
    },
    /// Show an endpoint, its recent results, and its verification key
    #[command(after_help = "Examples:
  carillon endpoints show acme/erp
  carillon endpoints show acme/erp --reveal")]
    Show {
        #[command(flatten)]
        named: Named,
        /// Print the secret, too; needs the right kms:Decrypt
        #[arg(long)]
        reveal: bool,
    },
    Put(PutEndpoint),
    Rotate(Rotate),
    /// Enable an endpoint and clear its failures
    #[command(after_help = "Example:
  carillon endpoints enable acme/erp")]
    Enable(Named),
    /// Disable an endpoint; only pings are sent to it
    #[command(after_help = "Example:
  carillon endpoints disable acme/erp")]
    Disable(Named),
    /// Send an endpoint a challenge; exit 0 if it is verified
    #[command(after_help = "Examples:
  carillon endpoints verify acme/erp
  carillon endpoints verify acme/erp --vouch

The endpoint passes by an answer of 2xx with the challenge as the whole body, as
{\"challenge\": \"…\"} or as plain text, or with the header webhook-challenge.")]
    Verify {
        #[command(flatten)]
        named: Named,
        /// Verify without a challenge: you know the owner
        #[arg(long)]
        vouch: bool,
    },
    /// Send an endpoint a test message and print the answer; exit 0 for 2xx
    #[command(after_help = "Example:
  carillon endpoints ping acme/erp")]
    Ping(Named),
    /// List the latest attempts of an endpoint
    #[command(after_help = "Examples:
  carillon endpoints attempts acme/erp
  carillon endpoints attempts acme/erp --limit 100 --json | jq 'select(.status == 500)'")]
    Attempts {
        #[command(flatten)]
        named: Named,
        /// The number of attempts
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1_000))]
        limit: u32,
    },
    Retry(Retry),
    Recover(Recover),
}

/// An endpoint.
#[derive(Args)]
pub(crate) struct Named {
    /// <tenant>/<id>, or -/<id> without a tenant
    #[arg(value_name = "TENANT/ID")]
    pub(crate) endpoint: String,
}

/// Create or replace an endpoint; a new one gets a secret, which is printed
#[derive(Args)]
#[command(after_help = "Examples:
  carillon endpoints put acme/erp https://erp.example.com/hooks
  carillon endpoints put acme/erp https://erp.example.com/hooks --when pattern.json --description 'the ERP'
  carillon endpoints put acme/erp https://erp.example.com/hooks --version 2026-05 --scheme ed25519
  echo '{\"Authorization\":\"Bearer …\"}' | carillon endpoints put acme/erp https://erp.example.com/hooks --headers -

The pattern is EventBridge's. Only events of rules with `- endpoints: tenant` reach endpoints. Headers stay until they are
replaced, removed by --no-headers, or the URL gets another origin.")]
#[command(disable_version_flag = true)]
pub(crate) struct PutEndpoint {
    #[command(flatten)]
    pub(crate) named: Named,
    /// The receiver: https, port 443, a public address
    pub(crate) url: String,
    /// A file with the pattern of the wanted events; all events by default
    #[arg(long, value_name = "FILE")]
    pub(crate) when: Option<PathBuf>,
    /// A description for operators
    #[arg(long)]
    pub(crate) description: Option<String>,
    /// The data version that the receiver expects
    #[arg(long = "version", value_name = "VERSION")]
    pub(crate) wanted: Option<String>,
    /// A file with additional headers, a JSON object; - for standard input. Values are stored encrypted and never shown
    #[arg(long, value_name = "FILE", conflicts_with = "no_headers")]
    pub(crate) headers: Option<PathBuf>,
    /// Remove the additional headers
    #[arg(long)]
    pub(crate) no_headers: bool,
    /// The message format: standard, or cloudevents for CloudEvents in structured mode
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<String>,
    /// The signature scheme of a new secret
    #[arg(long, value_enum, default_value_t = SecretScheme::Hmac)]
    pub(crate) scheme: SecretScheme,
    /// The config folder; a warning tells if no rule sends the wanted events to endpoints
    #[arg(long, default_value = "config", value_name = "FOLDER")]
    pub(crate) config: PathBuf,
    /// Verify without a challenge: you know the owner
    #[arg(long)]
    pub(crate) vouch: bool,
    /// The origins of the deployment's parameter WebhookAllow
    #[arg(long, default_value = "", value_name = "ORIGINS")]
    pub(crate) allow: String,
}

/// A signature scheme.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum SecretScheme {
    /// HMAC-SHA256, v1, with a shared secret
    Hmac,
    /// ed25519, v1a, with a public key for the receiver
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

/// Create a new secret; the previous one signs, too, for 24 hours
#[derive(Args)]
#[command(after_help = "Examples:
  carillon endpoints rotate acme/erp
  carillon endpoints rotate acme/erp --scheme ed25519")]
pub(crate) struct Rotate {
    #[command(flatten)]
    pub(crate) named: Named,
    /// The signature scheme of the new secret; unchanged by default
    #[arg(long, value_enum)]
    pub(crate) scheme: Option<SecretScheme>,
}

/// Send a failed message or a missed event again, with one attempt
#[derive(Args)]
#[command(after_help = "Example:
  carillon endpoints retry acme/erp q3Jx…  (the message id of `attempts`)")]
pub(crate) struct Retry {
    #[command(flatten)]
    pub(crate) named: Named,
    /// The message's id: the header webhook-id
    #[arg(value_name = "MESSAGE")]
    pub(crate) message: String,
}

/// Send failed messages again, and events that the endpoint missed while disabled, unverified or excluded by its pattern
///
/// Other recipients get no message. The current rules and the endpoint's current pattern decide. Each message is sent once, so
/// the command can be repeated.
#[derive(Args)]
#[command(after_help = "Examples:
  carillon endpoints recover acme/erp --since 2026-11-20T00:00:00Z --dry-run
  carillon endpoints recover acme/erp --since 24h

At most 14 days back and 10,000 messages a call; --next continues the previous call. Events before the registration of an
endpoint are sent by `carillon replay --all`.")]
pub(crate) struct Recover {
    #[command(flatten)]
    pub(crate) named: Named,
    /// The time of the first failure or missed event: a timestamp or an age (30m, 24h, 7d)
    #[arg(long, value_name = "TIME", value_parser = super::age)]
    pub(crate) since: String,
    /// Count the messages without sending
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The position that the previous call printed
    #[arg(long, value_name = "PLACE")]
    pub(crate) next: Option<String>,
}
