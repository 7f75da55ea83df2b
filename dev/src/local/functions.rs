//! The deployment artifacts: a folder for each function with its program. `carillon check` writes the catalog and the policy
//! into these folders.

use std::path::Path;

use cli::check::NEED_POLICY;
use cli::error::Error;
use cli::local_cloud::Fingerprints;
use domain::catalog::{POLICY_FILE, PolicyFile};
use domain::event::producers::Producers;
use sha2::{Digest, Sha256};

/// The catalog of the deployed dispatch function.
pub(crate) const CATALOG: &str = "target/lambda/dispatch/catalog.json";

/// The folder of the functions in `infra/template.yaml`. `cargo lambda build` writes to it, too.
const ARTIFACTS: &str = "target/lambda";

/// The functions that need new code only; `None` if the template must be deployed.
pub(super) fn changed(now: &Fingerprints, before: &Fingerprints) -> Option<Vec<&'static str>> {
    if now.template != before.template || now.producers != before.producers {
        return None;
    }
    let mut changed = Vec::new();
    if now.catalog != before.catalog {
        changed.push("dispatch");
    }
    if now.policy != before.policy {
        changed.extend(NEED_POLICY);
    }
    if now.pages != before.pages && !changed.contains(&"api") {
        changed.push("api");
    }
    Some(changed)
}

/// Fingerprints of the files that `carillon check` wrote.
///
/// # Errors
/// A file is missing.
pub(super) fn of_config() -> Result<Fingerprints, Error> {
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
    Ok(Fingerprints {
        template: String::new(),
        producers: rights.map(|sources| sources.join(",")).join(";"),
        catalog: file(CATALOG)?,
        policy: hex(policy),
        pages: file("target/lambda/api/pages.json")?,
    })
}

/// The policy of a policy file. The catalog version is left out, because a changed template does not change the policy.
fn policy_of(file: &[u8]) -> Vec<u8> {
    let parsed: Option<serde_json::Value> = serde_json::from_slice(file).ok();
    parsed.map_or_else(|| file.to_vec(), |file| file["policy"].to_string().into_bytes())
}

/// Copies the programs into the artifacts' folders and computes the fingerprints. `endpoints` are part of the template's
/// parameters.
///
/// # Errors
/// A program was not built, or cannot be copied.
pub(super) fn prepare(profile: &str, endpoints: &str) -> Result<Fingerprints, Error> {
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
        copy(&program, &Path::new(ARTIFACTS).join(&function))?;
    }
    Ok(Fingerprints { template: hex(hash), ..of_config()? })
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The names of all functions, sorted.
///
/// # Errors
/// The folder cannot be read.
pub(super) fn names() -> Result<Vec<String>, Error> {
    let folder = Path::new("functions");
    let entries = std::fs::read_dir(folder).map_err(|error| Error::read(folder, error))?;
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok().filter(|entry| entry.path().join("Cargo.toml").exists()))
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    Ok(names)
}

/// The producers of the compiled policy.
///
/// # Errors
/// The policy file is missing or broken.
pub(super) fn producers() -> Result<Producers, Error> {
    let path = Path::new(ARTIFACTS).join("people").join(POLICY_FILE);
    let file: PolicyFile = serde_json::from_slice(&read(&path)?).map_err(|error| {
        Error::usage(format!("{} is no policy: {error}", path.display()), "`make up` builds it")
    })?;
    Ok(file.policy.producers)
}

fn copy(program: &[u8], folder: &Path) -> Result<(), Error> {
    use std::os::unix::fs::PermissionsExt as _;
    let bootstrap = folder.join("bootstrap");
    if std::fs::read(&bootstrap).is_ok_and(|existing| existing == program) {
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
