//! The `wildcard` operator: `*` stands for any text, also for none; `\*` and `\\` are an asterisk and a backslash.

/// A wildcard pattern, as the literal runs between its asterisks.
///
/// Every run is looked for once, from left to right, so matching takes time in proportion to the two lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    /// What the value begins with.
    first: String,
    /// What follows each asterisk, in order; the last one ends the value.
    rest: Vec<String>,
}

/// What is wrong with a wildcard pattern, and at which character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Two asterisks stand side by side.
    Consecutive(usize),
    /// A backslash stands before something other than an asterisk or a backslash.
    Escape(usize),
}

impl Glob {
    pub(super) fn new(source: &str) -> Result<Glob, Fault> {
        let mut runs = vec![String::new()];
        let mut after_asterisk = false;
        let mut letters = source.chars().enumerate();
        while let Some((at, letter)) = letters.next() {
            if letter == '*' {
                if after_asterisk {
                    return Err(Fault::Consecutive(at));
                }
                after_asterisk = true;
                runs.push(String::new());
                continue;
            }
            after_asterisk = false;
            let literal = match letter {
                '\\' => letters
                    .next()
                    .map(|(_, it)| it)
                    .filter(|it| matches!(it, '*' | '\\'))
                    .ok_or(Fault::Escape(at))?,
                other => other,
            };
            if let Some(run) = runs.last_mut() {
                run.push(literal);
            }
        }
        let rest = runs.split_off(1);
        Ok(Glob { first: runs.remove(0), rest })
    }

    /// The literal runs, in order; between two of them stands an asterisk.
    pub(super) fn runs(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.first).chain(&self.rest).map(String::as_str)
    }

    /// What every value that matches begins and ends with.
    pub(super) fn ends(&self) -> (&str, &str) {
        (&self.first, self.rest.last().unwrap_or(&self.first))
    }

    pub(super) fn matches(&self, value: &str) -> bool {
        let Some(mut left) = value.strip_prefix(self.first.as_str()) else {
            return false;
        };
        let Some((last, middle)) = self.rest.split_last() else {
            return left.is_empty();
        };
        for run in middle {
            let Some(start) = left.find(run.as_str()) else {
                return false;
            };
            left = &left[start + run.len()..];
        }
        left.ends_with(last.as_str())
    }
}
