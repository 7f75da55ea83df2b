//! The commands in the documents, for tests. `carillon-dev` includes this file for its own commands.

use std::path::{Path, PathBuf};

/// A command in a Markdown file.
pub(crate) struct Command {
    /// `docs/operate/replay.md: carillon replay …`.
    pub(crate) place: String,
    /// The words. Variables have the value `value`.
    pub(crate) words: Vec<String>,
    /// A line of a code block. A command within a sentence may lack arguments.
    pub(crate) is_complete: bool,
}

/// The commands of a program in README.md, docs/ and packs/.
pub(crate) fn commands(program: &str) -> Vec<Command> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = vec![root.join("README.md")];
    for folder in ["docs", "packs"] {
        add_pages(&root.join(folder), &mut files);
    }
    let mut found = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&root).unwrap().display().to_string();
        for (line, is_complete) in lines(&text) {
            for words in parts(&without_placeholders(&line)).into_iter().filter(|words| words[0] == program) {
                found.push(Command { place: format!("{name}: {line}"), words, is_complete });
            }
        }
    }
    found
}

/// Parses each command, and returns the place and the error of those that clap refuses.
pub(crate) fn refused<T: clap::Parser>(program: &str) -> Vec<String> {
    use clap::error::ErrorKind::{
        DisplayHelp, DisplayHelpOnMissingArgumentOrSubcommand, DisplayVersion, MissingRequiredArgument,
        MissingSubcommand,
    };
    let errors = commands(program).into_iter().filter_map(|command| {
        let error = T::try_parse_from(&command.words).err()?;
        let is_accepted = match error.kind() {
            DisplayHelp | DisplayVersion => true,
            MissingRequiredArgument | MissingSubcommand | DisplayHelpOnMissingArgumentOrSubcommand => {
                !command.is_complete
            }
            _ => false,
        };
        (!is_accepted).then(|| format!("{}\n  {error}", command.place))
    });
    errors.collect()
}

fn add_pages(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add_pages(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "md") {
            files.push(path);
        }
    }
}

/// The lines of shell blocks, and the code within sentences.
fn lines(text: &str) -> Vec<(String, bool)> {
    let (mut found, mut language, mut open) = (Vec::new(), None, String::new());
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("```") {
            language = if language.is_some() { None } else { Some(name.to_owned()) };
            continue;
        }
        match language.as_deref() {
            Some("sh" | "console") => {
                open.push_str(line.strip_prefix("$ ").unwrap_or(line));
                if let Some(continued) = open.strip_suffix('\\').map(str::to_owned) {
                    open = continued;
                } else {
                    found.push((std::mem::take(&mut open), true));
                }
            }
            Some(_) => {}
            None => found.extend(line.split('`').skip(1).step_by(2).map(|code| (code.to_owned(), false))),
        }
    }
    found
}

/// The line with `value` for placeholders such as `<event id>`.
fn without_placeholders(line: &str) -> String {
    let mut parts = line.split('<');
    let mut found = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('>') {
            Some((name, rest)) if name.starts_with(|first: char| first.is_ascii_alphabetic()) => {
                found.push_str("value");
                found.push_str(rest);
            }
            _ => {
                found.push('<');
                found.push_str(part);
            }
        }
    }
    found
}

/// The simple commands of a line: between pipes and lists, without comments and redirections.
fn parts(line: &str) -> Vec<Vec<String>> {
    let (mut parts, mut words, mut word) = (Vec::new(), Vec::new(), None::<String>);
    let (mut quote, mut is_ignored, mut before) = (None, false, ' ');
    for character in line.chars().chain(['\n']) {
        match (quote, character) {
            (Some(end), _) if character == end => quote = None,
            (Some(_), _) => word.get_or_insert_default().push(character),
            (None, '\'' | '"') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '#') if before == ' ' => break,
            (None, ' ' | '\n' | '|' | ';' | '&' | '(' | ')' | '<' | '>') => {
                if let Some(word) = word.take().filter(|_| !is_ignored) {
                    words.push(value(&word));
                }
                if matches!(character, '<' | '>') {
                    is_ignored = true;
                } else if character != ' ' {
                    parts.extend((!words.is_empty()).then(|| std::mem::take(&mut words)));
                    is_ignored = false;
                }
            }
            (None, _) => word.get_or_insert_default().push(character),
        }
        before = character;
    }
    words.extend(word.filter(|_| !is_ignored).map(|word| value(&word)));
    parts.extend((!words.is_empty()).then_some(words));
    parts
}

/// The word, or `value` for a variable.
fn value(word: &str) -> String {
    if word.starts_with('$') { "value".to_owned() } else { word.to_owned() }
}

#[test]
fn simple_commands_of_a_line_are_found() {
    let found = |line: &str| parts(line).iter().map(|words| words.join("|")).collect::<Vec<_>>();
    assert_eq!(found("a 'b c' | d \"e;f\" && $X g > file # no"), ["a|b c", "d|e;f", "value|g"]);
    assert_eq!(found("( . .local/env; a )"), [".|.local/env", "a"]);
    assert_eq!(without_placeholders("a <event id> < file > b"), "a value < file > b");
    assert_eq!(lines("x `a b` y\n```sh\nc \\\nd\n```\n"), [("a b".into(), false), ("c d".into(), true)]);
}
