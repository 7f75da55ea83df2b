//! The known word that somebody probably meant.

pub use domain::suggestions::nearest;
pub(crate) use domain::suggestions::{listed, suggestion};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_offered_and_a_far_one_is_not() {
        check("chanels", Some("channels"));
        check("Channels", Some("channels"));
        check("tempalte", Some("template"));
        check("colour", None);
        check("", None);
    }

    #[test]
    fn of_many_words_only_the_nearest_are_listed() {
        let rules: Vec<String> = (0..93).map(|number| format!("rule-{number}")).collect();
        let known: Vec<&str> = rules.iter().map(String::as_str).chain(["rx-created", "rx-changed"]).collect();
        let said = suggestion("prescription-created-by-somebody", &known);
        assert!(said.starts_with("the nearest of 95 are ") && said.matches('`').count() == 10, "{said}");
        let said = suggestion("colour", &["rule", "channels"]);
        assert_eq!(said, "it is one of `rule`, `channels`");
    }

    #[track_caller]
    fn check(found: &str, expected: Option<&str>) {
        assert_eq!(nearest(found, ["rule", "channels", "template"]), expected, "{found}");
    }
}
