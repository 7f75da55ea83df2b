use std::fmt;
use std::path::Path;

use serde::Serialize;

use crate::project::joined;
use crate::project::manifest::{MANIFEST, PACKS};
use crate::schemas::SCHEMAS;

/// A problem in a file: its place, the mistake, and the fix. Ordered by file and line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Problem {
    /// Relative to the config folder, with forward slashes. A sample keeps its given name.
    pub file: String,
    /// Counted from 1. `None` for the file as a whole.
    pub line: Option<usize>,
    /// In characters, counted from 1.
    pub column: Option<usize>,
    /// The rule, if known.
    pub rule: Option<String>,
    pub what: String,
    pub fix: String,
}

impl Problem {
    /// A problem at a place in a file.
    pub(crate) fn at(file: &str, at: At, what: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem { line: Some(at.line), column: Some(at.column), ..Problem::of_file(file, what, fix) }
    }

    /// A problem of a file as a whole.
    pub(crate) fn of_file(file: &str, what: impl Into<String>, fix: impl Into<String>) -> Problem {
        Problem {
            file: file.to_owned(),
            line: None,
            column: None,
            rule: None,
            what: what.into(),
            fix: fix.into(),
        }
    }

    pub(crate) fn at_line(self, line: Option<usize>) -> Problem {
        Problem { line, ..self }
    }

    pub(crate) fn of_rule(self, rule: Option<&str>) -> Problem {
        Problem { rule: rule.map(str::to_owned), ..self }
    }

    /// Prefixes the config folder's own files with `folder/`, so that terminals can link them.
    #[must_use]
    pub fn below(mut self, folder: &str) -> Problem {
        if let Some(file) = below(folder, &self.file) {
            self.file = file;
        }
        self
    }
}

/// The path of a file of a config folder or of one of its packs, with the folder in front. `None` for any other
/// file.
pub(crate) fn below(folder: &str, file: &str) -> Option<String> {
    let first = file.split('/').next().unwrap_or_default();
    if ["..", PACKS].contains(&first) {
        // A pack within the program is not a file below the folder.
        let path = joined(Path::new(folder), file);
        return path.exists().then(|| path.display().to_string());
    }
    let own = [RULES, TEMPLATES, POLICY, TESTS, PAGES, MANIFEST, SCHEMAS];
    own.contains(&first).then(|| format!("{}/{file}", folder.trim_end_matches('/')))
}

/// The folder of rules within a config folder.
pub(crate) const RULES: &str = "rules";

/// The folder of templates within a config folder.
pub(crate) const TEMPLATES: &str = "templates";

/// The folder of the installation's own pages.
pub(crate) const PAGES: &str = "pages";

/// The file with the settings for all rules.
pub(crate) const POLICY: &str = "policy.yaml";

/// The folder of decision tests within a config folder.
pub(crate) const TESTS: &str = "tests";

/// Format: `rules/care.yaml:12:3: rule medication-due: problem; fix`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
            if let Some(column) = self.column {
                write!(f, ":{column}")?;
            }
        }
        if let Some(rule) = &self.rule {
            write!(f, ": rule {rule}")?;
        }
        write!(f, ": {}; {}", self.what, self.fix)
    }
}

/// A place in a YAML file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct At {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// Collects the problems of one rule, or of an item without a known rule, in one file.
pub(crate) struct Diagnostics<'a> {
    pub(crate) file: &'a str,
    pub(crate) rule: Option<&'a str>,
    pub(crate) problems: &'a mut Vec<Problem>,
}

impl Diagnostics<'_> {
    pub(crate) fn refuse(&mut self, at: At, what: impl Into<String>, fix: impl Into<String>) {
        self.problems.push(Problem::at(self.file, at, what, fix).of_rule(self.rule));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_shows_place_mistake_and_fix() {
        check(Some(12), Some(3), Some("hello"), "rules/core.yaml:12:3: rule hello: it is wrong; mend it");
        check(Some(12), None, None, "rules/core.yaml:12: it is wrong; mend it");
        check(None, None, None, "rules/core.yaml: it is wrong; mend it");
    }

    #[test]
    fn files_of_the_config_folder_are_prefixed() {
        let named = |file| Problem::of_file(file, "", "").below("my/config/").file;
        assert_eq!(named("rules/core.yaml"), "my/config/rules/core.yaml");
        assert_eq!(named("templates"), "my/config/templates");
        assert_eq!(named("events/core/hello.json"), "events/core/hello.json");
    }

    #[track_caller]
    fn check(line: Option<usize>, column: Option<usize>, rule: Option<&str>, expected: &str) {
        let problem = Problem::of_file("rules/core.yaml", "it is wrong", "mend it").of_rule(rule);
        assert_eq!(Problem { line, column, ..problem }.to_string(), expected);
    }
}
