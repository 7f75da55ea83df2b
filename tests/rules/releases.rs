//! `make dist`: the files of a release, from small stand-ins for the programs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use workspace::{root, unique};

#[test]
fn release_has_the_cli_functions_template_bill_and_checksums() {
    let folder = Folder::new();
    let output = folder.pack("first", &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let out = folder.0.join("first");
    let version = env!("CARGO_PKG_VERSION");
    let template = std::fs::read_to_string(out.join("template.yaml")).unwrap();
    for function in functions() {
        assert!(template.contains(&format!("CodeUri: functions/{function}.zip")), "{function}");
        assert!(out.join(format!("functions/{function}.zip")).exists(), "{function}");
    }
    assert!(!template.contains("../target"), "the template has no path of a build");
    let listed =
        text(Command::new("tar").arg("tzf").arg(out.join(format!("carillon-{version}-{}.tar.gz", host()))));
    assert!(listed.contains(&format!("carillon-{version}-{}/carillon\n", host())), "{listed}");
    let sums = text(Command::new("sha256sum").args(["--check", "--strict", "SHA256SUMS"]).current_dir(&out));
    assert_eq!(sums.lines().count(), functions().len() + 3, "{sums}");
    assert!(sums.lines().all(|line| line.ends_with(": OK")), "{sums}");
}

#[test]
fn same_inputs_give_the_same_bytes() {
    let folder = Folder::new();
    for name in ["first", "second"] {
        assert!(folder.pack(name, &["--functions", "dispatch email"]).status.success());
    }
    let sums = |name: &str| std::fs::read(folder.0.join(name).join("SHA256SUMS")).unwrap();
    assert_eq!(sums("first"), sums("second"));
}

#[test]
fn bill_names_every_linked_crate_with_licence_and_checksum() {
    let folder = Folder::new();
    assert!(folder.pack("first", &["--functions", "dispatch"]).status.success());
    let file = folder.0.join(format!("first/carillon-{}.cdx.json", env!("CARGO_PKG_VERSION")));
    let bill: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    assert_eq!((&bill["bomFormat"], &bill["specVersion"]), (&"CycloneDX".into(), &"1.6".into()));
    let components = bill["components"].as_array().unwrap();
    let names: BTreeSet<&str> = components.iter().map(|part| part["name"].as_str().unwrap()).collect();
    for name in
        ["carillon-cli", "carillon-dispatch", "carillon-domain", "rustls", "serde_json", "aws-sdk-dynamodb"]
    {
        assert!(names.contains(name), "{name}");
    }
    for name in ["carillon-tests", "carillon-simulation", "carillon-dev", "proptest", "insta"] {
        assert!(!names.contains(name), "{name} is not shipped");
    }
    for part in components.iter().filter(|part| !part["name"].as_str().unwrap().starts_with("carillon-")) {
        assert!(part["licenses"][0].is_object() && part["hashes"][0]["content"].is_string(), "{part}");
        assert!(part["purl"].as_str().unwrap().starts_with("pkg:cargo/"), "{part}");
    }
    assert!(bill["dependencies"].as_array().unwrap().len() > components.len() / 2);
}

#[test]
fn function_that_was_not_built_stops_the_release() {
    let folder = Folder::new();
    std::fs::remove_file(folder.0.join("lambda/relay/bootstrap")).unwrap();
    let output = folder.pack("first", &[]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains("relay/bootstrap is missing"), "{error}");
}

/// The crates that crates.io has, by their folders.
const PUBLISHED: [&str; 3] = ["event", "publish", "sdk-error"];

#[test]
fn published_crates_stand_alone_and_are_documented() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline", "--no-deps"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut published = BTreeSet::new();
    for package in
        metadata["packages"].as_array().unwrap().iter().filter(|package| package["publish"].is_null())
    {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        let (folder, version) = (manifest.parent().unwrap(), package["version"].as_str().unwrap());
        let folder_name = name(folder);
        for dependency in
            package["dependencies"].as_array().unwrap().iter().filter(|part| part["path"].is_string())
        {
            let other = name(Path::new(dependency["path"].as_str().unwrap()));
            assert!(
                PUBLISHED.contains(&other.as_str()),
                "{folder_name} depends on {other}, which is not published"
            );
            assert_ne!(dependency["req"], "*", "{folder_name}: {other} needs a version");
        }
        let file = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        assert!(file("src/lib.rs").contains("#![deny(missing_docs)]"), "{folder_name}");
        assert!(
            file("CHANGELOG.md").contains(&format!("## {version}")),
            "{folder_name}: no changes of {version}"
        );
        assert!(file("README.md").len() > 500 && package["license"] == "Apache-2.0", "{folder_name}");
        published.insert(folder_name);
    }
    assert_eq!(published, PUBLISHED.map(str::to_owned).into());
}

/// A folder with stand-ins for the functions.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        let folder = std::env::temp_dir().join(unique("carillon-dist"));
        for function in functions() {
            let place = folder.join("lambda").join(&function);
            std::fs::create_dir_all(&place).unwrap();
            std::fs::write(place.join("bootstrap"), function).unwrap();
        }
        Folder(folder)
    }

    fn pack(&self, out: &str, more: &[&str]) -> Output {
        Command::new(root().join(".local/dist/bin/python"))
            .args(["-B", "infra/dist/main.py", "--target", &host(), "--lambda-target", &host(), "--binary"])
            .arg(self.0.join("lambda/dispatch/bootstrap"))
            .arg("--lambda-folder")
            .arg(self.0.join("lambda"))
            .arg("--out")
            .arg(self.0.join(out))
            .args(more)
            .env("SOURCE_DATE_EPOCH", "1795000000")
            .current_dir(root())
            .output()
            .unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that is left behind is harmless.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The target of this machine, whose crates a build has fetched.
fn host() -> String {
    text(Command::new("rustc").args(["--print", "host-tuple"])).trim().to_owned()
}

fn functions() -> Vec<String> {
    let folders = std::fs::read_dir(root().join("functions")).unwrap().map(|folder| folder.unwrap().path());
    let mut names: Vec<String> = folders.filter(|path| path.is_dir()).map(|path| name(&path)).collect();
    names.sort();
    names
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

fn text(command: &mut Command) -> String {
    String::from_utf8(command.output().unwrap().stdout).unwrap()
}
