//! A DynamoDB client with prepared answers, for tests.

use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client};

/// A real client that returns these answers in this order.
pub(crate) fn client(rules: &[&Rule]) -> Client {
    let mode = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential);
    let answers = rules.iter().fold(mode, |answers, rule| answers.with_rule(rule));
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("key", "secret", None, None, "test"))
        .retry_config(aws::no_retries())
        .http_client(create_mock_http_client())
        .interceptor(answers)
        .build();
    Client::from_conf(config)
}
