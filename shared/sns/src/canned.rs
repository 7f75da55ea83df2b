//! A real client with mocked answers, for tests.

use aws_sdk_sns::Client;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client};

/// Each rule answers once, in order.
pub(crate) fn client(rules: &[&Rule]) -> Client {
    let answers = MockResponseInterceptor::new().rule_mode(RuleMode::Sequential);
    let answers = rules.iter().fold(answers, |answers, rule| answers.with_rule(rule));
    let config = aws_sdk_sns::Config::builder()
        .behavior_version(aws_sdk_sns::config::BehaviorVersion::latest())
        .region(aws_sdk_sns::config::Region::new("eu-central-1"))
        .credentials_provider(aws_sdk_sns::config::Credentials::new("key", "secret", None, None, "test"))
        .retry_config(aws::no_retries())
        .http_client(create_mock_http_client())
        .interceptor(answers)
        .build();
    Client::from_conf(config)
}
