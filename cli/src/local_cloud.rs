//! The running local cloud: the file `.local/cloud.json`, which `carillon-dev up` writes and every command reads.

use std::path::{Path, PathBuf};

use domain::base::sensitive::{self, Sensitive};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The folder of the local cloud. Git ignores it.
pub const FOLDER: &str = ".local";

/// The state of a running local cloud.
#[derive(Serialize, Deserialize)]
pub struct State {
    pub pid: u32,
    pub port: u16,
    pub region: String,
    pub access_key_id: String,
    #[serde(serialize_with = "sensitive::stored")]
    pub secret_access_key: Sensitive<String>,
    /// The capture server; `None` until it is started.
    #[serde(default)]
    pub capture: Option<Running>,
    /// The proxy between the functions and the local cloud; `None` until it is started.
    #[serde(default)]
    pub proxy: Option<Running>,
    /// The proxy's port in front of the capture server.
    #[serde(default)]
    pub providers: Option<u16>,
    #[serde(default)]
    pub socket_url: Option<String>,
    /// The HTTP API for programs that sign their requests.
    #[serde(default)]
    pub http_url: Option<String>,
    /// The HTTP API for callers with a token.
    #[serde(default)]
    pub token_url: Option<String>,
    /// The developer's own webhook receivers on this machine.
    #[serde(default)]
    pub webhook_allow: Vec<String>,
    /// The origins that may call the HTTP API from a browser.
    #[serde(default)]
    pub browser_origins: Option<String>,
    /// The last deployment: template, functions and catalog. An earlier build stored a text here.
    #[serde(default, rename = "prints")]
    pub deployed: Option<Fingerprints>,
}

/// A process that listens on 127.0.0.1.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub struct Running {
    pub pid: u32,
    pub port: u16,
    /// The time when its program was built, in seconds since 1970. A newer program replaces the process.
    #[serde(default)]
    pub built: u64,
}

/// Fingerprints of a deployment. Two equal ones need no deployment.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Fingerprints {
    /// Template, parameters and programs.
    pub template: String,
    /// The producers' rights, which are parameters of the template.
    pub producers: String,
    /// The catalog, for dispatch.
    pub catalog: String,
    /// The policy, for the functions that need it without the rules.
    pub policy: String,
    /// The pages that the API serves.
    pub pages: String,
}

impl State {
    /// Reads the state of the current folder. The state may describe a process that has ended.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn load() -> Result<Option<State>, Error> {
        State::load_from(&file())
    }

    /// Reads the state of the current folder or of the nearest folder above it.
    ///
    /// # Errors
    /// The file exists and cannot be read.
    pub fn find() -> Result<Option<State>, Error> {
        let current = std::env::current_dir().unwrap_or_default();
        let found = current.ancestors().map(|folder| folder.join(file())).find(|path| path.exists());
        State::load_from(&found.unwrap_or_else(file))
    }

    fn load_from(path: &Path) -> Result<Option<State>, Error> {
        match std::fs::read(path) {
            // A file that a crash cut off counts as no file.
            Ok(text) => Ok(serde_json::from_slice(&text).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::read(path, error)),
        }
    }

    /// The AWS endpoint of the local cloud.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The capture server, which emulates the services that the local cloud lacks.
    pub fn capture_endpoint(&self) -> String {
        self.capture.map(|capture| format!("http://127.0.0.1:{}", capture.port)).unwrap_or_default()
    }

    /// The endpoint of the emulated providers for the functions: the proxy's second port.
    pub fn providers_endpoint(&self) -> String {
        self.providers.map(|provider| format!("http://127.0.0.1:{provider}")).unwrap_or_default()
    }

    /// The AWS endpoint for the functions: the proxy.
    pub fn proxy_endpoint(&self) -> String {
        self.proxy.map(|proxy| format!("http://127.0.0.1:{}", proxy.port)).unwrap_or_default()
    }

    /// The origins that receive webhook messages: the emulators and the developer's own receivers, separated by commas.
    pub fn allowed_origins(&self) -> String {
        let emulated = [self.capture_endpoint(), self.providers_endpoint()];
        let origins = emulated.into_iter().chain(self.webhook_allow.iter().cloned());
        origins.filter(|origin| !origin.is_empty()).collect::<Vec<_>>().join(",")
    }

    /// The environment variables of an AWS client.
    pub fn variables(&self) -> [(&'static str, String); 5] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_DEFAULT_REGION", self.region.clone()),
            ("AWS_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_access_key.expose().clone()),
        ]
    }

    /// The client settings for the SDK.
    pub fn settings(&self) -> aws::Settings {
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

/// The path of the state file, relative to the current folder.
pub fn file() -> PathBuf {
    Path::new(FOLDER).join("cloud.json")
}
