//! The progress line of a slow command: animated on a terminal, a plain line now and then in a pipe or a CI log.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use domain::Timestamp;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::safe::plain;

/// The interval between two frames of the animation.
const FRAME: Duration = Duration::from_millis(120);

/// The interval between two plain lines. Shorter commands print none.
const PERIOD: Duration = Duration::from_secs(10);

/// The form of a progress line without a known end.
const OPEN: &str = "{spinner} {wide_msg}";
/// The form of a progress line with a known end.
const COUNTED: &str = "{spinner} {pos} of {len} {msg} [{bar:24}] {eta} left";

/// The place of progress lines.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A terminal, whose line is replaced.
    Live,
    /// A pipe or a file.
    Log,
    /// None, because the output is JSON.
    Hidden,
}

/// The progress line.
pub(super) struct Progress {
    place: Place,
    bar: RefCell<Option<ProgressBar>>,
    /// The time of the last plain line, or of the start.
    printed_at: Cell<Option<Timestamp>>,
}

impl Progress {
    pub(super) fn new(place: Place) -> Progress {
        Progress { place, bar: RefCell::default(), printed_at: Cell::new(None) }
    }

    /// Replaces the line. Returns the plain line if one is due.
    pub(super) fn show(&self, line: &str, now: Timestamp) -> Option<String> {
        match self.place {
            Place::Live => {
                self.live(OPEN).set_message(plain(line));
                None
            }
            Place::Log => self.is_due(now).then(|| plain(line)),
            Place::Hidden => None,
        }
    }

    /// Shows a count with its end. Returns the plain line if one is due.
    pub(super) fn count(&self, done: usize, total: usize, things: &str, now: Timestamp) -> Option<String> {
        match self.place {
            Place::Live => {
                let bar = self.live(COUNTED);
                bar.set_length(total as u64);
                bar.set_position(done as u64);
                bar.set_message(plain(things));
                None
            }
            Place::Log => self.is_due(now).then(|| format!("{done} of {total} {}", plain(things))),
            Place::Hidden => None,
        }
    }

    /// Removes the line.
    pub(super) fn clear(&self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.printed_at.set(None);
    }

    /// Prints other text above the line.
    pub(super) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        match self.bar.borrow().as_ref() {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn live(&self, form: &str) -> ProgressBar {
        let mut bar = self.bar.borrow_mut();
        let bar = bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style =
                ProgressStyle::with_template(form).unwrap_or_else(|_| ProgressStyle::default_spinner());
            bar.set_style(style);
            bar.enable_steady_tick(FRAME);
            bar
        });
        bar.clone()
    }

    fn is_due(&self, now: Timestamp) -> bool {
        let Some(printed_at) = self.printed_at.get() else {
            self.printed_at.set(Some(now));
            return false;
        };
        let is_due = Duration::try_from(now.duration_since(printed_at)).is_ok_and(|passed| passed >= PERIOD);
        if is_due {
            self.printed_at.set(Some(now));
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_valid() {
        assert!(ProgressStyle::with_template(OPEN).is_ok() && ProgressStyle::with_template(COUNTED).is_ok());
    }

    #[test]
    fn log_gets_a_plain_line_every_ten_seconds() {
        let progress = Progress::new(Place::Log);
        let after = |seconds: i64| Timestamp::from_second(seconds).unwrap();
        assert_eq!(progress.show("a", after(0)), None);
        assert_eq!(progress.count(1, 9, "events", after(9)), None);
        assert_eq!(progress.count(2, 9, "\u{1b}events", after(10)).as_deref(), Some("2 of 9 ␛events"));
        assert_eq!(progress.show("c", after(19)), None);
        assert_eq!(progress.show("d\r", after(20)).as_deref(), Some("d␍"));
        let hidden = Progress::new(Place::Hidden);
        assert_eq!((hidden.show("a", after(0)), hidden.show("a", after(99))), (None, None));
    }
}
