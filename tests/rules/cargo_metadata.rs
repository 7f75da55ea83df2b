//! The crates of the workspace and their dependencies.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;
use workspace::root;

/// The workspace as `cargo metadata` describes it.
pub(crate) struct Workspace {
    /// Direct dependencies of each workspace crate, without dev-dependencies.
    pub(crate) uses: BTreeMap<String, BTreeSet<String>>,
    pub(crate) folders: BTreeMap<String, String>,
    /// Direct dependencies of each crate in the whole graph.
    graph: BTreeMap<String, BTreeSet<String>>,
}

impl Workspace {
    pub(crate) fn load() -> Workspace {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked", "--offline"])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
        let mut workspace =
            Workspace { uses: BTreeMap::new(), folders: BTreeMap::new(), graph: BTreeMap::new() };
        for package in metadata["packages"].as_array().unwrap() {
            // Folder names are short; package names have a prefix.
            let plain = |name: &Value| name.as_str().unwrap().trim_start_matches("carillon-").to_owned();
            let name = plain(&package["name"]);
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let real = dependencies
                .filter(|dependency| dependency["kind"].is_null() && dependency["optional"] != true);
            let uses = real.map(|real| plain(&real["name"])).collect();
            let manifest = package["manifest_path"].as_str().unwrap();
            let folder = manifest.trim_start_matches(root().to_str().unwrap()).trim_start_matches('/');
            // Programs of users in `examples` may link what they like.
            if package["source"].is_null() && !folder.starts_with("examples/") {
                workspace.folders.insert(name.clone(), folder.to_owned());
                workspace.uses.insert(name.clone(), BTreeSet::clone(&uses));
            }
            workspace.graph.insert(name, uses);
        }
        workspace
    }

    pub(crate) fn below(&self, folder: &str) -> BTreeSet<String> {
        let below = self.folders.iter().filter(|(_, text)| text.starts_with(folder));
        below.map(|(name, _)| name.clone()).collect()
    }

    /// Workspace crates that a workspace crate uses directly.
    pub(crate) fn ours(&self, name: &str) -> BTreeSet<String> {
        self.uses[name].iter().filter(|item| self.uses.contains_key(*item)).cloned().collect()
    }

    /// All direct and transitive dependencies of a crate.
    pub(crate) fn all(&self, name: &str) -> BTreeSet<String> {
        let mut all = BTreeSet::new();
        let mut open = vec![name.to_owned()];
        while let Some(next) = open.pop() {
            for item in self.graph.get(&next).into_iter().flatten() {
                if all.insert(item.clone()) {
                    open.push(item.clone());
                }
            }
        }
        all
    }
}
