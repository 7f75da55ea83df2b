//! The template's parameters on the local cloud: those of `infra/samconfig.toml`, section `[local…]`, and those of the
//! running processes. SAM's option `--parameter-overrides` replaces the file's parameters, so both are joined here.

use std::path::Path;

use toml::Table;

use cli::error::Error;

/// SAM's configuration file.
const FILE: &str = "infra/samconfig.toml";

/// A parameter and its value.
pub(super) type Parameter = (String, String);

/// Parameters for SAM, and a sentence about each unused parameter of the file.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Joined {
    pub(super) parameters: Vec<Parameter>,
    pub(super) unused: Vec<String>,
}

/// Reads the parameters of `[<environment>.deploy.parameters]`.
///
/// # Errors
/// The file cannot be read, or has a form that SAM refuses.
pub(super) fn of_file(environment: &str) -> Result<Vec<Parameter>, Error> {
    let path = Path::new(FILE);
    let text = cli::files::read(path)?;
    read(&text, environment).map_err(|what| {
        Error::usage(format!("{FILE}: {what}"), "write parameter_overrides = \"Name=value Name=value\"")
    })
}

fn read(text: &str, environment: &str) -> Result<Vec<Parameter>, String> {
    let file: Table = text.parse().map_err(|error: toml::de::Error| error.message().to_owned())?;
    let section = |command: &str| file.get(environment)?.get(command)?.get("parameters");
    let Some(found) =
        ["deploy", "global"].into_iter().find_map(|command| section(command)?.get("parameter_overrides"))
    else {
        return Ok(Vec::new());
    };
    let texts: Vec<&str> = match (found.as_str(), found.as_array()) {
        (Some(text), _) => vec![text],
        (None, Some(list)) => list.iter().filter_map(toml::Value::as_str).collect(),
        (None, None) => {
            return Err(format!(
                "[{environment}.deploy.parameters] parameter_overrides is neither a text nor a list"
            ));
        }
    };
    texts.into_iter().flat_map(words).map(|word| pair(&word)).collect()
}

/// Splits at white space outside quotes, as SAM does.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' | '\n' | '\t' if !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn pair(word: &str) -> Result<Parameter, String> {
    let (name, value) = word.split_once('=').ok_or_else(|| format!("{word:?} has no `=`"))?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Joins parameters: the file's replace `defaults`, and `fixed` replace both.
pub(super) fn join(of_file: Vec<Parameter>, defaults: Vec<Parameter>, fixed: Vec<Parameter>) -> Joined {
    let mut joined = Joined::default();
    for (name, value) in of_file {
        match fixed.iter().find(|(other, _)| *other == name) {
            Some((_, ours)) if *ours != value => joined
                .unused
                .push(format!("{name}={value} of {FILE} is not used: the local cloud needs {name}={ours}")),
            Some(_) => {}
            None => joined.parameters.push((name, value)),
        }
    }
    for (name, value) in defaults {
        if !joined.parameters.iter().any(|(other, _)| *other == name) {
            joined.parameters.push((name, value));
        }
    }
    joined.parameters.extend(fixed);
    joined
}

/// One argument for SAM: `Name="value"`.
pub(super) fn argument((name, value): &Parameter) -> String {
    format!("{name}=\"{value}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_as_text_and_as_list() {
        let line = "[test.deploy.parameters]\nparameter_overrides = \"A=1 B=\\\"x y\\\" C=\"\n\
                    [staging.deploy.parameters]\nparameter_overrides = \"A=2\"\n";
        check(line, "test", &[("A", "1"), ("B", "x y"), ("C", "")]);
        check(line, "staging", &[("A", "2")]);
        check(line, "prod", &[]);
        let list = "[test.deploy.parameters]\nparameter_overrides = [\n  \"A=1\",\n  \"B=https://a.example,https://b.example\",\n]\n";
        check(list, "test", &[("A", "1"), ("B", "https://a.example,https://b.example")]);
        assert!(read("[test.deploy.parameters]\nparameter_overrides = 7\n", "test").is_err());
        assert!(read("[test.deploy.parameters]\nparameter_overrides = \"A\"\n", "test").is_err());
        assert!(read("[test", "test").is_err());
    }

    #[test]
    fn file_replaces_defaults_and_fixed_parameters_replace_the_file_with_a_note() {
        let pairs = |all: &[(&str, &str)]| -> Vec<Parameter> {
            all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
        };
        let joined = join(
            pairs(&[
                ("LogLevel", "debug"),
                ("LimitUser", "5/s:5"),
                ("Environment", "local"),
                ("LocalProxy", "x"),
            ]),
            pairs(&[("LimitUser", "1000/s:2000"), ("LogRetentionDays", "1")]),
            pairs(&[("Environment", "local"), ("LocalProxy", "http://127.0.0.1:4621")]),
        );
        assert_eq!(
            joined.parameters,
            pairs(&[
                ("LogLevel", "debug"),
                ("LimitUser", "5/s:5"),
                ("LogRetentionDays", "1"),
                ("Environment", "local"),
                ("LocalProxy", "http://127.0.0.1:4621"),
            ])
        );
        let [unused] = &joined.unused[..] else { panic!("{:?}", joined.unused) };
        assert!(unused.starts_with("LocalProxy=x of infra/samconfig.toml is not used"), "{unused}");
    }

    #[track_caller]
    fn check(text: &str, environment: &str, expected: &[(&str, &str)]) {
        let found = read(text, environment).unwrap();
        let found: Vec<(&str, &str)> =
            found.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, expected, "{environment}");
    }
}
