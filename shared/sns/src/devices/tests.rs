use super::*;
use crate::canned::client;
use aws_sdk_sns::error::ErrorMetadata;
use aws_sdk_sns::operation::create_platform_endpoint::CreatePlatformEndpointOutput;
use aws_sdk_sns::operation::delete_endpoint::DeleteEndpointOutput;
use aws_sdk_sns::operation::get_endpoint_attributes::{
    GetEndpointAttributesError, GetEndpointAttributesOutput,
};
use aws_sdk_sns::operation::set_endpoint_attributes::SetEndpointAttributesOutput;
use aws_sdk_sns::types::error::{InvalidParameterException, NotFoundException};
use aws_smithy_mocks::{Rule, mock};

const APPLICATION: &str = "arn:aws:sns:eu-central-1:000000000000:app/GCM/shop";
const ENDPOINT: &str = "arn:aws:sns:eu-central-1:000000000000:endpoint/GCM/shop/1";
const OLD: &str = "arn:aws:sns:eu-central-1:000000000000:endpoint/GCM/shop/old";

#[tokio::test]
async fn a_new_device_gets_an_endpoint() {
    let (made, found) = (created(), holds("t-1", "true"));
    check(&[&made, &found], "t-1", None, Ok(ENDPOINT)).await;
}

#[tokio::test]
async fn a_device_that_sns_had_disabled_is_enabled_with_its_token() {
    for (token, enabled) in [("t-1", "false"), ("t-0", "true"), ("t-0", "false")] {
        let (made, found, set) = (created(), holds(token, enabled), refreshed());
        check(&[&made, &found, &set], "t-1", None, Ok(ENDPOINT)).await;
        assert_eq!(set.num_calls(), 1, "{token} {enabled}");
    }
}

#[tokio::test]
async fn an_endpoint_that_was_made_in_another_way_is_used() {
    let said = format!(
        "Invalid parameter: Token Reason: Endpoint {ENDPOINT} already exists with the same Token, but different attributes."
    );
    let there = refused(said);
    check(&[&there, &holds("t-1", "true")], "t-1", None, Ok(ENDPOINT)).await;
}

#[tokio::test]
async fn a_new_token_goes_to_the_endpoint_that_the_device_has() {
    let (found, set) = (holds("t-0", "true"), refreshed());
    check(&[&found, &set], "t-1", Some(ENDPOINT), Ok(ENDPOINT)).await;
    assert_eq!(set.num_calls(), 1);
}

#[tokio::test]
async fn an_endpoint_that_was_deleted_is_made_anew() {
    let gone = mock!(Client::get_endpoint_attributes)
        .match_requests(|request| request.endpoint_arn() == Some(OLD))
        .then_error(|| GetEndpointAttributesError::NotFoundException(NotFoundException::builder().build()));
    check(&[&gone, &created(), &holds("t-1", "true")], "t-1", Some(OLD), Ok(ENDPOINT)).await;
}

#[tokio::test]
async fn an_endpoint_of_another_application_is_left_alone() {
    let other = "arn:aws:sns:eu-central-1:000000000000:endpoint/GCM/shopping/1";
    check(&[&created(), &holds("t-1", "true")], "t-1", Some(other), Ok(ENDPOINT)).await;
}

#[tokio::test]
async fn a_text_that_is_no_token_is_refused_and_not_repeated() {
    for token in ["", "two words", "ü", "\n"] {
        check(&[], token, None, Err("the token is not one that the platform gives")).await;
    }
    check(&[], &"a".repeat(MAX_TOKEN_BYTES + 1), None, Err("the token is not one that the platform gives"))
        .await;
    let no = refused(
        "Invalid parameter: Token Reason: iOS device tokens must be no more than 400 hexadecimal characters"
            .into(),
    );
    check(&[&no], "zz", None, Err("the token is not one that the platform gives")).await;
}

#[tokio::test]
async fn a_platform_without_an_application_is_an_operators_matter() {
    let devices = Devices::with_client(client(&[]), applications());
    let refused = devices.register(Platform::Apns, "t-1", None).await.unwrap_err();
    assert!(matches!(refused, Unregistered::NoApplication));
}

#[tokio::test]
async fn an_endpoint_is_deleted_once_or_twice() {
    let done = mock!(Client::delete_endpoint)
        .match_requests(|request| request.endpoint_arn() == Some(ENDPOINT))
        .then_output(|| DeleteEndpointOutput::builder().build());
    Devices::with_client(client(&[&done]), applications()).remove(ENDPOINT).await.unwrap();
}

fn created() -> Rule {
    mock!(Client::create_platform_endpoint)
        .match_requests(|request| {
            request.platform_application_arn() == Some(APPLICATION) && request.token() == Some("t-1")
        })
        .then_output(|| CreatePlatformEndpointOutput::builder().endpoint_arn(ENDPOINT).build())
}

fn holds(token: &'static str, enabled: &'static str) -> Rule {
    mock!(Client::get_endpoint_attributes)
        .match_requests(|request| request.endpoint_arn() == Some(ENDPOINT))
        .then_output(move || {
            let found = GetEndpointAttributesOutput::builder();
            found.attributes("Token", token).attributes("Enabled", enabled).build()
        })
}

fn refreshed() -> Rule {
    mock!(Client::set_endpoint_attributes)
        .match_requests(|request| {
            let attribute = |name: &str| {
                request.attributes().and_then(|attributes| attributes.get(name)).map(String::as_str)
            };
            request.endpoint_arn() == Some(ENDPOINT)
                && attribute("Token") == Some("t-1")
                && attribute("Enabled") == Some("true")
        })
        .then_output(|| SetEndpointAttributesOutput::builder().build())
}

fn refused(said: String) -> Rule {
    mock!(Client::create_platform_endpoint).then_error(move || {
        let meta = ErrorMetadata::builder().code("InvalidParameter").message(&said).build();
        let error = InvalidParameterException::builder().message(&said).meta(meta).build();
        CreatePlatformEndpointError::InvalidParameterException(error)
    })
}

fn applications() -> Applications {
    Applications { fcm: Some(APPLICATION.to_owned()), ..Applications::default() }
}

async fn check(rules: &[&Rule], token: &str, known: Option<&str>, expected: Result<&str, &str>) {
    let devices = Devices::with_client(client(rules), applications());
    let found = devices.register(Platform::Fcm, token, known).await.map_err(|error| error.to_string());
    assert_eq!(found.as_deref().map_err(String::as_str), expected, "{token:?}");
}
