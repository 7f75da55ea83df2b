//! The checkout that tests read: its root, its sources, its programs and scratch folders. No AWS client is linked, so
//! the checks that need no cloud build quickly.

#![expect(clippy::unwrap_used, reason = "a test stops at the first error and shows its place")]

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

pub mod programs;

/// The folder of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// A name that no other test and no earlier run has used.
pub fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    #[expect(
        clippy::disallowed_methods,
        reason = "a test outside the system reads the clock as a producer does"
    )]
    let millis = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    format!("{prefix}-{millis:x}-{}-{number}", std::process::id())
}

/// A new empty folder below `target/tmp`.
pub fn scratch(prefix: &str) -> PathBuf {
    let folder = root().join("target/tmp").join(unique(prefix));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Copies the repository's project and its packs into a folder. The packs' decision tests are not run.
pub fn copy_project(folder: &Path) -> PathBuf {
    for name in ["config", "packs"] {
        let copied =
            std::process::Command::new("cp").arg("-r").arg(root().join(name)).arg(folder).status().unwrap();
        assert!(copied.success());
    }
    let project = folder.join("config/carillon.yaml");
    let manifest = std::fs::read_to_string(&project).unwrap().replace("pack-tests: true\n", "");
    std::fs::write(&project, manifest).unwrap();
    folder.join("config")
}

/// The Rust files of all crates except benches and the simulation.
pub fn sources() -> Vec<PathBuf> {
    sources_below(&["shared", "functions", "cli", "dev", "tests"])
}

/// The Rust files below these folders of the repository.
pub fn sources_below(folders: &[&str]) -> Vec<PathBuf> {
    let mut open: Vec<_> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}
