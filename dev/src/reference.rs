//! `carillon-dev reference`: the pages in `docs/reference` that the code, the template and the API document determine.

mod commands;
mod events;
mod http_api;
mod idle_cost;
mod markdown;
mod reasons;
mod template;

use std::path::{Path, PathBuf};

use clap::CommandFactory as _;
use cli::error::{Done, Error};
use cli::terminal::Terminal;
use domain::event::RefusalClass;
use serde_json::Value;

use crate::args::{Args, Reference};

/// The folder of the pages.
const FOLDER: &str = "docs/reference";

/// Documents that quote the idle cost.
const QUOTES_COST: [&str; 2] = ["README.md", "docs/operate/deploy.md"];

/// A page's file name and text.
type Page = (&'static str, String);

/// Writes the pages, or reports stale ones.
pub(crate) fn run(args: &Reference, terminal: &Terminal) -> Done {
    let pages = pages(&args.repository)?;
    let folder = args.repository.join(FOLDER);
    if args.check {
        let problems = problems(&args.repository, &pages)?;
        problems.iter().for_each(|problem| terminal.say(problem));
        return Ok(problems.is_empty());
    }
    for (name, text) in &pages {
        let path = folder.join(name);
        std::fs::write(&path, text).map_err(|error| Error::write(&path, error))?;
    }
    terminal.note(&format!("{} pages are in {}", pages.len(), folder.display()));
    Ok(true)
}

fn pages(repository: &Path) -> Result<Vec<Page>, Error> {
    let template = yaml(&repository.join("infra/template.yaml"))?;
    let document = yaml(&repository.join("functions/api/openapi.yaml"))?;
    let codes = problem_codes(&repository.join("functions/api/src"))?;
    Ok(vec![
        ("cli.md", commands::page(vec![cli::command(), Args::command()])),
        ("events.md", events::page()),
        ("http-api.md", http_api::page(&document, &codes)),
        ("idle-cost.md", idle_cost::page(&template)),
        ("parameters.md", template::parameters(&template)),
        ("reasons.md", reasons::page()),
        ("resources.md", template::resources(&template)),
    ])
}

/// The stale pages, and documents that quote another idle cost.
fn problems(repository: &Path, pages: &[Page]) -> Result<Vec<String>, Error> {
    let mut problems = Vec::new();
    for (name, text) in pages {
        let path = repository.join(FOLDER).join(name);
        if std::fs::read_to_string(&path).ok().as_ref() != Some(text) {
            problems.push(format!("{FOLDER}/{name}: the page is stale; run `make reference`"));
        }
    }
    let cost = idle_cost::rounded(&yaml(&repository.join("infra/template.yaml"))?);
    for name in QUOTES_COST {
        let path = repository.join(name);
        let text = std::fs::read_to_string(&path).map_err(|error| Error::read(&path, error))?;
        if !text.contains(&format!("about {cost} a month")) {
            problems.push(format!("{name}: wanted the idle cost as `about {cost} a month`"));
        }
    }
    Ok(problems)
}

/// Reads a YAML file. Tags such as `!Ref` leave their values.
fn yaml(path: &Path) -> Result<Value, Error> {
    let text = std::fs::read_to_string(path).map_err(|error| Error::read(path, error))?;
    serde_saphyr::from_str(&text).map_err(|error| Error::read(path, std::io::Error::other(error.to_string())))
}

/// The statuses and machine codes of all problems of the API, sorted.
fn problem_codes(folder: &Path) -> Result<Vec<(u16, String)>, Error> {
    // The publication route answers with the class of a refusal.
    let mut codes = vec![(403, RefusalClass::ProducerNotAllowed.name().to_owned())];
    let mut folders: Vec<PathBuf> = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| Error::read(&folder, error))?;
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !path.ends_with("tests.rs")
            {
                let source = std::fs::read_to_string(&path).map_err(|error| Error::read(&path, error))?;
                codes.extend(http_api::problem_codes(&source));
            }
        }
    }
    codes.sort();
    codes.dedup();
    Ok(codes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repository() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
    }

    #[test]
    fn generated_pages_are_current() {
        let problems = problems(&repository(), &pages(&repository()).unwrap()).unwrap();
        assert!(problems.is_empty(), "{}", problems.join("\n"));
    }

    #[test]
    fn changed_template_makes_its_pages_stale() {
        let mut template = yaml(&repository().join("infra/template.yaml")).unwrap();
        let before = (template::parameters(&template), idle_cost::page(&template));
        template["Parameters"]["LogLevel"]["Default"] = "warn".into();
        template["Resources"]["MoreKey"] = serde_json::json!({ "Type": "AWS::KMS::Key" });
        assert_ne!(template::parameters(&template), before.0);
        assert_ne!(idle_cost::page(&template), before.1);
        assert_eq!(idle_cost::rounded(&template), "$14");
    }

    #[test]
    fn page_of_the_api_has_every_operation_and_schema() {
        let document = yaml(&repository().join("functions/api/openapi.yaml")).unwrap();
        let page = http_api::page(&document, &[(404, "not_found".to_owned())]);
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys().filter(|key| *key != "parameters") {
                assert!(
                    page.contains(&format!("\n### {} {path}\n", method.to_uppercase())),
                    "{method} {path}"
                );
            }
        }
        for schema in document["components"]["schemas"].as_object().unwrap().keys() {
            assert!(page.contains(&format!("\n### {schema}\n")), "{schema}");
        }
    }

    #[test]
    fn page_of_the_commands_has_options_of_nested_commands() {
        let page = commands::page(vec![cli::command(), Args::command()]);
        for text in ["\n### carillon dlq redrive\n", "`--cause CAUSE`", "\n### carillon-dev logs\n"] {
            assert!(page.contains(text), "{text}");
        }
    }

    #[test]
    fn page_of_outcomes_describes_every_status() {
        let page = std::fs::read_to_string(repository().join(FOLDER).join("outcomes.md")).unwrap();
        for status in domain::base::outcome::Status::ALL {
            assert!(page.contains(&format!("`{}`", status.name())), "{}", status.name());
        }
    }

    #[test]
    fn problem_codes_are_read_without_tests() {
        let source = "Problem::new(404, \"no_endpoint\", a)\nProblem::new(\n  409,\n  \"conflict\", b)\n#[cfg(test)]\nProblem::new(500, \"x\", c)";
        let expected = [(404, "no_endpoint".to_owned()), (409, "conflict".to_owned())];
        assert_eq!(http_api::problem_codes(source), expected);
    }

    #[test]
    fn cost_of_the_sweep_counts_its_metrics() {
        let source = std::fs::read_to_string(repository().join("functions/sweep/src/metrics.rs")).unwrap();
        assert_eq!(source.matches("metric(\"").count(), idle_cost::SWEEP_METRICS);
    }
}
