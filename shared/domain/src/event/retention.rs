//! Retention periods of events, by type.

/// Maximum retention: a hundred years.
const MAX_DAYS: u32 = 36_500;

/// Rules of the form `carillon.delivery.*=90d`. The first rule that matches a type applies. Events without a rule are
/// kept forever.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Retention(Vec<(String, u32)>);

/// An invalid rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("retention: found {found:?}, wanted <type or prefix*>=<days>d, such as carillon.delivery.*=90d")]
pub struct InvalidRetention {
    found: String,
}

impl Retention {
    /// Reads comma-separated rules. An empty text has none.
    ///
    /// # Errors
    /// [`InvalidRetention`] with the invalid rule.
    pub fn parse(text: &str) -> Result<Retention, InvalidRetention> {
        let rules = text.split(',').map(str::trim).filter(|rule| !rule.is_empty());
        rules
            .map(|text| rule(text).ok_or_else(|| InvalidRetention { found: text.to_owned() }))
            .collect::<Result<_, _>>()
            .map(Retention)
    }

    /// The number of days for which events of this type are kept. `None` for events that are kept forever.
    #[must_use]
    pub fn days(&self, kind: &str) -> Option<u32> {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(prefix) => kind.starts_with(prefix),
            None => kind == pattern,
        };
        self.0.iter().find(|(pattern, _)| fits(pattern)).map(|(_, days)| *days)
    }
}

fn rule(text: &str) -> Option<(String, u32)> {
    let (pattern, days) = text.split_once('=')?;
    let days: u32 = days.trim().strip_suffix('d')?.parse().ok()?;
    let pattern = pattern.trim();
    let is_pattern = !pattern.is_empty() && !pattern.trim_end_matches('*').contains('*');
    (is_pattern && (1..=MAX_DAYS).contains(&days)).then(|| (pattern.to_owned(), days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_matching_rule_applies() {
        let rules = Retention::parse("order.paid=3650d, order.*=400d,carillon.delivery.*=90d").unwrap();
        for (kind, days) in [
            ("order.paid", Some(3_650)),
            ("order.shipped", Some(400)),
            ("carillon.delivery.sent", Some(90)),
            ("task.done", None),
        ] {
            assert_eq!(rules.days(kind), days, "{kind}");
        }
        assert_eq!(Retention::parse(" ").unwrap().days("task.done"), None);
    }

    #[test]
    fn invalid_rule_is_named() {
        for wrong in
            ["order", "order.*=", "order.*=90", "=9d", "order.*=0d", "a*b=9d", "order.*=99999999999d"]
        {
            let error = Retention::parse(wrong).unwrap_err().to_string();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
