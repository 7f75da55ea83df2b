//! From what cargo built to what SAM deploys: a folder for each function with its program, and dispatch's catalog. `carillon check` wrote the policy
//! of the others before.

use std::path::Path;

use domain::catalog::{POLICY_FILE, PolicyFile};
use domain::producers::Producers;
use sha2::{Digest, Sha256};

use crate::check::NEED_POLICY;
use crate::error::Error;

/// Where `infra/template.yaml` looks for the functions; `cargo lambda build` puts them there too.
const ARTIFACTS: &str = "target/lambda";

/// Copies the programs and says what would be deployed: two equal answers, nothing to do.
pub(super) fn prepare(profile: &str) -> Result<String, Error> {
    let mut hash = Sha256::new();
    for template in [
        "infra/template.yaml",
        "infra/samconfig.toml",
        "target/lambda/dispatch/catalog.json",
        "target/lambda/api/pages.json",
    ] {
        hash.update(read(Path::new(template))?);
    }
    for function in NEED_POLICY {
        hash.update(read(&Path::new(ARTIFACTS).join(function).join(POLICY_FILE))?);
    }
    for function in names()? {
        let built = Path::new("target").join(profile).join(&function);
        let program = read(&built)?;
        hash.update(function.as_bytes());
        hash.update(&program);
        place(&program, &Path::new(ARTIFACTS).join(&function))?;
    }
    Ok(hash.finalize().iter().map(|it| format!("{it:02x}")).collect())
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
