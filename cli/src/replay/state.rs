//! How far a replay has come: a file, so that whoever stops it, or whose machine stops, goes on where it was.

use std::path::{Path, PathBuf};

use domain::Timestamp;
use domain::replay::Mark;
use serde::{Deserialize, Serialize};

use super::choice::{Choice, Mode};
use super::reader::Place;
use crate::error::Error;

/// Where files are kept, unless --state says otherwise.
const FOLDER: &str = ".carillon";

/// The layout of [`State`].
const VERSION: u32 = 1;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    version: u32,
    /// What the events carry as `replayid`.
    pub(super) replay: String,
    pub(super) environment: String,
    pub(super) choice: Choice,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    pub(super) by: String,
    pub(super) began_at: Timestamp,
    /// All up to this one, and with it, are done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Place>,
    pub(super) sent: usize,
    pub(super) left_out: usize,
    /// Everything was sent by then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sent_by: Option<Timestamp>,
    /// And the audit has heard of it.
    pub(super) is_done: bool,
}

impl State {
    pub(super) fn begin(
        replay: String,
        environment: String,
        choice: Choice,
        reason: Option<String>,
        by: String,
        now: Timestamp,
    ) -> State {
        State {
            version: VERSION,
            replay,
            environment,
            choice,
            reason,
            by,
            began_at: now,
            after: None,
            sent: 0,
            left_out: 0,
            sent_by: None,
            is_done: false,
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { id: self.replay.clone(), renotify: self.choice.mode == Mode::Force }
    }

    /// The file of a replay that nobody named another one for.
    pub(super) fn default_path(replay: &str) -> PathBuf {
        Path::new(FOLDER).join(format!("replay-{replay}.json"))
    }

    /// # Errors
    /// There is no such file, or it is none of these.
    pub(super) fn load(path: &Path) -> Result<State, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::read(path, error))?;
        let fix = "name the file that `carillon replay --run` spoke of";
        let state: State = serde_json::from_str(&text)
            .map_err(|error| Error::usage(format!("{} is no replay: {error}", path.display()), fix))?;
        if state.version != VERSION {
            let what = format!("{} was written by another release", path.display());
            return Err(Error::usage(what, "go on with that release, or begin anew: nothing is told twice"));
        }
        Ok(state)
    }

    /// Written beside its place and then put there, so that there is always a whole one.
    pub(super) fn save(&self, path: &Path) -> Result<(), Error> {
        let failed = |error| Error::write(path, error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let beside = path.with_extension("new");
        let text = serde_json::to_string_pretty(self).expect("texts and numbers");
        std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::choice::Consumer;
    use super::*;

    #[test]
    fn what_was_saved_is_what_is_gone_on_with_and_another_file_is_refused() {
        let folder = std::env::temp_dir().join(format!("carillon-replay-{}", std::process::id()));
        let path = folder.join("deep/state.json");
        let mut state = state();
        state.save(&path).unwrap();
        state.after = Some(Place { recorded_at: now(), source: "s".into(), id: "1".into() });
        state.sent = 7;
        state.save(&path).unwrap();
        assert_eq!(State::load(&path).unwrap(), state);
        assert!(state.mark().renotify && state.mark().id == "r-1");
        for text in ["", "{}", "[1]"] {
            std::fs::write(&path, text).unwrap();
            let said = State::load(&path).unwrap_err().to_string();
            assert!(said.contains("is no replay"), "{said}");
        }
        std::fs::write(&path, serde_json::to_string(&State { version: 2, ..state }).unwrap()).unwrap();
        assert!(State::load(&path).unwrap_err().to_string().contains("another release"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    fn state() -> State {
        let choice = Choice {
            from: now(),
            to: now(),
            kind: Some("order.*".into()),
            tenant: None,
            stream: None,
            ids: vec![],
            consumer: Consumer::Queue("https://q".into()),
            mode: Mode::Force,
        };
        State::begin("r-1".into(), "dev".into(), choice, Some("why".into()), "ann".into(), now())
    }

    fn now() -> Timestamp {
        "2026-11-21T12:00:00.25Z".parse().unwrap()
    }
}
