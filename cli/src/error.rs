//! What went wrong, for the person who typed the command.

use std::path::Path;

/// A command that could not be carried out: what was being done, what was found, what to do about it.
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

/// `Ok(true)`: done, and the answer is yes.
pub type Done = Result<bool, Error>;

impl Error {
    pub fn read(path: &Path, source: std::io::Error) -> Error {
        Error::Read { path: path.display().to_string(), source }
    }

    pub fn write(path: &Path, source: std::io::Error) -> Error {
        Error::Write { path: path.display().to_string(), source }
    }

    pub fn usage(what: impl Into<String>, fix: impl Into<String>) -> Error {
        Error::Usage { what: what.into(), fix: fix.into() }
    }
}

impl From<aws::Refused> for Error {
    fn from(refused: aws::Refused) -> Error {
        let hint = match refused.verdict {
            aws::Verdict::Denied => "\nYour credentials lack a right, or are for another account.",
            aws::Verdict::Unanswered => {
                "\nNo answer came; does AWS_ENDPOINT_URL, or your network, lead anywhere?"
            }
            aws::Verdict::Transient | aws::Verdict::Throttled | aws::Verdict::Permanent => "",
        };
        Error::Cloud(format!("{}{hint}", aws::chain(&refused)))
    }
}
