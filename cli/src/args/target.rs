//! The deployment that a command addresses, and the version of the program.

use std::sync::LazyLock;

use clap::Args as ClapArgs;

/// The deployment that a command addresses.
#[derive(ClapArgs, Clone)]
pub struct Target {
    /// The environment: the stack `carillon-ENV`. `local` is the local cloud of `make up`
    #[arg(
        long = "env",
        global = true,
        env = "CARILLON_ENV",
        default_value = "local",
        value_name = "ENV",
        value_parser = environment
    )]
    pub environment: String,
}

impl Target {
    /// The local cloud.
    pub fn local() -> Target {
        Target { environment: "local".to_owned() }
    }
}

/// The version, with the commit of `make release`.
pub fn version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| match option_env!("CARILLON_COMMIT") {
        Some(commit) => format!("{} ({commit})", env!("CARGO_PKG_VERSION")),
        None => env!("CARGO_PKG_VERSION").to_owned(),
    });
    &VERSION
}

/// The longest name of an environment.
///
/// Source: `infra/template.yaml`, the pattern of its parameter `Environment`.
const MAX_ENVIRONMENT_CHARS: usize = 20;

/// Parses a name that the template accepts.
fn environment(text: &str) -> Result<String, String> {
    let is_name = text.starts_with(|text: char| text.is_ascii_lowercase())
        && text.len() <= MAX_ENVIRONMENT_CHARS
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    match is_name {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "wanted a lower-case name such as dev, of letters, digits and hyphens, with at most {MAX_ENVIRONMENT_CHARS} characters"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn environment_is_a_name_that_the_template_accepts() {
        for good in ["local", "dev", "prod-2", "a", "abcdefghijklmnopqrst"] {
            assert_eq!(environment(good).as_deref(), Ok(good));
        }
        for bad in ["", "BAD ENV", "Dev", "2dev", "-dev", "dev_1", "dev/../prod", "abcdefghijklmnopqrstu"] {
            assert!(environment(bad).is_err_and(|error| error.contains("such as dev")), "{bad:?}");
        }
    }
}
