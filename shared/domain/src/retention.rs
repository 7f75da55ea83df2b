//! How long events are kept, by their type.

/// The longest that can be asked for: a hundred years.
const MAX_DAYS: u32 = 36_500;

/// Rules of the form `carillon.delivery.*=90d`; the first that fits a type counts, and what none fits is kept for ever.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Retention(Vec<(String, u32)>);

/// A rule that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "retention: found {found:?}, wanted <type, or its beginning and a star>=<days>d, such as carillon.delivery.*=90d"
)]
pub struct NoRetention {
    found: String,
}

impl Retention {
    /// Reads rules with commas between them; none from an empty text.
    ///
    /// # Errors
    /// [`NoRetention`] names the rule that cannot be read.
    pub fn parse(text: &str) -> Result<Retention, NoRetention> {
        let rules = text.split(',').map(str::trim).filter(|it| !it.is_empty());
        rules
            .map(|it| rule(it).ok_or_else(|| NoRetention { found: it.to_owned() }))
            .collect::<Result<_, _>>()
            .map(Retention)
    }

    /// How many days an event of this type is kept; `None` for ever.
    #[must_use]
    pub fn days(&self, kind: &str) -> Option<u32> {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
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
    fn the_first_rule_that_fits_counts_and_what_none_fits_is_kept_for_ever() {
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
    fn a_rule_that_is_none_is_named() {
        for wrong in
            ["order", "order.*=", "order.*=90", "=9d", "order.*=0d", "a*b=9d", "order.*=99999999999d"]
        {
            let said = Retention::parse(wrong).unwrap_err().to_string();
            assert!(said.contains(wrong), "{said}");
        }
    }
}
