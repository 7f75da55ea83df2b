use super::*;
use std::path::PathBuf;

#[test]
fn rules_and_templates_are_read_at_any_depth() {
    let folder = Folder::new("read");
    for path in
        ["rules/a.yaml", "rules/more/b.yaml", "rules/c.yml", "templates/t/en/socket.txt", "templates/stray"]
    {
        folder.write(path, b"x");
    }
    for path in [
        "rules/README.md",
        "rules/.a.yaml.swp",
        "rules/d.yaml~",
        "templates/.DS_Store",
        "schemas/s.json",
        "e.yaml",
    ] {
        folder.write(path, b"x");
    }
    let (files, problems) = folder.read();
    let expected =
        ["rules/a.yaml", "rules/c.yml", "rules/more/b.yaml", "templates/stray", "templates/t/en/socket.txt"];
    assert_eq!(files.into_keys().collect::<Vec<_>>(), expected);
    assert_eq!(problems, [""; 0]);
}

#[test]
fn policy_and_tests_are_read_at_their_places() {
    let folder = Folder::new("policy");
    folder.write("rules/a.yaml", b"x");
    folder.write("templates/stray", b"x");
    folder.write("policy.yaml", b"rate: 7");
    folder.write("policy.yml", b"rate: 8");
    assert_eq!(read_tests(&folder.0), Ok(Files::new()));
    folder.write("tests/more/a.yaml", b"x");
    folder.write("tests/README.md", b"x");
    let (files, problems) = folder.read();
    assert_eq!(files["policy.yaml"], "rate: 7");
    assert_eq!(problems, ["policy.yml: this file is not read; rename it to `policy.yaml`"]);
    assert_eq!(read_tests(&folder.0).unwrap().into_keys().collect::<Vec<_>>(), ["tests/more/a.yaml"]);
    folder.write("tests/b.yml", b"x");
    let message = read_tests(&folder.0).unwrap_err().iter().map(Problem::to_string).collect::<Vec<_>>();
    assert_eq!(message, ["tests/b.yml: only files named `.yaml` are read; rename it to `.yaml`"]);
}

#[cfg(unix)]
#[test]
fn symbolic_link_is_not_followed() {
    let folder = Folder::new("link");
    folder.write("rules/a.yaml", b"x");
    folder.write("templates/stray", b"x");
    std::os::unix::fs::symlink(folder.0.join("rules/a.yaml"), folder.0.join("rules/b.yaml")).unwrap();
    std::os::unix::fs::symlink(&folder.0, folder.0.join("templates/loop")).unwrap();
    let (files, _) = folder.read();
    assert_eq!(files.into_keys().collect::<Vec<_>>(), ["rules/a.yaml", "templates/stray"]);
}

#[test]
fn missing_folder_is_reported() {
    let folder = Folder::new("absent");
    folder.write("templates/stray", b"x");
    let (_, problems) = folder.read();
    let message = format!(
        "rules: there is no folder `rules` in {}; create it, or name another config folder",
        folder.0.display()
    );
    assert_eq!(problems, [message]);
}

#[test]
fn file_that_is_not_utf8_is_reported_and_counts_as_empty() {
    let folder = Folder::new("text");
    folder.write("rules/a.yaml", b"# one\n\xff");
    folder.write("templates/stray", b"x");
    let (files, problems) = folder.read();
    assert_eq!(files["rules/a.yaml"], "");
    assert_eq!(problems, ["rules/a.yaml:2: the file is not UTF-8; save it as UTF-8"]);
}

#[test]
fn file_size_limit_is_inclusive() {
    let folder = Folder::new("size");
    folder.write("rules/a.yaml", &vec![b' '; MAX_FILE_BYTES]);
    folder.write("templates/stray", &vec![b' '; MAX_FILE_BYTES + 1]);
    let (files, problems) = folder.read();
    assert_eq!(files["rules/a.yaml"].len(), MAX_FILE_BYTES);
    assert_eq!(problems, ["templates/stray: the file has more than 256 KB; split it"]);
}

#[test]
fn text_is_normalised() {
    check("a\r\nb\r\n", "a\nb\n");
    check("\u{feff}a", "a");
    check("a\rb", "a\rb");
}

#[track_caller]
fn check(written: &str, expected: &str) {
    assert_eq!(text_of(written.as_bytes().to_vec(), "a").unwrap(), expected);
}

/// A temporary folder of one test, deleted afterwards.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("carillon-catalog-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let path = self.0.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    fn read(&self) -> (Files, Vec<String>) {
        let mut problems = Vec::new();
        let files = read(&self.0, false, &mut problems);
        (files, problems.iter().map(Problem::to_string).collect())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
