//! `carillon people`.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs, Subcommand};

#[derive(Subcommand)]
pub(crate) enum People {
    Import(Import),
    Show(Show),
    Find(Find),
    Members(Members),
}

/// Add people and tenants, or replace those who are there, by their ids
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon people import packs/core/people.json
  carillon people import --dry-run people.jsonl

A file holds a JSON list, or one person or tenant a line:
  {\"id\":\"u-1\",\"name\":\"Ann\",\"email\":\"ann@example.com\",\"locale\":\"en\",\"zone\":\"Europe/London\",
   \"tenants\":[\"clinic-7\"],\"roles\":[{\"role\":\"clinic-staff\",\"in\":\"clinic-7\"}],\"topics\":[\"project:42\"]}
  {\"tenant\":\"clinic-7\",\"zone\":\"Europe/London\"}

\"tenants\" lists the tenants whose events reach a person. Without it no event of a tenant does; \"*\" means all tenants.

Addresses are stored in one form: `+44 (0)20 …` as +4420…, `Ann <ann@example.com>` as ann@example.com. An entry with an
address that is none, or with a role, topic, category, rule or channel that the config folder does not know, is refused;
the others are imported. A changed address is announced to the old one.

Further members of a person: phone, whatsapp, devices, topics_in, preferences, quiet, in_tenants, suppressed. What a
person's line does not mention is gone afterwards, but for suppressed: a closed channel is opened only by naming it.")]
pub(crate) struct Import {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Check the file and write nothing; with --json, print each person as it would be stored
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The config folder whose roles, topics, categories and rules people may name
    #[arg(long, value_name = "FOLDER", default_value = "config")]
    pub(crate) config: PathBuf,
}

/// Print everything that is known of a person, addresses too
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon people show patient-lena
  carillon --env dev --json people show patient-lena | jq .topics")]
pub(crate) struct Show {
    /// The id that events carry
    pub(crate) id: String,
}

/// Print who has an address, or a name: one person a line, without addresses; exit 1 if nobody does
///
/// An address is found by its entry in the table. People whom a release before this one wrote have none until they are
/// written again, by an import or a change; --scan reads the whole table instead, as a name does.
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon people find --email ann@example.com
  carillon people find --phone +442079460102 --tenant clinic-7
  carillon people find --name haddad")]
#[command(group(ArgGroup::new("sought").required(true).args(["email", "phone", "whatsapp", "address", "name"])))]
pub(crate) struct Find {
    /// The e-mail address, in any case
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// The phone number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) phone: Option<String>,
    /// The WhatsApp number
    #[arg(long, value_name = "NUMBER")]
    pub(crate) whatsapp: Option<String>,
    /// An address of any channel, by the member of a person that holds it: slack=U012AB3CD
    #[arg(long, value_name = "MEMBER=ADDRESS")]
    pub(crate) address: Option<String>,
    /// A part of the name, in any case; reads the whole table
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// Only people of this tenant
    #[arg(long, value_name = "TENANT")]
    pub(crate) tenant: Option<String>,
    /// Read the whole table
    #[arg(long)]
    pub(crate) scan: bool,
}

/// Print who has a role, or follows a topic: one id a line, as they are read; exit 1 if nobody does
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon people members topic:project:42 --tenant clinic-7
  carillon people members topic:news:weekly
  carillon people members role:clinic-staff --in clinic-7 | wc -l

A topic belongs to its tenant; without --tenant it is the one of no tenant.")]
pub(crate) struct Members {
    /// topic:<name>:<value> or role:<role>
    pub(crate) group: String,
    /// Whose topic it is
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// The scope of the role
    #[arg(long = "in", value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
    /// Begin after this member
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
}
