//! Input files: one JSON value, a list, or one value a line; from a file or standard input.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::Error;

/// The most bytes that are read from a file.
const MAX_FILE_BYTES: u64 = 256 * 1024 * 1024;

/// A JSON value of a file, with its position.
pub struct Piece {
    pub text: String,
    /// `file`, or `file:line`.
    pub place: String,
}

/// The text of a file, or of standard input for `-`.
///
/// # Errors
/// The file cannot be read, or is not UTF-8.
pub fn read(path: &Path) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let read = if path == Path::new("-") {
        std::io::stdin().take(MAX_FILE_BYTES).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(MAX_FILE_BYTES).read_to_end(&mut bytes))
    };
    read.map_err(|error| Error::read(path, error))?;
    if is_utf_16(&bytes) {
        let what = format!("{} is written in UTF-16, wanted UTF-8", path.display());
        return Err(Error::usage(what, "in PowerShell, write it with `Set-Content -Encoding utf8`"));
    }
    String::from_utf8(bytes).map_err(|error| {
        let index = error.utf8_error().valid_up_to();
        let what = format!("{} is no UTF-8 text: byte {index} is not part of a character", path.display());
        Error::usage(what, "save it as UTF-8")
    })
}

/// Whether the bytes begin with UTF-16's byte order mark, or with an ASCII character in UTF-16.
fn is_utf_16(bytes: &[u8]) -> bool {
    matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..] | [0, 1..=0x7f, ..] | [1..=0x7f, 0, ..])
}

/// The events of a file: its values, or the members of `Entries` of an input for `aws events put-events`.
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
    let place = |index: usize| format!("{} Entries[{index}]", whole.place);
    let entries = input.entries.iter().enumerate();
    Ok(entries.map(|(index, entry)| Piece { place: place(index), text: entry.get().to_owned() }).collect())
}

/// The values of a file: the members of a list, a single value, or one value a line.
///
/// A malformed line becomes a piece of its own, which is refused alone.
///
/// # Errors
/// The file cannot be read.
pub fn pieces(path: &Path) -> Result<Vec<Piece>, Error> {
    Ok(pieces_of(&read(path)?, &path.display().to_string()))
}

/// The values of a text with this name.
pub fn pieces_of(text: &str, name: &str) -> Vec<Piece> {
    let trimmed = text.trim_start_matches('\u{feff}');
    if let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(trimmed) {
        let place = |raw_value: &RawValue| format!("{name}:{}", line_of(text, raw_value.get()));
        return list
            .into_iter()
            .map(|value| Piece { place: place(value), text: value.get().to_owned() })
            .collect();
    }
    if serde_json::from_str::<&RawValue>(trimmed).is_ok() {
        return vec![Piece { text: trimmed.to_owned(), place: name.to_owned() }];
    }
    let lines = trimmed.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let by_line: Vec<Piece> = lines
        .map(|(index, line)| Piece { text: line.to_owned(), place: format!("{name}:{}", index + 1) })
        .collect();
    // A malformed event on several lines is one piece.
    let whole = by_line.iter().filter(|piece| serde_json::from_str::<&RawValue>(&piece.text).is_ok()).count();
    match whole * 2 >= by_line.len() && !by_line.is_empty() {
        true => by_line,
        false => vec![Piece { text: trimmed.to_owned(), place: name.to_owned() }],
    }
}

/// The line number of a part of `text`, from 1.
fn line_of(text: &str, part: &str) -> usize {
    let offset = part.as_ptr().addr().saturating_sub(text.as_ptr().addr());
    1 + text.as_bytes().iter().take(offset).filter(|&&byte| byte == b'\n').count()
}

/// The sample events in a folder: `<pack>/<type>.json`, without `lambda/`, sorted.
///
/// # Errors
/// A folder cannot be read.
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
    let mut entries: Vec<PathBuf> = read.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_has_one_value_a_list_or_one_value_a_line() {
        check("{\"a\":1}", &["{\"a\":1}"]);
        check("[{\"a\":1},\n {\"b\":2}]", &["{\"a\":1}", "{\"b\":2}"]);
        check("{\"a\":1}\n\n{\"b\":2}\n", &["{\"a\":1}", "{\"b\":2}"]);
        check("{\"a\":1}\nnot json\n{\"b\":2}\n", &["{\"a\":1}", "not json", "{\"b\":2}"]);
        check("{\n \"a\": 1,\n}\n", &["{\n \"a\": 1,\n}\n"]);
    }

    #[test]
    fn utf_16_is_detected() {
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
