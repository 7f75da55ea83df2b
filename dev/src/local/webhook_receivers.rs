//! The developer's own webhook receivers, for the local cloud only. A deployment on AWS has the parameter `WebhookAllow`.

use domain::webhook::endpoint::target::loopback_origin;

use cli::error::Error;

/// The value that ends the permission.
const NONE: &str = "none";

/// Reads origins of this machine, separated by commas.
///
/// # Errors
/// An entry is not an origin of this machine.
pub(super) fn read(origins: &str) -> Result<Vec<String>, Error> {
    if origins.trim() == NONE {
        return Ok(Vec::new());
    }
    let entries = origins.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let read: Vec<String> = entries.map(origin).collect::<Result<_, _>>()?;
    match read.is_empty() {
        true => Err(wrong(origins)),
        false => Ok(read),
    }
}

fn origin(entry: &str) -> Result<String, Error> {
    loopback_origin(entry).ok_or_else(|| wrong(entry))
}

fn wrong(entry: &str) -> Error {
    let fix = "write one such as http://127.0.0.1:3000, several separated by commas, or none";
    Error::usage(format!("--webhook-allow: {entry:?} is no origin of this machine"), fix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_of_this_machine_are_normalised_and_others_refused() {
        for (text, expected) in [
            ("http://127.0.0.1:3000", vec!["http://127.0.0.1:3000"]),
            (
                "http://localhost:3000/, https://[::1]:8443",
                vec!["http://localhost:3000", "https://[::1]:8443"],
            ),
            ("http://0x7f.1:80", vec!["http://127.0.0.1"]),
            ("none", vec![]),
        ] {
            assert_eq!(read(text).ok().unwrap(), expected, "{text}");
        }
        for text in [
            "",
            ",",
            "localhost:3000",
            "http://192.168.0.7:3000",
            "http://example.com",
            "ftp://localhost",
            "http://localhost:3000/hooks",
            "http://u@localhost",
            "http://localhost?x",
            "none,http://localhost:1",
            "http://169.254.169.254",
            "http://localhost.example.com",
        ] {
            let error = read(text).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("no origin of this machine"), "{text}: {error}");
        }
    }
}
