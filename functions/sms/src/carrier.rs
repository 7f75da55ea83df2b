//! The provider that an operator chose, and how SNS is asked.

use aws_types::SdkConfig;
use domain::outcome::{Failure, Sent};
use sns::{Attribute, Kind, Message, Sns, Target};

use crate::SmsVoice;
use crate::config::Provider;
use crate::text::{Purpose, Text};

/// Whoever carries the texts.
pub enum Carrier {
    Sns(Sns),
    EndUserMessaging(SmsVoice),
}

impl Carrier {
    #[must_use]
    pub fn new(config: &SdkConfig, provider: Provider) -> Carrier {
        match provider {
            Provider::Sns => Carrier::Sns(Sns::new(config)),
            Provider::EndUserMessaging(from) => Carrier::EndUserMessaging(SmsVoice::new(config, from)),
        }
    }

    /// Asks the provider once.
    ///
    /// # Errors
    /// [`Failure`] says who acts on it.
    pub async fn send(&self, text: &Text<'_>) -> Result<Sent, Failure> {
        match self {
            Carrier::Sns(it) => it.publish(&message(text)).await,
            Carrier::EndUserMessaging(it) => it.send(text).await,
        }
    }
}

/// Source: SNS Developer Guide, "Publishing SMS messages to a mobile phone".
fn message<'a>(text: &Text<'a>) -> Message<'a> {
    let purpose = match text.purpose {
        Purpose::Transactional => "Transactional",
        Purpose::Promotional => "Promotional",
    };
    let wishes = text.wishes;
    let attributes = [
        ("AWS.SNS.SMS.SMSType", Kind::Text, Some(purpose.to_owned())),
        ("AWS.SNS.SMS.SenderID", Kind::Text, wishes.sender_id.clone()),
        ("AWS.SNS.SMS.MaxPrice", Kind::Number, wishes.max_price.clone()),
    ];
    let attributes = attributes
        .into_iter()
        .filter_map(|(name, kind, value)| Some(Attribute { name, kind, value: value? }));
    Message { target: Target::Phone(text.to.as_str()), text: text.body, attributes: attributes.collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Wishes;
    use domain::recipient::PhoneNumber;

    #[test]
    fn sns_is_told_the_purpose_and_what_an_operator_wishes() {
        let wishes =
            Wishes { sender_id: Some("Carillon".into()), max_price: Some("0.10".into()), max_segments: 6 };
        check(
            &wishes,
            Purpose::Transactional,
            &[
                ("AWS.SNS.SMS.SMSType", Kind::Text, "Transactional"),
                ("AWS.SNS.SMS.SenderID", Kind::Text, "Carillon"),
                ("AWS.SNS.SMS.MaxPrice", Kind::Number, "0.10"),
            ],
        );
        check(
            &Wishes::default(),
            Purpose::Promotional,
            &[("AWS.SNS.SMS.SMSType", Kind::Text, "Promotional")],
        );
    }

    #[track_caller]
    fn check(wishes: &Wishes, purpose: Purpose, expected: &[(&str, Kind, &str)]) {
        let Ok(to) = PhoneNumber::parse("+15550100") else { panic!("it is a number") };
        let text = Text { to: &to, body: "Hi", purpose, wishes, time_to_live_s: None, context: Vec::new() };
        let message = message(&text);
        assert!(matches!(message.target, Target::Phone("+15550100")) && message.text == "Hi");
        let found: Vec<_> =
            message.attributes.iter().map(|it| (it.name, it.kind, it.value.as_str())).collect();
        assert_eq!(found, expected);
    }
}
