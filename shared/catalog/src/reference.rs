//! References between templates. A missing file would otherwise fail only when a message is rendered.

/// A name in `extends`, `include` or `import`, with its line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reference<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: usize,
}

/// All constant names. Names that are computed at run time or may be missing are left out.
pub(crate) fn references(source: &str) -> Vec<Reference<'_>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((start, kind)) = next_opening(source, at) {
        let inside = start + 2;
        let closing = match kind {
            Opening::Tag => "%}",
            Opening::Comment => "#}",
            Opening::Value => "}}",
        };
        let Some(length) = source[inside..].find(closing) else {
            break;
        };
        at = inside + length + 2;
        if kind != Opening::Tag {
            continue;
        }
        let tag = source[inside..inside + length].trim_matches(['-', '+']).trim();
        if tag == "raw" {
            at = end_of_raw(source, at);
        } else if let Some(name) = named(tag) {
            found.push(Reference { name, line: source[..start].matches('\n').count() + 1 });
        }
    }
    found
}

#[derive(PartialEq, Eq)]
enum Opening {
    Tag,
    Comment,
    Value,
}

fn next_opening(source: &str, from: usize) -> Option<(usize, Opening)> {
    source[from..].match_indices('{').find_map(|(at, _)| {
        let kind = match source[from + at + 1..].chars().next()? {
            '%' => Opening::Tag,
            '#' => Opening::Comment,
            '{' => Opening::Value,
            _ => return None,
        };
        Some((from + at, kind))
    })
}

/// The position of the `{% endraw %}` of a `raw` before `from`.
fn end_of_raw(source: &str, from: usize) -> usize {
    let is_end = |at: &usize| {
        let tag = source[at + 2..].trim_start_matches(['-', '+']).trim_start();
        tag.starts_with("endraw")
    };
    let openings = source[from..].match_indices("{%").map(|(at, _)| from + at);
    openings.into_iter().find(is_end).unwrap_or(source.len())
}

fn named(tag: &str) -> Option<&str> {
    let (word, rest) = tag.split_once(char::is_whitespace)?;
    if !["extends", "include", "import", "from"].contains(&word) {
        return None;
    }
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c))?;
    let (name, after) = rest[1..].split_once(quote)?;
    let may_be_missing = after.trim_start().starts_with("ignore missing");
    // A continued expression computes the name at run time.
    let goes_on = word == "extends" && !after.trim().is_empty();
    (!may_be_missing && !goes_on).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_with_their_lines() {
        check(
            "{% extends \"layouts/a.html\" %}\n{%- include 'b.txt' -%}",
            &[("layouts/a.html", 1), ("b.txt", 2)],
        );
        check("text { } {{ a }}\n\n{%+ include \"b\" %}", &[("b", 3)]);
        check("{% import \"m\" as m %}{% from \"n\" import x %}", &[("m", 1), ("n", 1)]);
    }

    #[test]
    fn computed_and_optional_names_are_skipped() {
        check("{# {% include \"a\" %} #}", &[]);
        check("{% raw %}{% include \"a\" %}{% endraw %}{% include \"b\" %}", &[("b", 1)]);
        check("{% include \"a\" ignore missing %}", &[]);
        check("{% include name %}{% include [\"a\", \"b\"] %}", &[]);
        check("{% extends \"a\" ~ x %}", &[]);
        check("{% if a %}{% endif %}{%", &[]);
        check("{% block extends %}{", &[]);
    }

    #[track_caller]
    fn check(source: &str, expected: &[(&str, usize)]) {
        let found: Vec<(&str, usize)> =
            references(source).iter().map(|reference| (reference.name, reference.line)).collect();
        assert_eq!(found, expected, "{source}");
    }
}
