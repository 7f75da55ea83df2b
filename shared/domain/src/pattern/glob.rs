//! The `wildcard` operator. `*` matches any text, including the empty one. `\*` and `\\` are a literal asterisk and
//! backslash.

/// A wildcard pattern, stored as the literal runs between its asterisks.
///
/// Matching searches each run once, from left to right, so its time is proportional to the two lengths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob {
    /// The literal text before the first asterisk.
    first: String,
    /// The literal text after each asterisk, in order. The value must end with the last one.
    rest: Vec<String>,
}

/// A fault in a wildcard pattern, with the index of its character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Two adjacent asterisks.
    Consecutive(usize),
    /// A backslash that precedes neither an asterisk nor a backslash.
    Escape(usize),
}

impl Glob {
    pub(super) fn new(source: &str) -> Result<Glob, Fault> {
        let mut runs = vec![String::new()];
        let mut after_asterisk = false;
        let mut characters = source.chars().enumerate();
        while let Some((index, character)) = characters.next() {
            if character == '*' {
                if after_asterisk {
                    return Err(Fault::Consecutive(index));
                }
                after_asterisk = true;
                runs.push(String::new());
                continue;
            }
            after_asterisk = false;
            let literal = match character {
                '\\' => characters
                    .next()
                    .map(|(_, escaped)| escaped)
                    .filter(|escaped| matches!(escaped, '*' | '\\'))
                    .ok_or(Fault::Escape(index))?,
                other => other,
            };
            if let Some(run) = runs.last_mut() {
                run.push(literal);
            }
        }
        let rest = runs.split_off(1);
        Ok(Glob { first: runs.remove(0), rest })
    }

    /// The literal runs, in order. Between two runs there is an asterisk.
    pub(super) fn runs(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.first).chain(&self.rest).map(String::as_str)
    }

    /// The literal text with which matching values begin and end.
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
