//! CORS on the local cloud. MiniStack's CloudFormation keeps the members of `CorsConfiguration` in the template's letter case
//! and its API Gateway reads them in that of the API, so a page of another origin is refused. Put once more by the API, they
//! count.

use std::path::Path;
use std::process::Command;

use crate::error::Error;

use super::deploy::tool;
use super::state::{FOLDER, State};

/// Reads the answer as it comes, since the SDK leaves members of another letter case out.
const SCRIPT: &str = "import boto3, json
gateway, raw = boto3.client('apigatewayv2'), {}
gateway.meta.events.register('after-call.apigatewayv2.GetApi', lambda http_response, **_: raw.update(json.loads(http_response.text)))
lists = ('AllowOrigins', 'AllowMethods', 'AllowHeaders', 'ExposeHeaders')
for api in gateway.get_apis(MaxResults='500')['Items']:
    if not api['Name'].startswith('carillon-local-'):
        continue
    raw.clear()
    gateway.get_api(ApiId=api['ApiId'])
    cors = {name[:1].upper() + name[1:]: value for name, value in (raw.get('corsConfiguration') or {}).items()}
    for name in lists:
        if isinstance(cors.get(name), str):
            cors[name] = [it.strip() for it in cors[name].split(',')]
    if 'MaxAge' in cors:
        cors['MaxAge'] = int(cors['MaxAge'])
    if cors:
        gateway.update_api(ApiId=api['ApiId'], CorsConfiguration=cors)
        print(','.join(cors.get('AllowOrigins', [])))";

/// Puts the CORS configuration of the template's APIs, and says which origins they allow.
///
/// # Errors
/// The local cloud did not take it.
pub(super) fn allow(state: &State) -> Result<String, Error> {
    let put = Command::new(tool("python"))
        .args(["-c", SCRIPT])
        .envs(state.variables())
        .env_remove("AWS_PROFILE")
        .env_remove("AWS_SESSION_TOKEN")
        .output()
        .map_err(|error| Error::read(Path::new(FOLDER), error))?;
    let said = String::from_utf8_lossy(if put.status.success() { &put.stdout } else { &put.stderr });
    match put.status.success() {
        true => Ok(said.trim().to_owned()),
        false => Err(Error::Cloud(format!("the local cloud did not take the CORS configuration: {said}"))),
    }
}
