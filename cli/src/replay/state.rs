//! The progress file of a replay, for continuing after an interruption.

use std::path::{Path, PathBuf};

use domain::Timestamp;
use domain::event::replay::Mark;
use serde::{Deserialize, Serialize};

use super::reader::Position;
use super::selection::{Mode, Selection};
use crate::error::Error;

/// The default folder.
const FOLDER: &str = ".carillon";

/// The version of the format.
const VERSION: u32 = 1;

/// The state of a replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct State {
    version: u32,
    /// The replay id, the events' extension `replayid`.
    pub(super) replay: String,
    pub(super) environment: String,
    pub(super) choice: Selection,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reason: Option<String>,
    pub(super) by: String,
    pub(super) began_at: Timestamp,
    /// The position of the last sent event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) after: Option<Position>,
    pub(super) sent: usize,
    pub(super) left_out: usize,
    /// The time when all events were sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sent_by: Option<Timestamp>,
    /// Whether the event about the end was published.
    pub(super) is_done: bool,
}

impl State {
    pub(super) fn begin(
        replay: String,
        environment: String,
        choice: Selection,
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

    /// The default progress file of a replay.
    pub(super) fn default_path(replay: &str) -> PathBuf {
        Path::new(FOLDER).join(format!("replay-{replay}.json"))
    }

    /// Reads a progress file.
    ///
    /// # Errors
    /// The file does not exist, or is no progress file of this version.
    pub(super) fn load(path: &Path) -> Result<State, Error> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::read(path, error))?;
        let fix = "name the file that `carillon replay --run` printed";
        let state: State = serde_json::from_str(&text)
            .map_err(|error| Error::usage(format!("{} is no replay: {error}", path.display()), fix))?;
        if state.version != VERSION {
            let what = format!("{} was written by another release", path.display());
            return Err(Error::usage(
                what,
                "continue with that release, or start a new replay: no notification is sent twice",
            ));
        }
        Ok(state)
    }

    /// Writes a new file and renames it, so that a complete file always exists.
    pub(super) fn save(&self, path: &Path) -> Result<(), Error> {
        let failed = |error| Error::write(path, error);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let new = path.with_extension("new");
        let text = serde_json::to_string_pretty(self).expect("texts and numbers serialize");
        std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path)).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::selection::Consumer;
    use super::*;

    #[test]
    fn saved_state_is_loaded_and_other_files_are_refused() {
        let folder = std::env::temp_dir().join(format!("carillon-replay-{}", std::process::id()));
        let path = folder.join("deep/state.json");
        let mut state = state();
        state.save(&path).unwrap();
        state.after = Some(Position { recorded_at: now(), source: "s".into(), id: "1".into() });
        state.sent = 7;
        state.save(&path).unwrap();
        assert_eq!(State::load(&path).unwrap(), state);
        assert!(state.mark().renotify && state.mark().id == "r-1");
        for text in ["", "{}", "[1]"] {
            std::fs::write(&path, text).unwrap();
            let error = State::load(&path).unwrap_err().to_string();
            assert!(error.contains("is no replay"), "{error}");
        }
        std::fs::write(&path, serde_json::to_string(&State { version: 2, ..state }).unwrap()).unwrap();
        assert!(State::load(&path).unwrap_err().to_string().contains("another release"));
        std::fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn progress_file_of_the_last_release_is_read_and_written() {
        let text = include_str!("../../fixtures/0.1.0/replay.json");
        let path = std::env::temp_dir().join(format!("carillon-replay-old-{}.json", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let state = State::load(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert_eq!((state.sent, state.left_out, state.mark().renotify), (7, 1, true));
        let (old, new): (serde_json::Value, _) =
            (serde_json::from_str(text).unwrap(), serde_json::to_value(&state).unwrap());
        assert_eq!(old, new);
    }

    fn state() -> State {
        let choice = Selection {
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
