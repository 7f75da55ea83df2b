//! Lists in a sentence.

use std::fmt::Write;

use icu_list::ListFormatter;
use icu_list::options::ListFormatterOptions;
use minijinja::{Error, State, Value};

use super::{given, unknown, with_format};
use crate::failure::reasoned;
use crate::limits::{MAX_ITEMS, MAX_PART_BYTES, too_many};

/// `names | list` gives "Ann, Ben, and Cleo", `names | list("or")` gives "Ann, Ben, or Cleo".
pub(super) fn list(state: &State<'_, '_>, items: &Value, word: Option<&str>) -> Result<String, Error> {
    let mut words = Vec::new();
    let mut bytes = 0;
    for item in given(items)?.try_iter().map_err(|_| reasoned("the value is not a list"))? {
        let text = match item.as_str() {
            Some(item) => item.to_owned(),
            None if item.is_number() => item.to_string(),
            None => {
                return Err(reasoned(
                    "the list holds more than words and numbers; pick one: | map(attribute=\"name\")",
                ));
            }
        };
        bytes += text.len();
        if words.len() == MAX_ITEMS || bytes > MAX_PART_BYTES {
            return Err(too_many());
        }
        words.push(text);
    }
    with_format(state, |locale_format| {
        let (locale, usual) = (locale_format.locale(), ListFormatterOptions::default());
        let formatter = match word {
            None | Some("and") => ListFormatter::try_new_and(locale.into(), usual),
            Some("or") => ListFormatter::try_new_or(locale.into(), usual),
            Some(_) => return Err(reasoned("a list ends with \"and\" or \"or\"; write one of these words")),
        };
        let mut text = String::with_capacity(bytes + 16 * words.len());
        let formatter = formatter.map_err(unknown)?;
        write!(text, "{}", formatter.format(words.iter())).map_err(unknown)?;
        Ok(text)
    })
}
