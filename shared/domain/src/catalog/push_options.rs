//! Options of a rule for the display and delivery of push notifications.

use crate::base::link::is_scheme;
use serde::{Deserialize, Serialize};

/// Maximum length of an Android channel, an APNs category and a link, in bytes. A whole payload has at most 4,096
/// bytes.
pub const MAX_NAME_BYTES: usize = 64;
pub const MAX_LINK_BYTES: usize = 1_024;

/// How strongly a push notification interrupts the user.
///
/// Source: Apple, UserNotifications, "Generating a remote notification", `interruption-level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interruption {
    /// Added to the list without light and sound.
    Passive,
    /// The platform's default.
    Active,
    /// Shown at once, also during a focus mode that holds other notifications back.
    TimeSensitive,
    /// Sounds although the device is muted. Apple must grant the app this right.
    Critical,
}

impl Interruption {
    /// All levels, by the name that rules use.
    pub const ALL: [(&'static str, Interruption); 4] = [
        ("passive", Interruption::Passive),
        ("active", Interruption::Active),
        ("time-sensitive", Interruption::TimeSensitive),
        ("critical", Interruption::Critical),
    ];

    /// Whether the notification wakes a sleeping device, regardless of the rule's priority.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        match self {
            Interruption::Passive | Interruption::Active => false,
            Interruption::TimeSensitive | Interruption::Critical => true,
        }
    }
}

/// The options of a rule's push notifications. Where an option is missing, the platform's default applies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushOptions {
    /// The id of the app's notification channel on Android.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The id of the app's notification category on Apple's platforms, which determines the buttons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interruption: Option<Interruption>,
    /// Whether the app may change the notification before Apple's platforms show it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mutable: bool,
}

impl PushOptions {
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == PushOptions::default()
    }
}

/// Whether the text is a valid link for an app: a URL without spaces and control characters, with a scheme that runs
/// no code. Examples are `https://…` and the app's own `clinic://…`.
#[must_use]
pub fn is_link(text: &str) -> bool {
    let runs_code = ["javascript", "vbscript", "data", "file"];
    let is_safe =
        |scheme: &str| is_scheme(scheme) && !runs_code.contains(&scheme.to_ascii_lowercase().as_str());
    text.len() <= MAX_LINK_BYTES
        && text.chars().all(|c| !c.is_control() && !c.is_whitespace())
        && text.split_once(':').is_some_and(|(scheme, rest)| is_safe(scheme) && !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_needs_a_scheme_that_runs_no_code() {
        for (text, expected) in [
            ("https://app.example.com/a/7", true),
            ("clinic://appointments/7", true),
            ("clinic:appointments", true),
            ("javascript:alert(1)", false),
            ("JavaScript:alert(1)", false),
            ("data:text/html,x", false),
            ("/appointments/7", false),
            ("https://a b", false),
            ("https:", false),
            ("", false),
        ] {
            assert_eq!(is_link(text), expected, "{text}");
        }
        assert!(!is_link(&format!("https://{}", "a".repeat(MAX_LINK_BYTES))));
    }
}
