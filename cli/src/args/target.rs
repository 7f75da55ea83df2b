//! Which deployment a command is for, and which program it is.

use std::sync::LazyLock;

use clap::Args as ClapArgs;

/// Which deployment is meant.
#[derive(ClapArgs, Clone)]
pub(crate) struct Target {
    /// The environment: the stack carillon-<ENV>. `local` is the local cloud that `make up` started
    #[arg(
        long = "env",
        global = true,
        env = "CARILLON_ENV",
        default_value = "local",
        value_name = "ENV",
        value_parser = environment
    )]
    pub(crate) environment: String,
}

/// The version, and the commit that `make release` built it from.
pub(super) fn version() -> &'static str {
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

/// A name that the template takes.
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
    fn environment_is_a_name_that_the_template_takes() {
        for good in ["local", "dev", "prod-2", "a", "abcdefghijklmnopqrst"] {
            assert_eq!(environment(good).as_deref(), Ok(good));
        }
        for bad in ["", "BAD ENV", "Dev", "2dev", "-dev", "dev_1", "dev/../prod", "abcdefghijklmnopqrstu"] {
            assert!(environment(bad).is_err_and(|error| error.contains("such as dev")), "{bad:?}");
        }
    }
}
