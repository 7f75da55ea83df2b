//! `carillon local reload`: what was changed in `config/` is live within seconds. Only what changed is pushed.

use std::path::{Path, PathBuf};

use crate::args::{Check, Reload};
use crate::check;
use crate::error::{Done, Error};
use crate::explain::catalog;
use crate::gone;
use crate::terminal::{Ink, Terminal};

use super::functions::{self, CATALOG};
use super::state::{FOLDER, State};
use super::{push, server};

/// What dispatch was given last.
const DEPLOYED: &str = "catalog.json";

pub(super) fn run(args: &Reload, terminal: &Terminal) -> Done {
    let begun = runtime::now();
    let state = State::load()?.filter(server::answers);
    let deployed = state.as_ref().and_then(|state| state.deployed.clone());
    let (Some(mut state), Some(deployed)) = (state, deployed) else {
        return Err(Error::usage("nothing is deployed to the local cloud", "run `make up` first"));
    };
    let check = Check {
        folder: args.folder.clone(),
        samples: args.samples.clone(),
        strict: args.samples.is_some() || args.folder.join(catalog::MANIFEST).is_file(),
        against: None,
        out: Some(PathBuf::from(CATALOG)),
        pages: Some(PathBuf::from("target/lambda/api/pages.json")),
    };
    if !check::run(&check, terminal)? {
        return Ok(false);
    }
    let prints = functions::of_config()?.with_programs_of(&deployed);
    let Some(changed) = prints.changed_since(&deployed) else {
        let what = "the policy's producers changed, and their rights stand in the template";
        return Err(Error::usage(what, "run `make up`"));
    };
    warn_of_gone_rules(terminal);
    push::functions(&changed, &state, terminal)?;
    state.deployed = Some(prints);
    state.save()?;
    keep_catalog()?;
    let seconds = runtime::now().duration_since(begun).as_secs_f64();
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

/// Warns of rules that are deployed and not in the catalog that is about to be.
pub(super) fn warn_of_gone_rules(terminal: &Terminal) {
    let kept = kept();
    // Without a catalog on either side there is nothing to compare.
    let (Ok(before), Ok(after)) = (catalog(&kept), catalog(Path::new(CATALOG))) else { return };
    gone::warn(&gone::rules(&before, &after), terminal);
}

/// Keeps the catalog that is deployed now, for the next comparison.
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
