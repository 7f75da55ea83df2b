//! The tags of an HTML source that contains template syntax.

use std::ops::Range;

use super::sheet::{Rule, Sheet, Wrong, line_of};

/// An attribute of a tag: the range of its value without quotes, and the quote.
struct Attribute {
    name: String,
    value: Range<usize>,
    quote: Option<char>,
}

/// The source with the sheets applied to the tags they select. Existing styles of a tag take precedence.
pub(super) fn written(source: &str, sheets: &[&Sheet]) -> Result<String, Wrong> {
    let (mut text, mut from) = (String::with_capacity(source.len() * 2), 0);
    let mut at = 0;
    while let Some(open) = source[at..].find(['<', '{']).map(|offset| at + offset) {
        let rest = &source[open..];
        if let Some(length) = opaque(rest) {
            at = open + length;
        } else if rest[1..].starts_with(|rest: char| rest.is_ascii_alphabetic()) && rest.starts_with('<') {
            let tag = Tag::read(source, open)?;
            if let Some((place, styled)) = tag.styled(source, sheets)? {
                text.push_str(&source[from..place.start]);
                text.push_str(&styled);
                from = place.end;
            }
            at = tag.end;
        } else {
            at = open + 1;
        }
    }
    text.push_str(&source[from..]);
    Ok(text)
}

/// The length of a construct that contains no tag to style: a comment, template syntax, or a style sheet.
fn opaque(rest: &str) -> Option<usize> {
    let marks =
        [("<!--", "-->"), ("{#", "#}"), ("{%", "%}"), ("{{", "}}"), ("<style", "</style>"), ("<!", ">")];
    let (_, end) = marks.into_iter().find(|(start, _)| rest.starts_with(start))?;
    Some(rest.find(end).map_or(rest.len(), |offset| offset + end.len()))
}

struct Tag {
    name: String,
    /// The position after the name.
    head: usize,
    attributes: Vec<Attribute>,
    /// The position after the `>`.
    end: usize,
    /// Template syntax occurs between its attributes.
    is_conditional: bool,
}

impl Tag {
    fn read(source: &str, open: usize) -> Result<Tag, Wrong> {
        let bytes = source.as_bytes();
        let name_end = end_of(source, open + 1, |byte| !byte.is_ascii_alphanumeric() && byte != b'-');
        let mut tag = Tag {
            name: source[open + 1..name_end].to_ascii_lowercase(),
            head: name_end,
            attributes: Vec::new(),
            end: source.len(),
            is_conditional: false,
        };
        let mut at = name_end;
        while at < source.len() {
            match bytes[at] {
                b'>' => {
                    tag.end = at + 1;
                    return Ok(tag);
                }
                b'{' if opaque(&source[at..]).is_some() => {
                    tag.is_conditional = true;
                    at += opaque(&source[at..]).unwrap_or(1);
                }
                byte if byte.is_ascii_whitespace() || byte == b'/' || byte == b'{' => at += 1,
                _ => at = tag.attribute(source, at),
            }
        }
        let fix = "close it with `>`".to_owned();
        Err(Wrong { line: line_of(source, open), what: format!("the tag `{}` does not end", tag.name), fix })
    }

    /// Reads one attribute and returns its end.
    fn attribute(&mut self, source: &str, at: usize) -> usize {
        let stop = |byte: u8| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'>' | b'/' | b'{');
        let name_end =
            end_of(source, at + 1, stop).max(at + source[at..].chars().next().map_or(1, char::len_utf8));
        let name = source[at..name_end].to_ascii_lowercase();
        if !source[name_end..].starts_with('=') {
            self.attributes.push(Attribute { name, value: name_end..name_end, quote: None });
            return name_end;
        }
        let start = name_end + 1;
        let quote = source[start..].chars().next().filter(|c| ['"', '\''].contains(c));
        let (value, end) = match quote {
            Some(quote) => {
                let from = start + 1;
                let to = end_of_value(source, from, quote);
                (from..to, (to + 1).min(source.len()))
            }
            None => {
                let to = end_of(source, start, |byte| byte.is_ascii_whitespace() || byte == b'>');
                (start..to, to)
            }
        };
        self.attributes.push(Attribute { name, value, quote });
        end
    }

    fn find(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }

    /// The range and text of the new style. `None` if no sheet selects the tag.
    fn styled(&self, source: &str, sheets: &[&Sheet]) -> Result<Option<(Range<usize>, String)>, Wrong> {
        let wrong = |what: String| {
            let fix = "write its style into the tag, or its class without `{{` and `{%`".to_owned();
            Wrong { line: line_of(source, self.head), what, fix }
        };
        let class = self.find("class").map_or("", |attribute| &source[attribute.value.clone()]);
        let asks = class.contains("{{") || class.contains("{%");
        let classes: Vec<&str> = class.split_ascii_whitespace().collect();
        let selects = |rule: &&Rule| {
            rule.tag.as_ref().is_none_or(|tag| *tag == self.name)
                && rule.classes.iter().all(|class| classes.contains(&class.as_str()))
        };
        let mut rules: Vec<&Rule> = sheets.iter().flat_map(|sheet| &sheet.0).filter(selects).collect();
        if asks {
            return Err(wrong(format!("the class of `{}` is not known before the event is", self.name)));
        }
        if rules.is_empty() {
            return Ok(None);
        }
        if self.is_conditional {
            return Err(wrong(format!("what stands in the tag `{}` depends on the event", self.name)));
        }
        rules.sort_by_key(|rule| rule.weight());
        let sheet: String = rules.iter().map(|rule| rule.declarations.as_str()).collect();
        Ok(Some(match self.find("style") {
            Some(own) if own.quote == Some('\'') && sheet.contains('\'') => {
                return Err(wrong(format!(
                    "the style of `{}` is in single quotes, and so is a value of the sheet",
                    self.name
                )));
            }
            Some(own) if own.quote.is_some() => {
                (own.value.clone(), format!("{sheet}{}", &source[own.value.clone()]))
            }
            Some(_) => return Err(wrong(format!("the style of `{}` is not in quotes", self.name))),
            None => (self.head..self.head, format!(" style=\"{sheet}\"")),
        }))
    }
}

/// The end of a quoted value, in which template syntax may contain quotes of its own.
fn end_of_value(source: &str, from: usize, quote: char) -> usize {
    let mut at = from;
    while let Some(next) = source[at..].find([quote, '{']).map(|offset| at + offset) {
        if source[next..].starts_with(quote) {
            return next;
        }
        at = next + opaque(&source[next..]).unwrap_or(1);
    }
    source.len()
}

fn end_of(source: &str, from: usize, is_end: impl Fn(u8) -> bool) -> usize {
    let bytes = source.as_bytes();
    (from..bytes.len()).find(|index| is_end(bytes[*index])).unwrap_or(bytes.len())
}
