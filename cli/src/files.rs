//! Reading what a command is given: a file, standard input, a list, one value a line.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Error;

/// More than this in one file is not read into memory.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// One JSON value of a file, and where it begins.
pub struct Piece {
    pub text: String,
    /// `file`, or `file:line`.
    pub place: String,
}

/// The text of a file, or of standard input for `-`.
pub fn read(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(MAX_FILE_BYTES).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|it| it.take(MAX_FILE_BYTES).read_to_end(&mut bytes))
    };
    read.map_err(|error| Error::read(path, error))?;
    if is_utf_16(&bytes) {
        let what = format!("{} is written in UTF-16, wanted UTF-8", path.display());
        return Err(Error::usage(what, "in PowerShell, write it with `Set-Content -Encoding utf8`"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let place = error.utf8_error().valid_up_to();
        let what = format!("{} is no UTF-8 text: byte {place} belongs to no character", path.display());
        Error::usage(what, "save it as UTF-8")
    })
}

/// Whether it begins with UTF-16's byte order mark, or with an ASCII character as UTF-16 writes it.
fn is_utf_16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] | [1..=0x7f, 0, ..])
}

/// The events in a file: its values, and the members of `Entries` where it is the input of `aws events put-events`.
pub(crate) fn events(path: &Path) -> Result<Vec<Piece>, Error> {
    /// The input of `PutEvents`.
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Input<'a> {
        #[serde(borrow, rename = "Entries")]
        entries: Vec<&'a RawValue>,
    }
    let pieces = pieces(path)?;
    let [whole] = pieces.as_slice() else { return Ok(pieces) };
    let Ok(input) = serde_json::from_str::<Input<'_>>(&whole.text) else { return Ok(pieces) };
    let place = |at: usize| format!("{} Entries[{at}]", whole.place);
    let entries = input.entries.iter().enumerate();
    Ok(entries.map(|(at, it)| Piece { place: place(at), text: it.get().to_owned() }).collect())
}

/// The values in a file: the members of one list, or the values that follow one another, be it one a line or not.
///
/// What is no JSON becomes a piece of its own, to be refused for itself: what stands before it is not lost.
pub fn pieces(path: &Path) -> Result<Vec<Piece>, Error> {
    Ok(pieces_of(&read(path)?, &path.display().to_string()))
}

/// The values in a text of this name.
pub fn pieces_of(text: &str, name: &str) -> Vec<Piece> {
    let trimmed = text.trim_start_matches('\u{feff}');
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(trimmed) {
        let place = |raw_value: &RawValue| format!("{name}:{}", line_of(text, raw_value.get()));
        return list.into_iter().map(|it| Piece { place: place(it), text: it.get().to_owned() }).collect();
    }
    if serde_json::from_str::<&RawValue>(trimmed).is_ok() {
        return vec![Piece { text: trimmed.to_owned(), place: name.to_owned() }];
    }
    let lines = trimmed.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let by_line: Vec<Piece> = lines
        .map(|(at, line)| Piece { text: line.to_owned(), place: format!("{name}:{}", at + 1) })
        .collect();
    // One event over many lines with a mistake in it is one piece, not one for every line.
    let whole = by_line.iter().filter(|it| serde_json::from_str::<&RawValue>(&it.text).is_ok()).count();
    match whole * 2 >= by_line.len() && !by_line.is_empty() {
        true => by_line,
        false => vec![Piece { text: trimmed.to_owned(), place: name.to_owned() }],
    }
}

/// The line on which a part of `text` begins, counted from 1.
fn line_of(text: &str, part: &str) -> usize {
    let offset = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    1 + text.as_bytes().iter().take(offset).filter(|&&it| it == b'\n').count()
}

/// The sample events under a folder: `<pack>/<type>.json`, without `lambda/`, in the order of their names.
pub fn samples(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for pack in entries(folder)? {
        if !pack.is_dir() || pack.ends_with("lambda") {
            continue;
        }
        files.extend(
            entries(&pack)?
                .into_iter()
                .filter(|entry| entry.extension().is_some_and(|extension| extension == "json")),
        );
    }
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = std::fs::read_dir(folder).map_err(|error| Error::read(folder, error))?;
    let mut entries: Vec<PathBuf> = read.filter_map(|it| Some(it.ok()?.path())).collect();
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_value_a_list_or_one_a_line() {
        check("{\"a\":1}", &["{\"a\":1}"]);
        check("[{\"a\":1},\n {\"b\":2}]", &["{\"a\":1}", "{\"b\":2}"]);
        check("{\"a\":1}\n\n{\"b\":2}\n", &["{\"a\":1}", "{\"b\":2}"]);
        check("{\"a\":1}\nnot json\n{\"b\":2}\n", &["{\"a\":1}", "not json", "{\"b\":2}"]);
        check("{\n \"a\": 1,\n}\n", &["{\n \"a\": 1,\n}\n"]);
    }

    #[test]
    fn text_in_utf_16_is_told_from_utf_8() {
        for text in ["{\"a\":1}", "[]", "é"] {
            let units: Vec<u16> = text.encode_utf16().collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let marked = [&[0xff, 0xfe][..], &little].concat();
            assert!(is_utf_16(&marked), "{text}");
            assert!(!is_utf_16(text.as_bytes()), "{text}");
        }
        assert!(is_utf_16(b"{\0\"\0") && is_utf_16(b"\0{\0\"") && !is_utf_16(b"{}") && !is_utf_16(b""));
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let folder = std::env::temp_dir().join(format!("carillon-pieces-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("events.json");
        std::fs::write(&file, text).unwrap();
        let found: Vec<String> = pieces(&file).unwrap().into_iter().map(|piece| piece.text).collect();
        assert_eq!(found, expected);
    }
}
