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

/// Add or replace people and tenants by their ids
#[derive(ClapArgs)]
#[command(after_help = "Example:
  carillon people import packs/core/people.json
  carillon people import --dry-run people.jsonl

A file has a JSON list, or one person or tenant a line:
  {\"id\":\"u-1\",\"name\":\"Ann\",\"email\":\"ann@example.com\",\"locale\":\"en\",\"zone\":\"Europe/London\",
   \"tenants\":[\"clinic-7\"],\"roles\":[{\"role\":\"clinic-staff\",\"in\":\"clinic-7\"}],\"topics\":[\"project:42\"]}
  {\"tenant\":\"clinic-7\",\"zone\":\"Europe/London\"}

\"tenants\" lists the tenants whose events reach a person. Without it no event of a tenant does; \"*\" means all tenants.

Addresses are stored in one form: `+44 (0)20 …` as +4420…, `Ann <ann@example.com>` as ann@example.com. An entry with an
invalid address, or an unknown role, topic, category, rule or channel, is refused. The others are imported. A changed
address is announced to the old one.

Further members of a person: phone, whatsapp, devices, topics_in, preferences, quiet, in_tenants, suppressed. An import
removes members that the line lacks, except suppressed: a suppression is removed only by an explicit value.")]
pub(crate) struct Import {
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// Check the file without writing; with --json, print each person in the stored form
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The config folder with the known roles, topics, categories and rules
    #[arg(long, value_name = "FOLDER", default_value = "config")]
    pub(crate) config: PathBuf,
}

/// Print the stored data of a person, with addresses
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon people show patient-lena
  carillon --env dev --json people show patient-lena | jq .topics")]
pub(crate) struct Show {
    /// The person's id, as events name it
    pub(crate) id: String,
}

/// Find people by address or name: one person a line, without addresses; exit 1 without a match
///
/// An address is found by its index entry. People of an earlier release have no entry until an import or a change. --scan
/// reads the whole table instead, as --name does.
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

/// Print the ids of people with a role or topic, one a line; exit 1 without a match
#[derive(ClapArgs)]
#[command(after_help = "Examples:
  carillon people members topic:project:42 --tenant clinic-7
  carillon people members topic:news:weekly
  carillon people members role:clinic-staff --in clinic-7 | wc -l

A topic belongs to a tenant; without --tenant, topics without a tenant are used.")]
pub(crate) struct Members {
    /// topic:<name>:<value> or role:<role>
    pub(crate) group: String,
    /// The tenant of the topic
    #[arg(long)]
    pub(crate) tenant: Option<String>,
    /// The scope of the role
    #[arg(long = "in", value_name = "SCOPE")]
    pub(crate) scope: Option<String>,
    /// The id after which the list begins
    #[arg(long, value_name = "ID")]
    pub(crate) after: Option<String>,
}
