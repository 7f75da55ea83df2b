//! The real template, deployed by the real SAM to the local cloud.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::Error;
use crate::terminal::Terminal;

use super::state::{FOLDER, State};

/// Deploys, and learns where WebSockets connect and where the HTTP API is.
pub(super) fn run(state: &mut State, terminal: &Terminal) -> Result<(), Error> {
    terminal.note("deploying infra/template.yaml to the local cloud …");
    let producers = super::functions::producers()?;
    let (people, critical) = (
        producers.sources_with(|it| it.people).join(","),
        producers.sources_with(|it| it.critical).join(","),
    );
    let deployed = sam(state)
        .args(["deploy", "--config-env", "local", "--no-progressbar", "--parameter-overrides"])
        .arg(format!(
            "Environment=local LogRetentionDays=1 LocalEndpoint={} LocalProxy={} CaptureEndpoint={} TokenIssuer={} \
             WhatsappPhoneNumberId=phone-number-id-local AttachmentBuckets=arn:aws:s3:::{} \
             ApnsApplicationArn=arn:aws:sns:us-east-1:000000000000:app/APNS/local \
             FcmApplicationArn=arn:aws:sns:us-east-1:000000000000:app/GCM/local WebhookAllow={} \
             PeopleSources={people} CriticalSources={critical} LimitTenant=1000/s:2000 LimitUser=1000/s:2000",
            state.endpoint(),
            state.proxy_endpoint(),
            state.providers_endpoint(),
            // The capture server is the local issuer, too.
            state.capture_endpoint(),
            super::files::BUCKET,
            state.allowed_origins()
        ))
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Error::read(Path::new(FOLDER), error))?;
    if !deployed.status.success() {
        let said = [deployed.stdout, deployed.stderr].concat();
        return Err(Error::Cloud(format!(
            "the template was not deployed:\n{}",
            String::from_utf8_lossy(&said)
        )));
    }
    state.socket_url = Some(output(state, "SocketUrl")?);
    state.http_url = Some(output(state, "HttpUrl")?);
    state.token_url = Some(output(state, "TokenUrl")?);
    Ok(())
}

fn sam(state: &State) -> Command {
    let mut command = Command::new(tool("sam"));
    command.current_dir("infra").envs(state.variables());
    command.env("SAM_CLI_TELEMETRY", "0").env_remove("AWS_PROFILE").env_remove("AWS_SESSION_TOKEN");
    command
}

/// An output of the stack, by the SDK that came with SAM.
fn output(state: &State, name: &str) -> Result<String, Error> {
    let script = "import boto3, sys
stack = boto3.client('cloudformation').describe_stacks(StackName='carillon-local')['Stacks'][0]
print(next(it['OutputValue'] for it in stack['Outputs'] if it['OutputKey'] == sys.argv[1]))";
    let found = Command::new(tool("python"))
        .args(["-c", script, name])
        .envs(state.variables())
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .output()
        .map_err(|error| Error::read(Path::new(FOLDER), error))?;
    let value = String::from_utf8_lossy(&found.stdout).trim().to_owned();
    match value.is_empty() {
        true => {
            let said = String::from_utf8_lossy(&found.stderr).into_owned();
            Err(Error::Cloud(format!("the stack has no output {name}: {said}")))
        }
        false => Ok(value),
    }
}

/// A program of SAM's own environment. Absolute, because it runs in another folder.
pub(super) fn tool(name: &str) -> std::path::PathBuf {
    let path = Path::new(FOLDER).join("sam/bin").join(name);
    std::path::absolute(&path).unwrap_or(path)
}
