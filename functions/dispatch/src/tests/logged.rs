//! Log lines in memory.

use std::io::Write;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tracing::subscriber::DefaultGuard;

/// The log of one test.
#[derive(Clone, Default)]
pub(super) struct Logged(Arc<Mutex<Vec<u8>>>);

/// The log of this thread goes to a [`Logged`] until the guard is dropped.
pub(super) struct Guard {
    _log: DefaultGuard,
    _second: tracing::Dispatch,
}

impl Logged {
    pub(super) fn start(&self) -> Guard {
        // With a single subscriber, tracing asks only the thread that reaches a call first. Another test may be that
        // thread.
        let second = tracing::Dispatch::new(tracing_subscriber::fmt().with_writer(std::io::sink).finish());
        let log = tracing_subscriber::fmt().json().flatten_event(true).with_writer(self.clone()).finish();
        Guard { _log: tracing::subscriber::set_default(log), _second: second }
    }

    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The codes of all lines.
    pub(super) fn codes(&self) -> Vec<String> {
        let lines = self.lines();
        lines.iter().filter_map(|line| line["code"].as_str().map(str::to_owned)).collect()
    }

    /// The line with a code.
    #[track_caller]
    pub(super) fn line(&self, code: &str) -> Value {
        self.lines().into_iter().find(|line| line["code"] == code).expect("a line with this code")
    }
}

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Logged {
    type Writer = Logged;

    fn make_writer(&'a self) -> Logged {
        self.clone()
    }
}
