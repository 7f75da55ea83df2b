//! The sweep, run without waiting for its schedule.

use workspace::root;

use crate::aws_cli::shell;
use crate::cloud::Cloud;

/// Runs the sweep as its schedule does, in this process.
pub async fn sweep(cloud: &Cloud) -> sweep::Swept {
    let folder = root().join("target/lambda/sweep").display().to_string();
    let env = [
        ("LAMBDA_TASK_ROOT", folder.as_str()),
        ("EVENTS_TABLE", "carillon-local-events"),
        ("LEDGER_TABLE", "carillon-local-ledger"),
        ("BUS_NAME", "carillon-local"),
        ("MIN_AGE_SECONDS", "5"),
        ("STACK_SECRET", &stack_secret()),
    ];
    let env: runtime::Env = env.map(|(name, text)| (name.to_owned(), text.to_owned())).into_iter().collect();
    let Ok(sweep) = sweep::Sweep::from_env(&cloud.config, &env) else { panic!("a variable is missing") };
    let invocation = runtime::Invocation {
        payload: serde_json::value::RawValue::from_string("{}".into()).unwrap(),
        deadline: runtime::Deadline::at_millis(u64::MAX),
    };
    sweep.run(&invocation).await.unwrap()
}

/// Secret of the local stack, as an operator reads it.
pub fn stack_secret() -> String {
    let command = "aws secretsmanager get-secret-value --secret-id carillon-local-stack --query SecretString --output text";
    let output = shell(command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let secret: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    secret["root"].as_str().unwrap().to_owned()
}
