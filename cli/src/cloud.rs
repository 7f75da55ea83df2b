//! The deployment that a command addresses.

use aws_credential_types::provider::ProvideCredentials as _;
use aws_types::SdkConfig;

use crate::args::Target;
use crate::error::Error;
use crate::local_cloud::State;

/// An environment in a Region of an AWS account, or the local cloud.
pub struct Cloud {
    pub config: SdkConfig,
    pub environment: String,
    /// The URL for WebSocket clients, if known.
    pub socket_url: Option<String>,
    /// The state of the local cloud, if the command addresses it.
    pub local: Option<State>,
}

impl Cloud {
    /// Finds the deployment. `local` is the running local cloud, unless AWS_ENDPOINT_URL names another endpoint. Other
    /// environments use the credentials of the AWS CLI: environment variables, profile, single sign-on.
    ///
    /// # Errors
    /// The local cloud does not run, or no credentials or Region are found.
    pub async fn of(target: &Target) -> Result<Cloud, Error> {
        let env = runtime::Env::process();
        let state = State::find()?;
        let endpoint = env.optional("AWS_ENDPOINT_URL");
        let is_local =
            |to: &str| state.as_ref().is_some_and(|state| state.endpoint() == to.trim_end_matches('/'));
        let is_home = endpoint.as_deref().is_some_and(is_local);
        refuse_conflict(target, is_home)?;
        let ours = target.environment == "local" && (endpoint.is_none() || is_home);
        let local = state.filter(|_| ours);
        let config = match &local {
            Some(state) => state.settings().config(),
            None if ours => {
                return Err(Error::usage(
                    "no local cloud runs in this folder or a folder above it",
                    "run `make up` in the repository, or name an environment with --env",
                ));
            }
            None => from_chain(&env).await?,
        };
        let socket_url = local.as_ref().and_then(|local| local.socket_url.clone());
        Ok(Cloud { config, environment: target.environment.clone(), socket_url, local })
    }

    /// The full name of a table or queue in the template.
    pub fn name(&self, resource: &str) -> String {
        format!("carillon-{}-{resource}", self.environment)
    }

    /// The name of the bus.
    pub fn bus(&self) -> String {
        format!("carillon-{}", self.environment)
    }
}

/// Refuses another environment in a shell whose `.local/env` variables name the local cloud.
fn refuse_conflict(target: &Target, is_home: bool) -> Result<(), Error> {
    if is_home && target.environment != "local" {
        let what = format!("--env is {}, but AWS_ENDPOINT_URL names the local cloud", target.environment);
        return Err(Error::usage(what, "unset the variables of .local/env, or leave --env out"));
    }
    Ok(())
}

async fn from_chain(env: &runtime::Env) -> Result<SdkConfig, Error> {
    let roots = match env.optional("CARILLON_CA_FILE") {
        Some(path) => {
            let path = std::path::PathBuf::from(path);
            Some(std::fs::read(&path).map_err(|error| Error::read(&path, error))?)
        }
        None => None,
    };
    let config = aws_config::defaults(aws_config::BehaviorVersion::latest())
        .http_client(aws::http_client(roots.as_deref()))
        .retry_config(aws::retries())
        .timeout_config(aws::timeouts())
        .load()
        .await;
    if config.region().is_none() {
        return Err(Error::usage("no AWS Region is set", "set AWS_REGION, or a region in your AWS profile"));
    }
    if let Some(provider) = config.credentials_provider()
        && let Err(error) = provider.provide_credentials().await
    {
        let what = format!("no AWS credentials were found: {}", aws::chain(&error));
        return Err(Error::usage(what, "set AWS_PROFILE or log in with `aws sso login`"));
    }
    Ok(config)
}
