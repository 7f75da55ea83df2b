//! Times as people read them: one form everywhere, in UTC and saying so. JSON keeps RFC 3339.

use domain::Timestamp;

/// A time as every command prints it, such as `2026-11-30 03:46:41 UTC`.
pub fn utc(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

/// A time that a record has as text; the text itself where it is none.
pub(crate) fn utc_text(text: &str) -> String {
    text.parse().map_or_else(|_| text.to_owned(), utc)
}

/// Reads RFC 3339, and what [`utc`] prints.
pub(crate) fn read(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    match text.strip_suffix(" UTC") {
        Some(printed) => format!("{printed}Z").parse().ok(),
        None => text.parse().ok(),
    }
}

/// A sentence with every RFC 3339 time in UTC that it holds printed by [`utc`]: the notes of decisions have such times.
pub(crate) fn in_utc(sentence: &str) -> String {
    let words = sentence.split(' ').map(|word| {
        let bare = word.trim_matches(|sign: char| !sign.is_ascii_alphanumeric());
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
    fn time_has_one_form_says_its_zone_and_is_read_as_it_was_printed() {
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
    fn times_within_a_sentence_have_the_same_form() {
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
