//! From what cargo built to what SAM deploys: a folder for each function with its program, and dispatch's catalog. `carillon check` wrote the policy
//! of the others before.

use std::path::Path;

use domain::catalog::{POLICY_FILE, PolicyFile};
use domain::producers::Producers;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::check::NEED_POLICY;
use crate::error::Error;

/// The catalog that dispatch is deployed with.
pub(super) const CATALOG: &str = "target/lambda/dispatch/catalog.json";

/// Where `infra/template.yaml` looks for the functions; `cargo lambda build` puts them there too.
const ARTIFACTS: &str = "target/lambda";

/// What is deployed, in fingerprints: two equal ones, nothing to do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Prints {
    /// Template, parameters and programs.
    template: String,
    /// The producers' rights, which are parameters of the template.
    producers: String,
    /// The catalog, for dispatch.
    catalog: String,
    /// The policy, for the functions that need it and no rules.
    policy: String,
    /// The folder's own pages, for the API.
    pages: String,
}

impl Prints {
    /// The functions whose code alone changed since; `None` where the template must be deployed.
    pub(super) fn changed_since(&self, before: &Prints) -> Option<Vec<&'static str>> {
        if self.template != before.template || self.producers != before.producers {
            return None;
        }
        let mut changed = Vec::new();
        if self.catalog != before.catalog {
            changed.push("dispatch");
        }
        if self.policy != before.policy {
            changed.extend(NEED_POLICY);
        }
        if self.pages != before.pages && !changed.contains(&"api") {
            changed.push("api");
        }
        Some(changed)
    }

    /// The same with the programs that are deployed.
    pub(super) fn with_programs_of(self, before: &Prints) -> Prints {
        Prints { template: before.template.clone(), ..self }
    }
}

/// Fingerprints of what `carillon check` wrote.
pub(super) fn of_config() -> Result<Prints, Error> {
    let mut policy = Sha256::new();
    for function in NEED_POLICY {
        policy.update(policy_of(&read(&Path::new(ARTIFACTS).join(function).join(POLICY_FILE))?));
    }
    let file = |path: &str| Ok::<_, Error>(hex(Sha256::new_with_prefix(read(Path::new(path))?)));
    let producers = producers()?;
    let rights = [
        producers.sources_with(|producers| producers.people),
        producers.sources_with(|producers| producers.critical),
    ];
    Ok(Prints {
        template: String::new(),
        producers: rights.map(|sources| sources.join(",")).join(";"),
        catalog: file(CATALOG)?,
        policy: hex(policy),
        pages: file("target/lambda/api/pages.json")?,
    })
}

/// The policy in its file, without the version of the catalog: a changed word of a template is no other policy.
fn policy_of(file: &[u8]) -> Vec<u8> {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(file).ok();
    parsed.map_or_else(|| file.to_vec(), |file| file["policy"].to_string().into_bytes())
}

/// Copies the programs and says what would be deployed. `endpoints` stand in the template's parameters.
pub(super) fn prepare(profile: &str, endpoints: &str) -> Result<Prints, Error> {
    let mut hash = Sha256::new();
    hash.update(endpoints);
    for template in ["infra/template.yaml", "infra/samconfig.toml"] {
        hash.update(read(Path::new(template))?);
    }
    for function in names()? {
        let built = Path::new("target").join(profile).join(&function);
        let program = read(&built)?;
        hash.update(function.as_bytes());
        hash.update(&program);
        place(&program, &Path::new(ARTIFACTS).join(&function))?;
    }
    Ok(Prints { template: hex(hash), ..of_config()? })
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The functions, by their folders.
pub(super) fn names() -> Result<Vec<String>, Error> {
    let folder = Path::new("functions");
    let entries = std::fs::read_dir(folder).map_err(|error| Error::read(folder, error))?;
    let mut names: Vec<String> = entries
        .filter_map(|it| it.ok().filter(|it| it.path().join("Cargo.toml").exists()))
        .filter_map(|it| it.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

/// The producers of the policy that is deployed.
pub(super) fn producers() -> Result<Producers, Error> {
    let path = Path::new(ARTIFACTS).join("people").join(POLICY_FILE);
    let file: PolicyFile = serde_json::from_slice(&read(&path)?).map_err(|error| {
        Error::usage(format!("{} is no policy: {error}", path.display()), "`make up` builds it")
    })?;
    Ok(file.policy.producers)
}

fn place(program: &[u8], folder: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let bootstrap = folder.join("bootstrap");
    if std::fs::read(&bootstrap).is_ok_and(|it| it == program) {
        return Ok(());
    }
    let write = || {
        std::fs::create_dir_all(folder)?;
        std::fs::write(&bootstrap, program)?;
        std::fs::set_permissions(&bootstrap, std::fs::Permissions::from_mode(0o755))
    };
    write().map_err(|error| Error::write(&bootstrap, error))
}

fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(|error| {
        if error.kind() == std::io::ErrorKind::NotFound {
            return Error::usage(format!("{} is missing", path.display()), "`make up` builds it");
        }
        Error::read(path, error)
    })
}
