//! How a push notification is shown and delivered, by what its rule says.

use serde::{Deserialize, Serialize};

/// The longest Android channel, APNs category and link, in bytes: a payload has 4,096 in all.
pub const MAX_NAME_BYTES: usize = 64;
pub const MAX_LINK_BYTES: usize = 1_024;

/// How strongly a device interrupts its owner.
///
/// Source: Apple, UserNotifications, "Generating a remote notification", `interruption-level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Interruption {
    /// It lies in the list, without light and sound.
    Passive,
    /// As the platform does by default.
    Active,
    /// It is shown at once, also where a focus mode holds others back.
    TimeSensitive,
    /// It sounds although the device is mute; Apple has to allow the app to do that.
    Critical,
}

impl Interruption {
    /// Every level, by the name that rules use.
    pub const ALL: [(&'static str, Interruption); 4] = [
        ("passive", Interruption::Passive),
        ("active", Interruption::Active),
        ("time-sensitive", Interruption::TimeSensitive),
        ("critical", Interruption::Critical),
    ];

    /// Whether a device that sleeps is woken for it, whatever the priority of its rule.
    #[must_use]
    pub fn is_urgent(self) -> bool {
        match self {
            Interruption::Passive | Interruption::Active => false,
            Interruption::TimeSensitive | Interruption::Critical => true,
        }
    }
}

/// What a rule says of its push notifications beside their text. Absent members leave it to the platform.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushOptions {
    /// The id of the app's notification channel on Android.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<String>,
    /// The id of the app's notification category on Apple's platforms: which buttons are shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interruption: Option<Interruption>,
    /// The app may change the notification before Apple's platforms show it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mutable: bool,
}

impl PushOptions {
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == PushOptions::default()
    }
}

/// Whether an app may be sent this link: a URL with a scheme that runs no code, `https://…` or the app's own
/// `clinic://…`, without spaces and control characters.
#[must_use]
pub fn is_link(text: &str) -> bool {
    let runs_code = ["javascript", "vbscript", "data", "file"];
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
            && !runs_code.contains(&scheme.to_ascii_lowercase().as_str())
    };
    text.len() <= MAX_LINK_BYTES
        && text.chars().all(|c| !c.is_control() && !c.is_whitespace())
        && text.split_once(':').is_some_and(|(scheme, rest)| is_scheme(scheme) && !rest.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_has_a_scheme_and_runs_no_code() {
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
