//! The frame limit of sockets. Each process counts for itself. Frames over the limit cause no table
//! call, so a flooding socket does not slow down others.

use std::collections::HashMap;
use std::time::Duration;

use domain::Timestamp;
use domain::delivery::rate_limit::{Bucket, Quota};
use jiff::SignedDuration;

/// The burst of a socket. Its rate is 5 frames a second.
const BURST: u32 = 20;
const INTERVAL: SignedDuration = SignedDuration::from_millis(200);

/// The number of frames over the limit within this time that closes the socket.
const MOST_OVER: u32 = 100;
const WITHIN: SignedDuration = SignedDuration::from_secs(10);

/// The number of sockets that a process tracks.
const MAX_SOCKETS: usize = 4_096;

/// The decision about a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The frame is processed.
    Pass,
    /// The client gets `slow_down`, and the frame is not processed.
    SlowDown,
    /// The socket must be closed.
    Close,
    /// The socket is being closed, and the frame gets no answer.
    Ignore,
}

/// The sockets of this process and their frame counts.
pub(crate) struct Floods {
    quota: Quota,
    sockets: HashMap<String, Flow>,
}

struct Flow {
    bucket: Bucket,
    /// The frames over the limit since `since`.
    over: u32,
    since: Timestamp,
    last: Timestamp,
    is_closing: bool,
}

impl Floods {
    pub(crate) fn new() -> Floods {
        let quota = Quota::every(INTERVAL, BURST).expect("interval and burst are not 0");
        Floods { quota, sockets: HashMap::new() }
    }

    /// Counts a frame of a socket.
    pub(crate) fn frame(&mut self, id: &str, now: Timestamp) -> Verdict {
        if !self.sockets.contains_key(id) {
            self.make_room(now);
        }
        let flow = self.sockets.entry(id.to_owned()).or_insert_with(|| Flow {
            bucket: Bucket::default(),
            over: 0,
            since: now,
            last: now,
            is_closing: false,
        });
        flow.last = now;
        if flow.is_closing {
            return Verdict::Ignore;
        }
        let slice = flow.bucket.take(&self.quota, 1, now, Duration::ZERO);
        if !slice.tokens.is_empty() {
            flow.bucket = slice.next;
            return Verdict::Pass;
        }
        if now.duration_since(flow.since) > WITHIN {
            (flow.over, flow.since) = (0, now);
        }
        flow.over = flow.over.saturating_add(1);
        if flow.over < MOST_OVER {
            return Verdict::SlowDown;
        }
        flow.is_closing = true;
        Verdict::Close
    }

    /// Records that a socket was not closed. The next frame over the limit closes it.
    pub(crate) fn mark_open(&mut self, id: &str) {
        if let Some(flow) = self.sockets.get_mut(id) {
            flow.is_closing = false;
        }
    }

    pub(crate) fn forget(&mut self, id: &str) {
        self.sockets.remove(id);
    }

    /// Evicts idle sockets first, then those within the limit, then all others.
    fn make_room(&mut self, now: Timestamp) {
        if self.sockets.len() < MAX_SOCKETS {
            return;
        }
        self.sockets.retain(|_, flow| now.duration_since(flow.last) <= WITHIN);
        if self.sockets.len() >= MAX_SOCKETS {
            self.sockets.retain(|_, flow| flow.over > 0);
        }
        if self.sockets.len() >= MAX_SOCKETS {
            self.sockets.clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[test]
    fn twenty_frames_pass_at_once_and_five_a_second_after_them() {
        let mut floods = Floods::new();
        let passed = (0..30).filter(|_| floods.frame("a", NOON) == Verdict::Pass).count();
        assert_eq!(passed, 20);
        let later = NOON + SignedDuration::from_secs(1);
        let passed = (0..30).filter(|_| floods.frame("a", later) == Verdict::Pass).count();
        assert_eq!(passed, 5);
        assert_eq!(floods.frame("b", NOON), Verdict::Pass, "a neighbour");
    }

    #[test]
    fn hundred_frames_over_within_ten_seconds_close_a_socket_once() {
        let mut floods = Floods::new();
        let verdicts: Vec<Verdict> = (0..125).map(|_| floods.frame("a", NOON)).collect();
        assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::SlowDown).count(), 99);
        assert_eq!(verdicts[119], Verdict::Close);
        assert!(verdicts[120..].iter().all(|verdict| *verdict == Verdict::Ignore));
        floods.mark_open("a");
        assert_eq!(floods.frame("a", NOON), Verdict::Close, "it could not be closed");
    }

    #[test]
    fn socket_that_is_a_little_over_for_long_stays_open() {
        let mut floods = Floods::new();
        for second in 0..600 {
            let now = NOON + SignedDuration::from_secs(second);
            for _ in 0..10 {
                assert_ne!(floods.frame("a", now), Verdict::Close, "{second} s");
            }
        }
    }

    #[test]
    fn process_remembers_a_bounded_number_of_sockets() {
        let mut floods = Floods::new();
        for socket in 0..3 * MAX_SOCKETS {
            assert_eq!(floods.frame(&socket.to_string(), NOON), Verdict::Pass);
            assert!(floods.sockets.len() <= MAX_SOCKETS);
        }
        floods.forget("0");
    }
}
