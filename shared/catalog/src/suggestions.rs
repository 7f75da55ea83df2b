//! Suggestions: the known word closest to an unknown one.

pub use domain::base::suggestions::nearest;
pub(crate) use domain::base::suggestions::{listed, suggestion};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_word_is_suggested() {
        check("chanels", Some("channels"));
        check("Channels", Some("channels"));
        check("tempalte", Some("template"));
        check("colour", None);
        check("", None);
    }

    #[test]
    fn long_word_list_is_shortened() {
        let rules: Vec<String> = (0..93).map(|number| format!("rule-{number}")).collect();
        let known: Vec<&str> = rules.iter().map(String::as_str).chain(["rx-created", "rx-changed"]).collect();
        let suggested = suggestion("prescription-created-by-somebody", &known);
        assert!(
            suggested.starts_with("the nearest of 95 are ") && suggested.matches('`').count() == 10,
            "{suggested}"
        );
        let suggested = suggestion("colour", &["rule", "channels"]);
        assert_eq!(suggested, "it is one of `rule`, `channels`");
    }

    #[track_caller]
    fn check(found: &str, expected: Option<&str>) {
        assert_eq!(nearest(found, ["rule", "channels", "template"]), expected, "{found}");
    }
}
