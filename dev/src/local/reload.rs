//! `carillon-dev reload`: pushes the changed parts of `config/` to the running local cloud.

use std::path::{Path, PathBuf};

use cli::error::{Done, Error};
use cli::explanations::catalog;
use cli::local_cloud::{FOLDER, Fingerprints, State};
use cli::terminal::{Ink, Terminal};
use cli::{Check, check, removed_rules};

use crate::args::Reload;

use super::functions::{self, CATALOG};
use super::{push, server, state};

/// The file in `.local/` with the deployed catalog.
const DEPLOYED: &str = "catalog.json";

/// Compiles the project and pushes the functions whose artifacts changed.
pub(crate) fn run(args: &Reload, terminal: &Terminal) -> Done {
    let started = runtime::now();
    let state = State::load()?.filter(server::answers);
    let deployed = state.as_ref().and_then(|state| state.deployed.clone());
    let (Some(mut state), Some(deployed)) = (state, deployed) else {
        return Err(Error::usage("the local cloud has no deployment", "run `make up` first"));
    };
    let check = Check {
        folder: args.folder.clone(),
        samples: args.samples.clone(),
        strict: args.samples.is_some() || args.folder.join(::catalog::MANIFEST).is_file(),
        against: None,
        out: Some(PathBuf::from(CATALOG)),
        pages: Some(PathBuf::from("target/lambda/api/pages.json")),
    };
    if !check::run(&check, terminal)? {
        return Ok(false);
    }
    let of_config = functions::of_config()?;
    let fingerprints = Fingerprints { template: deployed.template.clone(), ..of_config };
    let Some(changed) = functions::changed(&fingerprints, &deployed) else {
        let what = "the policy's producers changed, and their rights are parameters of the template";
        return Err(Error::usage(what, "run `make up`"));
    };
    warn_of_removed_rules(terminal);
    push::functions(&changed, &state, terminal)?;
    state.deployed = Some(fingerprints);
    state::save(&state)?;
    keep_catalog()?;
    let seconds = runtime::now().duration_since(started).as_secs_f64();
    if terminal.json {
        terminal.say_json(&serde_json::json!({ "pushed": changed, "seconds": seconds }));
    } else if changed.is_empty() {
        terminal.say(&format!("{} nothing changed", terminal.ink(Ink::Good, "ok")));
    } else {
        let names = changed.join(", ");
        terminal.say(&format!("{} live in {names} after {seconds:.1} s", terminal.ink(Ink::Good, "ok")));
    }
    Ok(true)
}

/// Warns of deployed rules that the new catalog lacks.
pub(super) fn warn_of_removed_rules(terminal: &Terminal) {
    let kept = kept();
    // A missing catalog gives no warning.
    let (Ok(before), Ok(after)) = (catalog(&kept), catalog(Path::new(CATALOG))) else { return };
    removed_rules::warn(&removed_rules::rules(&before, &after), terminal);
}

/// Copies the deployed catalog to `.local/`, for the next comparison.
///
/// # Errors
/// The file cannot be written.
pub(super) fn keep_catalog() -> Result<(), Error> {
    let kept = kept();
    std::fs::copy(CATALOG, &kept).map(drop).map_err(|error| Error::write(&kept, error))
}

fn kept() -> PathBuf {
    Path::new(FOLDER).join(DEPLOYED)
}
