//! What is running, where, and under which keys.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// Everything of the local cloud.
pub(crate) const FOLDER: &str = ".local";

/// A running local cloud. No `Debug`: it holds a key.
#[derive(Serialize, Deserialize)]
pub(crate) struct State {
    pub(crate) pid: u32,
    pub(crate) port: u16,
    pub(crate) region: String,
    pub(crate) access_key_id: String,
    pub(crate) secret_access_key: String,
    /// The capture server; `None` until it is started.
    #[serde(default)]
    pub(crate) capture: Option<Running>,
    /// The proxy between the functions and the local cloud; `None` until it is started.
    #[serde(default)]
    pub(crate) proxy: Option<Running>,
    /// The proxy's port in front of the capture server.
    #[serde(default)]
    pub(crate) providers: Option<u16>,
    #[serde(default)]
    pub(crate) socket_url: Option<String>,
    /// Where programs that sign ask the HTTP API, and where people with a token do.
    #[serde(default)]
    pub(crate) http_url: Option<String>,
    #[serde(default)]
    pub(crate) token_url: Option<String>,
    /// Receivers of webhooks on this machine that a developer named.
    #[serde(default)]
    pub(crate) webhook_allow: Vec<String>,
    /// The pages that may ask it, by their origins.
    #[serde(default)]
    pub(crate) browser_origins: Option<String>,
    /// What was deployed last: template, functions and catalog. A state of an earlier build has a text here.
    #[serde(default, rename = "prints")]
    pub(crate) deployed: Option<super::functions::Prints>,
}

/// A process that listens on 127.0.0.1.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Running {
    pub(crate) pid: u32,
    pub(crate) port: u16,
    /// When its program was built, in seconds since 1970: a newer one takes its place.
    #[serde(default)]
    pub(crate) built: u64,
}

impl State {
    /// The state that was saved last, if there is one. It may describe a process that is gone.
    pub(crate) fn load() -> Result<Option<State>, Error> {
        State::load_from(&file())
    }

    /// The same for commands that only ask the local cloud: from whatever folder below the repository they are typed in.
    pub(crate) fn find() -> Result<Option<State>, Error> {
        let here = std::env::current_dir().unwrap_or_default();
        let found = here.ancestors().map(|folder| folder.join(file())).find(|path| path.exists());
        State::load_from(&found.unwrap_or_else(file))
    }

    fn load_from(path: &Path) -> Result<Option<State>, Error> {
        match std::fs::read(path) {
            // A file that was cut off by a crash describes nothing.
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::read(path, error)),
        }
    }

    /// Writes the state, and `.local/env` for shells: `. .local/env && aws events list-rules`.
    pub(crate) fn save(&self) -> Result<(), Error> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| Error::Cloud(error.to_string()))?;
        replace(&file(), &text)?;
        let env: String =
            self.variables().iter().map(|(name, value)| format!("export {name}={value}\n")).collect();
        replace(&Path::new(FOLDER).join("env"), env.as_bytes())
    }

    pub(crate) fn forget() -> Result<(), Error> {
        for path in [file(), Path::new(FOLDER).join("env")] {
            match std::fs::remove_file(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::write(&path, error)),
            }
        }
        Ok(())
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where the services that the local cloud has not are played.
    pub(crate) fn capture_endpoint(&self) -> String {
        self.capture.map(|capture| format!("http://127.0.0.1:{}", capture.port)).unwrap_or_default()
    }

    /// Where the functions call the providers that are played: through the proxy.
    pub(crate) fn providers_endpoint(&self) -> String {
        self.providers.map(|provider| format!("http://127.0.0.1:{provider}")).unwrap_or_default()
    }

    /// The origins that webhooks are delivered to: what is played here, and the developer's own receivers.
    pub(crate) fn allowed_origins(&self) -> String {
        let played = [self.capture_endpoint(), self.providers_endpoint()];
        let origins = played.into_iter().chain(self.webhook_allow.iter().cloned());
        origins.filter(|origin| !origin.is_empty()).collect::<Vec<_>>().join(",")
    }

    /// Where the functions call the local cloud: through the proxy.
    pub(crate) fn proxy_endpoint(&self) -> String {
        self.proxy.map(|proxy| format!("http://127.0.0.1:{}", proxy.port)).unwrap_or_default()
    }

    /// What an AWS client needs in its environment.
    pub(crate) fn variables(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_access_key.clone()),
        ]
    }

    pub(crate) fn settings(&self) -> aws::Settings {
        aws::Settings {
            region: self.region.clone(),
            access_key_id: self.access_key_id.clone(),
            secret_access_key: self.secret_access_key.clone(),
            session_token: None,
            endpoint_url: Some(self.endpoint()),
            service_endpoints: std::collections::BTreeMap::new(),
            roots: None,
        }
    }
}

fn file() -> PathBuf {
    Path::new(FOLDER).join("cloud.json")
}

/// Writes beside and renames, so that a crash leaves the old file or the new one. Only the owner may read it.
fn replace(path: &Path, text: &[u8]) -> Result<(), Error> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let write = || {
        std::fs::create_dir_all(FOLDER)?;
        let beside = path.with_extension("new");
        let mut file =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&beside)?;
        file.write_all(text)?;
        std::fs::rename(&beside, path)
    };
    write().map_err(|error| Error::write(path, error))
}
