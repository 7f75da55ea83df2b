//! `carillon.yaml` of a project, and the head of a pack's `pack.yaml`.

use crate::policy;
use crate::problem::{At, Diagnostics, Problem};
use crate::rule::is_kebab;
use crate::values::{Fields, check_keys, flag, list, text};
use crate::yaml::{self, Entry, Node};

/// The file that makes a config folder a project.
pub const MANIFEST: &str = "carillon.yaml";

/// The file that names the pack of a folder and holds the pack's share of the policy.
pub const PACK: &str = "pack.yaml";

/// The folder of packs within a project.
pub(crate) const PACKS: &str = "packs";

const KEYS: [&str; 3] = ["packs", "packs-folder", "pack-tests"];

const HEAD: [&str; 4] = ["pack", "about", "replaces", "needs"];

/// The policy keys for the whole installation, which only a project may set.
const OF_PROJECTS: [&str; 6] = ["zone", "locale", "quiet", "rate", "week-starts", "spend"];

/// A project's `carillon.yaml`.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    /// The project's packs, in order.
    pub(crate) packs: Vec<(String, At)>,
    /// The folder of packs, relative to the project, with forward slashes.
    pub(crate) folder: String,
    /// Whether the decision tests of packs are run too.
    pub(crate) pack_tests: bool,
}

pub(crate) fn read(source: &str, problems: &mut Vec<Problem>) -> Manifest {
    let mut report = Diagnostics { file: MANIFEST, rule: None, problems };
    let members = yaml::map_of(source, &mut report);
    check_keys(&members, At { line: 1, column: 1 }, &KEYS, &[], &mut report);
    let mut fields = Fields { members: &members, report: &mut report };
    Manifest {
        packs: fields.read("packs", names).unwrap_or_default(),
        folder: fields.read("packs-folder", folder).unwrap_or_else(|| PACKS.to_owned()),
        pack_tests: fields.read("pack-tests", flag).unwrap_or_default(),
    }
}

/// Reads the distinct names of packs.
fn names(node: &Node, report: &mut Diagnostics<'_>) -> Option<Vec<(String, At)>> {
    let mut names: Vec<(String, At)> = Vec::new();
    for node in list(node, report)? {
        let Some(name) = text(node, report) else { continue };
        if !is_kebab(&name) {
            let fix = "use small letters, digits and single dashes: `healthcare`";
            report.refuse(node.at, format!("`{name}` is no name for a pack"), fix);
        } else if names.iter().any(|(other, _)| *other == name) {
            report.refuse(node.at, format!("the pack `{name}` stands here twice"), "take one out");
        } else {
            names.push((name, node.at));
        }
    }
    Some(names)
}

/// Reads a relative path that ends in `packs`, so that problems in packs are distinguishable.
fn folder(node: &Node, report: &mut Diagnostics<'_>) -> Option<String> {
    let path = text(node, report)?;
    let path = path.trim_end_matches('/');
    let is_relative =
        path.split('/').all(|step| step == ".." || (!step.is_empty() && !step.contains(['\\', ':'])));
    let rest = path.trim_start_matches("../");
    if is_relative && rest == PACKS {
        return Some(path.to_owned());
    }
    let fix = "write `packs`, or a folder above the project such as `../packs`";
    report.refuse(node.at, format!("`{path}` is no folder of packs"), fix);
    None
}

/// The description of a pack in `pack.yaml`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct About {
    pub about: String,
    /// The system that the pack replaces.
    pub replaces: Option<String>,
    /// The packs that it requires.
    pub needs: Vec<String>,
}

/// Parses the description of a pack, as far as it is readable.
#[must_use]
pub fn describe(source: &str) -> About {
    let mut unread = Vec::new();
    let mut report = Diagnostics { file: PACK, rule: None, problems: &mut unread };
    let members = yaml::map_of(source, &mut report);
    let mut fields = Fields { members: &members, report: &mut report };
    About {
        about: fields.read("about", text).unwrap_or_default(),
        replaces: fields.read("replaces", text),
        needs: fields.read("needs", names).unwrap_or_default().into_iter().map(|(name, _)| name).collect(),
    }
}

/// A pack's own file: its head is checked, the rest is its share of the policy.
#[derive(Default)]
pub(crate) struct Head {
    pub(crate) needs: Vec<(String, At)>,
    pub(crate) policy: Vec<Entry>,
}

pub(crate) fn head(name: &str, file: &str, source: &str, problems: &mut Vec<Problem>) -> Head {
    let mut report = Diagnostics { file, rule: None, problems };
    let members = yaml::map_of(source, &mut report);
    let shared = policy::KEYS.iter().filter(|key| !OF_PROJECTS.contains(key));
    let known: Vec<&str> = HEAD.iter().chain(shared).copied().collect();
    for entry in members.iter().filter(|entry| OF_PROJECTS.contains(&entry.key.as_str())) {
        let what = format!("`{}` holds for the whole installation, and no pack sets it", entry.key);
        report.refuse(entry.at, what, "move it to the project's policy.yaml");
    }
    let rest: Vec<&str> = known.iter().chain(&OF_PROJECTS).copied().collect();
    check_keys(&members, At { line: 1, column: 1 }, &rest, &["pack", "about"], &mut report);
    let mut fields = Fields { members: &members, report: &mut report };
    if let Some(own) = fields.read("pack", |node, report| Some((text(node, report)?, node.at)))
        && own.0 != name
    {
        let what = format!("the pack calls itself `{}`, and its folder is `{name}`", own.0);
        fields.report.refuse(own.1, what, "rename one of them");
    }
    fields.read("about", text);
    fields.read("replaces", text);
    let needs = fields.read("needs", names).unwrap_or_default();
    let policy = members.into_iter().filter(|member| known.contains(&member.key.as_str()));
    Head { needs, policy: policy.filter(|policy| !HEAD.contains(&policy.key.as_str())).collect() }
}
