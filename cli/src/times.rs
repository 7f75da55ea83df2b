//! The form of times in the output, in UTC. JSON has RFC 3339.

use domain::Timestamp;

/// A time for the output, such as `2026-11-30 03:46:41 UTC`.
pub fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time from a record's text; the text itself if it is no time.
pub(crate) fn utc_text(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), utc)
}

/// Reads RFC 3339 and the form of [`utc`].
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    match text.strip_suffix(" UTC") {
        Some(printed) => format!("{printed}Z").parse().ok(),
        None => text.parse().ok(),
    }
}

/// Replaces every RFC 3339 time in a sentence by the form of [`utc`]. Notes of decisions have such times.
pub(crate) fn in_utc(sentence: &str) -> String {
    let words = sentence.split(' ').map(|word| {
        let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let is_time = bare.len() >= 20 && bare.ends_with('Z') && bare.contains('T');
        match bare.parse().ok().filter(|_: &Timestamp| is_time) {
            Some(time) => word.replacen(bare, &utc(time), 1),
            None => word.to_owned(),
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn printed_time_has_its_zone_and_is_read_back() {
        for (written, printed) in [
            ("2026-11-30T03:46:41Z", "2026-11-30 03:46:41 UTC"),
            ("2026-11-30T03:46:41.123456789Z", "2026-11-30 03:46:41 UTC"),
            ("2026-11-30T04:46:41+01:00", "2026-11-30 03:46:41 UTC"),
        ] {
            assert_eq!(utc_text(written), printed);
            assert_eq!(read(printed).map(utc).as_deref(), Some(printed));
            assert!(read(written).is_some(), "{written}");
        }
        assert_eq!(utc_text("-"), "-");
        for wrong in ["", "UTC", "2026-11-30 UTC", "yesterday"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_in_a_sentence_have_the_same_form() {
        for (sentence, printed) in [
            ("hold it back until 2026-11-21T09:01:10.846Z", "hold it back until 2026-11-21 09:01:10 UTC"),
            (
                "(2026-11-21T09:01:10Z), then 2026-11-22T00:00:00Z.",
                "(2026-11-21 09:01:10 UTC), then 2026-11-22 00:00:00 UTC.",
            ),
            ("the topic T-2026 of UTC+2", "the topic T-2026 of UTC+2"),
        ] {
            assert_eq!(in_utc(sentence), printed);
        }
    }
}
