//! The GitHub Actions workflows for users' projects. Their commands run against a project of `carillon init`.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use super::{command, run};
use workspace::programs::{carillon, text};
use workspace::{root, unique};

const WORKFLOW: &str = "examples/config-repository/.github/workflows/carillon.yml";

#[test]
fn workflows_conform_to_the_schema_of_github() {
    let mut files = vec![root().join(WORKFLOW), root().join("cli/starter/github/carillon.yaml")];
    let own = std::fs::read_dir(root().join(".github/workflows")).into_iter().flatten();
    files.extend(own.map(|file| file.unwrap().path()));
    let checker = root().join(".local/workflows/bin/check-jsonschema");
    let checked =
        Command::new(checker).args(["--builtin-schema", "vendor.github-workflows"]).args(&files).output();
    let checked = checked.expect("`make .local/workflows/.installed` installs check-jsonschema");
    assert!(checked.status.success(), "{}", text(&checked));
}

#[test]
fn workflow_of_the_config_repository_passes_for_a_new_project() {
    let repository = Repository::new();
    let steps = steps();
    assert!(steps.len() >= 6, "{steps:?}");
    for (name, script) in &steps {
        let output = repository.run(script);
        assert!(output.status.success(), "{name}: {}", text(&output));
    }
    let installed = repository.read("cargo.log");
    let version = format!("--tag v{}", env!("CARGO_PKG_VERSION"));
    assert!(installed.contains(&version), "{installed}");
    let manifest = std::fs::read_to_string(root().join("cli/Cargo.toml")).unwrap();
    let package = installed.split_whitespace().next_back().unwrap();
    assert!(manifest.contains(&format!("name = \"{package}\"")), "no package is named {package}");
    let summary = repository.read("summary.md");
    assert!(summary.contains("under") && summary.contains("fewer"), "{summary}");
    let made = repository.read("make.log");
    assert!(made.contains("sam deploy --config-env prod"), "{made}");
    assert!(made.contains(&format!("CONFIG={}", repository.folder.join("config").display())), "{made}");
}

#[test]
fn workflow_fails_when_a_decision_test_fails() {
    let repository = Repository::new();
    let file = repository.folder.join("config/tests/orders.yaml");
    let tests = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, tests.replace("by email: send", "by sms: send")).unwrap();
    let steps = steps();
    let (name, check) = steps.iter().find(|(name, _)| name.contains("decision tests")).unwrap();
    assert_eq!(repository.run(check).status.code(), Some(1), "{name}");
}

fn workflow() -> Value {
    let text = std::fs::read_to_string(root().join(WORKFLOW)).unwrap();
    serde_saphyr::from_str(&text).unwrap()
}

/// The name and the script of each `run` step, in the order of the jobs.
fn steps() -> Vec<(String, String)> {
    let workflow = workflow();
    let jobs =
        ["check", "compare", "deploy"].map(|job| workflow["jobs"][job]["steps"].as_array().unwrap().clone());
    let scripts = jobs.iter().flatten().filter_map(|step| {
        let script = step["run"].as_str()?.to_owned();
        assert!(!script.contains("${{"), "values reach a script as variables: {script}");
        Some((step["name"].as_str().unwrap().to_owned(), script))
    });
    scripts.collect()
}

/// A repository of a user, with the variables of a runner. `cargo install` and `make deploy` are recorded.
struct Repository {
    folder: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Repository {
    fn new() -> Repository {
        let folder = root().join("target/tmp").join(unique("repository"));
        let bin = folder.join("bin");
        std::fs::create_dir_all(&bin).unwrap();
        let made = carillon(&["init", folder.join("config").to_str().unwrap()], "");
        assert!(made.status.success(), "{}", text(&made));
        let source = root().join("examples/config-repository/samconfig.toml");
        std::fs::copy(source, folder.join("samconfig.toml")).unwrap();
        // The second checkout, as far as `make` reads it.
        let checkout = folder.join("carillon");
        std::fs::create_dir(&checkout).unwrap();
        let files = ["Makefile", "infra"].map(|name| root().join(name));
        let copied = Command::new("cp").arg("-r").args(files).arg(&checkout).status();
        assert!(copied.unwrap().success());
        let program = |name: &str, script: &str| {
            let file = bin.join(name);
            std::fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        };
        program("cargo", "echo \"$@\" >> \"$RUNNER_TEMP/cargo.log\"");
        // The release of Lambda functions takes minutes, and `sam deploy` needs AWS. `make -n` reads all variables.
        let make = which("make");
        program(
            "make",
            &format!(
                "echo \"$@\" > \"$RUNNER_TEMP/make.log\"; exec {} --dry-run \"$@\" >> \"$RUNNER_TEMP/make.log\"",
                make.display()
            ),
        );
        std::os::unix::fs::symlink(workspace::programs::program(), bin.join("carillon")).unwrap();
        let path =
            format!("{}:{}:{}", bin.display(), root().join(".local/awscli/bin").display(), super::path());
        let folder_text = folder.display().to_string();
        // The workflow's own variables, but for the environment and the number of events.
        let mut environment: BTreeMap<String, String> =
            serde_json::from_value(workflow()["env"].take()).unwrap();
        let others = [
            ("PATH", path),
            ("CARILLON_ENV", "local".to_owned()),
            ("SINCE", "1m".to_owned()),
            ("RUNNER_TEMP", folder_text.clone()),
            ("GITHUB_WORKSPACE", folder_text.clone()),
            ("GITHUB_STEP_SUMMARY", format!("{folder_text}/summary.md")),
        ];
        environment.extend(others.map(|(name, value)| (name.to_owned(), value)));
        Repository { folder, environment }
    }

    /// Runs a step as a runner does: `bash -e` with `pipefail`.
    fn run(&self, script: &str) -> Output {
        let mut bash = command(Path::new("bash"));
        bash.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).envs(&self.environment);
        // `make` names the environment that the example deploys; the local cloud cannot be deployed by it.
        if script.contains("make ") {
            bash.env("CARILLON_ENV", "prod");
        }
        run(bash.current_dir(&self.folder), "")
    }

    fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
    }
}

impl Drop for Repository {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn which(name: &str) -> PathBuf {
    super::path().split(':').map(|folder| Path::new(folder).join(name)).find(|file| file.exists()).unwrap()
}
