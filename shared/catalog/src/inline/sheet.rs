//! A style sheet to inline.

/// The opening tag of a sheet.
const OPENING: &str = "<style data-inline>";
const CLOSING: &str = "</style>";

const ORDINARY: &str = "write it in an ordinary `<style>`, which is sent as it is";

/// The rules of a sheet, in its order.
pub(super) struct Sheet(pub(super) Vec<Rule>);

/// A selector and its declarations.
pub(super) struct Rule {
    pub(super) tag: Option<String>,
    pub(super) classes: Vec<String>,
    /// `name:value;`, one after the other.
    pub(super) declarations: String,
}

/// A rule that cannot be inlined.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Counted from 1.
    pub(super) line: usize,
    pub(super) what: String,
    pub(super) fix: String,
}

impl Rule {
    /// The specificity. More specific rules are applied later, and a class outweighs any tag.
    pub(super) fn weight(&self) -> (usize, bool) {
        (self.classes.len(), self.tag.is_some())
    }
}

/// The source without its sheets, and their rules. `None` without a sheet. Lines keep their numbers.
pub(super) fn take(source: &str) -> Result<Option<(String, Sheet)>, Wrong> {
    let (mut rest, mut rules, mut at) = (String::with_capacity(source.len()), Vec::new(), 0);
    while let Some(start) = source[at..].find(OPENING).map(|offset| at + offset) {
        let line = line_of(source, start);
        let inside = start + OPENING.len();
        let Some(length) = source[inside..].find(CLOSING) else {
            let fix = "close it with `</style>`".to_owned();
            return Err(Wrong { line, what: "a style sheet that does not end".to_owned(), fix });
        };
        let text = &source[inside..inside + length];
        read(text, line, &mut rules)?;
        rest.push_str(&source[at..start]);
        rest.extend(std::iter::repeat_n('\n', text.matches('\n').count()));
        at = inside + length + CLOSING.len();
    }
    if at == 0 {
        return Ok(None);
    }
    rest.push_str(&source[at..]);
    Ok(Some((rest, Sheet(rules))))
}

pub(super) fn line_of(source: &str, at: usize) -> usize {
    source[..at].matches('\n').count() + 1
}

fn read(text: &str, first_line: usize, rules: &mut Vec<Rule>) -> Result<(), Wrong> {
    let wrong = |at: usize, what: String, fix: &str| Wrong {
        line: first_line + line_of(text, at) - 1,
        what,
        fix: fix.to_owned(),
    };
    if let Some(at) = text.find("{{").or_else(|| text.find("{%")).or_else(|| text.find("{#")) {
        let fix = "write the value itself, or the style into the tag";
        return Err(wrong(at, "a sheet that is inlined beforehand cannot ask the event".to_owned(), fix));
    }
    let text = without_comments(text);
    let mut at = 0;
    while let Some(open) = text[at..].find('{').map(|offset| at + offset) {
        let Some(close) = text[open..].find('}').map(|offset| open + offset) else {
            return Err(wrong(open, "a rule that does not end".to_owned(), "close it with `}`"));
        };
        let selectors = text[at..open].split(',').map(|part| selected(part.trim()));
        let selectors: Vec<Selector> =
            selectors.collect::<Result<_, _>>().map_err(|what| wrong(open, what, ORDINARY))?;
        let declarations =
            declarations(&text[open + 1..close]).map_err(|(what, fix)| wrong(open, what, fix))?;
        rules.extend(selectors.into_iter().map(|(tag, classes)| Rule {
            tag,
            classes,
            declarations: declarations.clone(),
        }));
        at = close + 1;
    }
    match text[at..].trim() {
        "" => Ok(()),
        rest => {
            Err(wrong(at, format!("`{}` is no rule", rest.chars().take(40).collect::<String>()), ORDINARY))
        }
    }
}

/// The text with comments blanked out, so that all positions stay the same.
fn without_comments(text: &str) -> String {
    let (mut clean, mut rest) = (String::with_capacity(text.len()), text);
    while let Some((before, after)) = rest.split_once("/*") {
        let (comment, after) = after.split_once("*/").unwrap_or((after, ""));
        clean.push_str(before);
        clean.extend(comment.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = after;
    }
    clean.push_str(rest);
    clean
}

/// An optional tag, and classes.
type Selector = (Option<String>, Vec<String>);

/// `tag`, `.class`, `tag.class` and `.one.two`.
fn selected(selector: &str) -> Result<Selector, String> {
    let no = || format!("the selector `{selector}` needs the whole page, which is not there yet");
    let mut parts = selector.split('.');
    let tag = parts.next().unwrap_or_default();
    let classes: Vec<String> = parts.map(str::to_owned).collect();
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let is_whole = (!tag.is_empty() || !classes.is_empty())
        && (tag.is_empty() || is_name(tag))
        && classes.iter().all(|class| is_name(class));
    if !is_whole {
        return Err(no());
    }
    Ok(((!tag.is_empty()).then(|| tag.to_ascii_lowercase()), classes))
}

type Reason = (String, &'static str);

fn declarations(text: &str) -> Result<String, Reason> {
    let mut written = String::new();
    for declaration in text.split(';').map(str::trim).filter(|declaration| !declaration.is_empty()) {
        let Some((name, value)) = declaration.split_once(':') else {
            return Err((format!("`{declaration}` is no declaration"), "write `name: value;`"));
        };
        let (name, value) = (name.trim(), value.trim());
        if value.to_ascii_lowercase().contains("!important") {
            let what = format!("`{name}` is !important, and what stands in a tag is so already");
            return Err((what, ORDINARY));
        }
        if value.contains(['"', '<', '>', '&']) || name.contains(char::is_whitespace) {
            let fix = "use single quotes, and no `<`, `>` or `&`";
            return Err((format!("the value of `{name}` cannot stand in a tag"), fix));
        }
        written.push_str(&format!("{name}:{value};"));
    }
    Ok(written)
}
