//! Suggested fixes for mistakes in templates.

use templates::{Cause, FILTERS, FUNCTIONS, TESTS};

use crate::suggestions::nearest;

/// Filters of other engines, and their equivalents here.
const HABITS: [(&str, &str); 26] = [
    ("ago", "relative"),
    ("append", "join"),
    ("br", "nl2br"),
    ("currency", "money(\"EUR\")"),
    ("downcase", "lower"),
    ("dump", "tojson"),
    ("escape_once", "escape"),
    ("filesizeformat", "number"),
    ("format_date", "date"),
    ("forceescape", "escape"),
    ("from_now", "relative"),
    ("humanize", "relative"),
    ("json", "tojson"),
    ("json_encode", "tojson"),
    ("localize", "date"),
    ("naturaltime", "relative"),
    ("newline_to_br", "nl2br"),
    ("pluralize", "plural(one=\"…\", other=\"…\")"),
    ("raw", "safe"),
    ("size", "length"),
    ("strftime", "date(pattern=\"dd.MM.y\")"),
    ("strip", "trim"),
    ("strip_html", "striptags"),
    ("upcase", "upper"),
    ("url_encode", "urlencode"),
    ("wordcount", "split | length"),
];

/// The names that every template has.
const NAMES: &str = "`data`, `event`, `recipient`, `digest`, `unsubscribe_url` and `postal_address`";

/// The suggested fix for a mistake.
pub(crate) fn advice(cause: &Cause) -> String {
    match cause {
        Cause::Missing(None) => {
            "give it a `| default(…)`, ask `is defined` first, or complete the sample".to_owned()
        }
        Cause::Missing(Some(path)) if path.has_default => {
            let absent = &path.absent;
            format!(
                "`{absent}` is missing, and a `default` covers the last name of a path only: \
                 ask `{{% if {absent} is defined %}}` first, or complete the sample"
            )
        }
        Cause::Missing(Some(path)) => {
            let absent = &path.absent;
            format!(
                "`{absent}` is missing: give it a `| default(…)`, ask `{absent} is defined` first, or complete the sample"
            )
        }
        Cause::Filter(name) => {
            let habit = HABITS.iter().find(|(foreign, _)| foreign == name).map(|(_, ours)| *ours);
            did_you_mean(habit.or_else(|| nearest(name, FILTERS)), "filters", &FILTERS)
        }
        Cause::Test(name) => did_you_mean(nearest(name, TESTS), "tests", &TESTS),
        Cause::Function(name) if FILTERS.contains(&name.as_str()) => {
            format!("`{name}` is a filter: write `value | {name}`")
        }
        Cause::Function(name) if ["now", "date", "today"].contains(&name.as_str()) => {
            "a template has no clock: write `event.time | date`, or `… | relative`".to_owned()
        }
        Cause::Function(name) => did_you_mean(nearest(name, FUNCTIONS), "functions", &FUNCTIONS),
        Cause::Method(name) => {
            let habit = HABITS.iter().find(|(foreign, _)| foreign == name).map(|(_, ours)| *ours);
            let filter = habit.or_else(|| nearest(name, FILTERS));
            match filter {
                Some(filter) => format!("write a filter: `value | {filter}`"),
                None => "take the brackets out, or write a filter: `value | upper`".to_owned(),
            }
        }
        Cause::Variable(name) => {
            let beginning = name.split('.').next().unwrap_or(name);
            let known = ["data", "event", "recipient", "digest", "unsubscribe_url", "postal_address", "loop"];
            match nearest(beginning, known).filter(|known| *known != beginning) {
                Some(known) => format!("did you mean `{known}`?"),
                None if name.contains('.') => {
                    "take another member, or put the value into the event".to_owned()
                }
                None => format!("a template knows {NAMES}; write `data.{name}` for a value of the event"),
            }
        }
        Cause::Argument => "write another argument, or none".to_owned(),
        Cause::Attachment => {
            "name the file in the sample, or send the e-mail without it: `optional: true`".to_owned()
        }
        Cause::File => "write the file, or name another".to_owned(),
        Cause::Syntax => {
            "write `{{ value }}`, `{% if … %}…{% endif %}` or `{% for … %}…{% endfor %}`".to_owned()
        }
    }
}

fn did_you_mean(known: Option<&str>, kind: &str, all: &[&str]) -> String {
    match known {
        Some(known) => format!("did you mean `{known}`?"),
        None => format!("the {kind} are {}", all.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use templates::Path;

    #[test]
    fn advice_fits_the_mistake() {
        for (cause, expected) in [
            (Cause::Filter("upcase".to_owned()), "did you mean `upper`?"),
            (Cause::Filter("urlencod".to_owned()), "did you mean `urlencode`?"),
            (Cause::Filter("strftime".to_owned()), "did you mean `date(pattern=\"dd.MM.y\")`?"),
            (Cause::Test("define".to_owned()), "did you mean `defined`?"),
            (Cause::Function("upper".to_owned()), "`upper` is a filter: write `value | upper`"),
            (Cause::Method("upcase".to_owned()), "write a filter: `value | upper`"),
            (Cause::Variable("dat".to_owned()), "did you mean `data`?"),
        ] {
            assert_eq!(advice(&cause), expected, "{cause:?}");
        }
        assert!(advice(&Cause::Filter("xyzzy".to_owned())).starts_with("the filters are abs, "));
        assert!(advice(&Cause::Function("now".to_owned())).starts_with("a template has no clock"));
        let path = Path { absent: "data.zz".to_owned(), has_default: true };
        assert!(
            advice(&Cause::Missing(Some(path))).contains("a `default` covers the last name of a path only")
        );
        assert!(!advice(&Cause::Filter("nope".to_owned())).contains("default(…)"));
    }
}
