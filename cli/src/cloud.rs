//! The deployment a command talks to.

use aws_credential_types::provider::ProvideCredentials as _;
use aws_types::SdkConfig;

use crate::args::Target;
use crate::error::Error;
use crate::local_cloud::State;

/// One environment in one Region of one account, or on the laptop.
pub struct Cloud {
    pub config: SdkConfig,
    pub environment: String,
    /// Where WebSocket clients connect, when it is known.
    pub socket_url: Option<String>,
    /// The local cloud that `make up` started, when it is the one.
    pub local: Option<State>,
}

impl Cloud {
    /// `local` is the running local cloud, unless AWS_ENDPOINT_URL leads elsewhere; everything else is found as the AWS
    /// CLI finds it: environment, profile, single sign-on.
    pub async fn of(target: &Target) -> Result<Cloud, Error> {
        let env = runtime::Env::process();
        let state = State::find()?;
        let endpoint = env.optional("AWS_ENDPOINT_URL");
        let leads =
            |to: &str| state.as_ref().is_some_and(|state| state.endpoint() == to.trim_end_matches('/'));
        let is_home = endpoint.as_deref().is_some_and(leads);
        refuse_a_mix_up(target, is_home)?;
        let ours = target.environment == "local" && (endpoint.is_none() || is_home);
        let local = state.filter(|_| ours);
        let config = match &local {
            Some(state) => state.settings().config(),
            None if ours => {
                return Err(Error::usage(
                    "no local cloud is known in this folder or one above it",
                    "run `make up` in the repository, or name an environment with --env",
                ));
            }
            None => from_chain(&env).await?,
        };
        let socket_url = local.as_ref().and_then(|local| local.socket_url.clone());
        Ok(Cloud { config, environment: target.environment.clone(), socket_url, local })
    }

    /// The name of a table or of the bus, as the template gives it.
    pub fn name(&self, thing: &str) -> String {
        format!("carillon-{}-{thing}", self.environment)
    }

    pub fn bus(&self) -> String {
        format!("carillon-{}", self.environment)
    }
}

/// A shell that has read `.local/env` leads every AWS client to the local cloud, whatever environment is named.
fn refuse_a_mix_up(target: &Target, is_home: bool) -> Result<(), Error> {
    if is_home && target.environment != "local" {
        let what =
            format!("--env says {}, but AWS_ENDPOINT_URL leads to the local cloud", target.environment);
        return Err(Error::usage(what, "unset the variables that .local/env set, or leave --env out"));
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
