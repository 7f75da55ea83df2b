//! The packs in `packs/`, embedded into the program that links this crate.

use std::collections::BTreeMap;

use include_dir::{Dir, include_dir};

/// The folder `packs/` of the repository.
static PACKS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../../packs");

/// The texts of all packs by path, with forward slashes: `care/rules/care.yaml`. A file that is not
/// UTF-8 is left out. A test keeps such files out of the packs.
#[must_use]
pub fn shipped() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut open = vec![&PACKS];
    while let Some(folder) = open.pop() {
        for file in folder.files() {
            let steps: Vec<_> = file.path().iter().map(|step| step.to_string_lossy()).collect();
            if let Some(text) = file.contents_utf8() {
                files.insert(steps.join("/"), text.to_owned());
            }
        }
        open.extend(folder.dirs());
    }
    files
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    #[test]
    fn every_file_of_every_pack_is_carried() {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs");
        let shipped = super::shipped();
        let (mut open, mut count) = (vec![packs.clone()], 0);
        while let Some(folder) = open.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                if path.is_dir() {
                    open.push(path);
                    continue;
                }
                let name = path.strip_prefix(&packs).unwrap().to_str().unwrap();
                let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
                assert_eq!(shipped.get(name), Some(&text), "{name}");
                count += 1;
            }
        }
        assert_eq!(shipped.len(), count);
    }
}
