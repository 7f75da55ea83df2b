//! Versions of data that outlives a deployment: jobs and continuations in queues and schedules, catalogs in files.
//!
//! A text of an older version passes through one upgrade step per version before it is read. A text of a newer
//! version is left to a newer release. Members that a release adds without a new version are optional: older readers
//! ignore them, and newer readers have a default.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize as _;
use serde_json::value::RawValue;

use crate::event::{Found, Refusal, kind_of};

/// The members of an object, each in its original spelling.
pub type Members = BTreeMap<String, Box<RawValue>>;

/// Converts the members of one version to the next. The caller writes the version afterwards.
///
/// # Errors
/// The members do not fit their version.
pub type Upgrade = fn(&mut Members) -> Result<(), serde_json::Error>;

/// The versions of one kind of text, and how to read them.
#[derive(Clone, Copy)]
pub struct Layout {
    /// The member that holds the version.
    pub member: &'static str,
    /// The oldest version that can be read.
    pub oldest: u32,
    /// One step for each version from `oldest` to the one before the current version.
    pub upgrades: &'static [Upgrade],
}

/// The reason why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRead {
    /// A newer release wrote the text and can read it.
    #[error("{member} {found} is newer than {current}, the newest that this release reads")]
    Newer { member: &'static str, found: u32, current: u32 },
    /// No release can read the text. It has no version, an unknown version, or members of another shape. The error
    /// does not quote the text.
    #[error("{member}: found {found}, wanted {wanted}")]
    Malformed { member: &'static str, found: Found, wanted: String },
}

impl NotRead {
    /// The same as a refusal, for the dead-letter message.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        match self {
            NotRead::Newer { member, found, current } => {
                Refusal::new(*member, Found::version(*found), format_args!("at most {current}"))
            }
            NotRead::Malformed { member, found, wanted } => Refusal::new(*member, found.clone(), wanted),
        }
    }
}

impl Layout {
    /// The version that this release writes.
    #[must_use]
    pub fn current(&self) -> u32 {
        let steps = u32::try_from(self.upgrades.len()).unwrap_or(u32::MAX);
        self.oldest.saturating_add(steps)
    }

    /// Converts a text to the current version.
    ///
    /// # Errors
    /// [`NotRead::Newer`] for a version that a newer release writes. [`NotRead::Malformed`] for a text that is not a
    /// JSON object, for a version that is missing, too old or not an integer, and for members that do not fit their
    /// version.
    pub fn forward<'t>(&self, text: &'t str) -> Result<Cow<'t, str>, NotRead> {
        let members: BTreeMap<Cow<'_, str>, &RawValue> =
            serde_json::from_str(text).map_err(|error| self.not_json(&error))?;
        let (oldest, current) = (self.oldest, self.current());
        let wanted = match oldest == current {
            true => format!("the version {current}"),
            false => format!("a version from {oldest} to {current}"),
        };
        let malformed =
            |found: Found| NotRead::Malformed { member: self.member, found, wanted: wanted.clone() };
        let Some(written) = members.get(self.member) else { return Err(malformed("nothing".into())) };
        let Ok(version) = u64::deserialize(*written) else {
            return Err(malformed(kind_of(written.get()).into()));
        };
        let version = u32::try_from(version).unwrap_or(u32::MAX);
        if version > current {
            return Err(NotRead::Newer { member: self.member, found: version, current });
        }
        if version < oldest {
            return Err(malformed(Found::version(version)));
        }
        if version == current {
            return Ok(Cow::Borrowed(text));
        }
        let mut members: Members =
            members.into_iter().map(|(name, value)| (name.into_owned(), value.to_owned())).collect();
        let begin = usize::try_from(version - oldest).unwrap_or(usize::MAX);
        for upgrade in self.upgrades.iter().skip(begin) {
            upgrade(&mut members).map_err(|error| self.not_json(&error))?;
        }
        let current = serde_json::value::to_raw_value(&current).map_err(|error| self.not_json(&error))?;
        members.insert(self.member.to_owned(), current);
        // The version must come first, because readers recognise a continuation by it.
        let first = members.remove_entry(self.member);
        let pieces: Vec<String> = first
            .into_iter()
            .chain(members)
            .map(|(name, value)| format!("{}:{}", quoted(&name), value.get()))
            .collect();
        Ok(Cow::Owned(format!("{{{}}}", pieces.join(","))))
    }

    /// Reads a text of the current or an older version.
    ///
    /// # Errors
    /// As for [`Layout::forward`].
    pub fn read<T: serde::de::DeserializeOwned>(&self, text: &str) -> Result<T, NotRead> {
        let text = self.forward(text)?;
        serde_json::from_str(&text).map_err(|error| self.not_json(&error))
    }

    /// The error states the position but not the content.
    fn not_json(&self, error: &serde_json::Error) -> NotRead {
        NotRead::Malformed {
            member: "body",
            found: Found::position("text of another shape", error),
            wanted: format!("one JSON object with the members of its {}", self.member),
        }
    }
}

fn quoted(name: &str) -> String {
    serde_json::Value::from(name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    /// A layout whose version 2 renames `title` to `name`, and whose version 3 has `n` as a number.
    const LAYOUT: Layout = Layout { member: "version", oldest: 1, upgrades: &[to_second, to_third] };

    #[derive(Debug, PartialEq, Deserialize)]
    struct Third {
        version: u32,
        name: String,
        n: u32,
        #[serde(default)]
        added: Option<String>,
    }

    fn to_second(members: &mut Members) -> Result<(), serde_json::Error> {
        if let Some(title) = members.remove("title") {
            members.insert("name".to_owned(), title);
        }
        Ok(())
    }

    fn to_third(members: &mut Members) -> Result<(), serde_json::Error> {
        let text: String =
            members.get("n").map_or(Ok(String::new()), |value| serde_json::from_str(value.get()))?;
        let n: u32 = text.parse().map_err(serde::de::Error::custom)?;
        members.insert("n".to_owned(), serde_json::value::to_raw_value(&n)?);
        Ok(())
    }

    #[test]
    fn older_versions_are_upgraded() {
        let expected = Third { version: 3, name: "a".into(), n: 7, added: None };
        for text in [
            r#"{"version":1,"title":"a","n":"7"}"#,
            r#"{"version":2,"name":"a","n":"7"}"#,
            r#"{"version":3,"name":"a","n":7}"#,
            r#"{"n":7,"version":3,"name":"a","news":{"of":"a later release"}}"#,
        ] {
            assert_eq!(LAYOUT.read::<Third>(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn untouched_members_keep_their_spelling() {
        let text = LAYOUT.forward(r#"{"version":2,"data":{"x":1.50,"y":"\u00e9"},"n":"7"}"#).unwrap();
        assert_eq!(text, r#"{"version":3,"data":{"x":1.50,"y":"\u00e9"},"n":7}"#);
    }

    #[test]
    fn newer_version_and_malformed_text_are_different_errors() {
        for newer in [r#"{"version":4}"#, r#"{"version":4000000000000}"#] {
            assert!(matches!(LAYOUT.read::<Third>(newer), Err(NotRead::Newer { current: 3, .. })), "{newer}");
        }
        for (text, states) in [
            (r#"{"name":"a","n":7}"#, "version: found nothing, wanted a version from 1 to 3"),
            (r#"{"version":0,"name":"a"}"#, "version: found version 0, wanted a version from 1 to 3"),
            (r#"{"version":"3"}"#, "version: found a string, wanted a version from 1 to 3"),
            (r#"{"version":-1}"#, "version: found a number, wanted a version from 1 to 3"),
            (r#"{"version":null}"#, "version: found null, wanted a version from 1 to 3"),
            (r#"{"version":2,"name":"SECRET","n":"SECRET"}"#, "body: found text of another shape"),
            ("SECRET", "body: found text of another shape"),
            ("[]", "body: found text of another shape"),
        ] {
            let Err(error) = LAYOUT.read::<Third>(text) else { panic!("{text}") };
            assert!(matches!(error, NotRead::Malformed { .. }), "{text}");
            assert!(error.to_string().starts_with(states), "{error}");
            assert!(!error.to_string().contains("SECRET"), "{error}");
            assert_eq!(error.refusal().to_string(), error.to_string());
        }
    }
}
