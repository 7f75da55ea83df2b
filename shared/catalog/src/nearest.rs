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

    #[track_caller]
    fn check(found: &str, expected: Option<&str>) {
        assert_eq!(nearest(found, ["rule", "channels", "template"]), expected, "{found}");
    }
}
