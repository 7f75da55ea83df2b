//! Parsers of option values. Their errors name the wanted form.

use clap::builder::{PossibleValuesParser, RangedU64ValueParser, TypedValueParser};
use domain::Timestamp;
use domain::base::channel::Channel;

use crate::{explain, since};

/// A number of at least 1.
pub(super) fn some() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// One of the names. `read` knows each of them.
pub(super) fn named<T: Clone + Send + Sync + 'static, const N: usize>(
    names: [&'static str; N],
    read: fn(&str) -> Option<T>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names).try_map(move |name| read(&name).ok_or("the name is unknown"))
}

/// A channel by its name.
pub(super) fn channel() -> impl TypedValueParser<Value = Channel> {
    named(Channel::ALL.map(Channel::name), Channel::from_name)
}

/// A point in time.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    explain::instant(text).map_err(|error| error.to_string())
}

/// A past time or an age, which stays a text for messages.
pub(super) fn age(text: &str) -> Result<String, String> {
    since::ago(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use crate::args::Args;

    #[test]
    fn wrong_values_are_refused_with_the_wanted_ones() {
        for (line, expected) in [
            (&["received", "ann", "--channel", "pigeon"][..], "possible values: email"),
            (&["inbox", "ann", "--filter", "attic"], "possible values: inbox"),
            (&["inbox", "ann", "--all", "--mark", "bad"], "possible values: seen"),
            (&["events", "ls", "--since", "yesterday"], "write it as 2026-11-20T12:00:00Z"),
            (&["explain", "a.json", "--at", "noon"], "write it as 2026-11-20T23:30:00Z"),
            (&["dlq", "ls", "--look-at", "0"], "--look-at"),
        ] {
            let error = Args::try_parse_from([&["carillon"][..], line].concat()).err().unwrap();
            assert_eq!(error.exit_code(), 2, "{line:?}");
            assert!(error.to_string().contains(expected), "{line:?}: {error}");
        }
    }
}
