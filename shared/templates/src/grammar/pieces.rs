//! Cuts a template so that all steps of the engine and all tags stay small.

use minijinja::Error;
use minijinja::machinery::{Token, tokenize};

use crate::failure::refused;
use crate::limits::FREE_BYTES;

/// The number of tokens between `{{` and `}}`, or `{%` and `%}`. The engine's recursion depth grows with the length
/// of a tag.
const MAX_TAG_TOKENS: usize = 200;

/// The text with an empty comment after every [`FREE_BYTES`] between tags.
///
/// # Errors
/// Refuses a tag that is too long, and a `raw` block that cannot be cut.
pub(super) fn pieces(name: &str, source: &str) -> Result<String, Error> {
    let mut text = String::with_capacity(source.len() + source.len() / 64);
    let mut copied = 0;
    let mut length = 0;
    let mut after_tag = false;
    for token in tokenize(source, false, minijinja::syntax::SyntaxConfig::default()) {
        let Ok((token, span)) = token else {
            break; // the parser gives a better error
        };
        if let Token::TemplateData(data) = token {
            let start = data.as_ptr() as usize - source.as_ptr() as usize;
            let raw = !after_tag && source[..start].trim_end().ends_with("%}");
            if raw && data.len() > FREE_BYTES {
                let problem = format!("`raw` holds {FREE_BYTES} bytes at most; cut it in two");
                return Err(refused(name, span.start_line.into(), problem));
            }
            let mut from = 0;
            while data.len() - from > FREE_BYTES {
                from = data.floor_char_boundary(from + FREE_BYTES);
                text.push_str(&source[copied..start + from]);
                text.push_str("{##}");
                copied = start + from;
            }
            after_tag = false;
            continue;
        }
        after_tag = matches!(token, Token::BlockEnd);
        length = if matches!(token, Token::VariableStart | Token::BlockStart) { 0 } else { length + 1 };
        if length > MAX_TAG_TOKENS {
            let problem = format!("a tag has {MAX_TAG_TOKENS} words and signs at most; cut it in two");
            return Err(refused(name, span.start_line.into(), problem));
        }
    }
    text.push_str(&source[copied..]);
    Ok(text)
}
