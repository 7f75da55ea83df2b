//! Errors of a command, for the operator.

use std::path::Path;

/// A failed command: the operation, the found problem, the remedy.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: std::io::Error },
    #[error("cannot write {path}: {source}")]
    Write { path: String, source: std::io::Error },
    #[error("{what}; {fix}")]
    Usage { what: String, fix: String },
    #[error("{0}")]
    Cloud(String),
}

/// The result of a command. `Ok(true)`: done, and the answer is yes.
pub type Done = Result<bool, Error>;

impl Error {
    /// A file that cannot be read.
    pub fn read(path: &Path, source: std::io::Error) -> Error {
        Error::Read { path: path.display().to_string(), source }
    }

    /// A file that cannot be written.
    pub fn write(path: &Path, source: std::io::Error) -> Error {
        Error::Write { path: path.display().to_string(), source }
    }

    /// A problem and its remedy.
    pub fn usage(what: impl Into<String>, fix: impl Into<String>) -> Error {
        Error::Usage { what: what.into(), fix: fix.into() }
    }
}

impl From<aws::CallError> for Error {
    fn from(refused: aws::CallError) -> Error {
        let hint = match refused.verdict {
            aws::Verdict::Denied => "\nYour credentials lack a right, or belong to another account.",
            aws::Verdict::Unanswered => "\nNo answer; check AWS_ENDPOINT_URL and your network.",
            aws::Verdict::Transient | aws::Verdict::Throttled | aws::Verdict::Permanent => "",
        };
        Error::Cloud(format!("{}{hint}", aws::chain(&refused)))
    }
}
