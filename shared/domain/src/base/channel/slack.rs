//! Slack messages through the Web API or an incoming webhook.

use super::{
    AddressForm, AddressSpec, ChannelSpec, Destination, OnUnknown, Part, PartFormat, Receipts, RetrySchedule,
    webhook_name,
};

pub(super) const SPEC: ChannelSpec = ChannelSpec {
    name: "slack",
    parts: &[
        Part::formatted("slack.txt", PartFormat::SlackText),
        Part::formatted("slack.json", PartFormat::SlackJson).optional(),
    ],
    has_title: false,
    destination: Destination::Address(AddressSpec {
        member: "slack",
        noun: "Slack address",
        form: AddressForm::Id(address),
        wanted: "a Slack id such as U012AB3CD or C012AB3CD, or webhook:<name>",
        example: "C012AB3CD",
    }),
    // Slack has no idempotency key: a second message would be shown twice.
    on_unknown: OnUnknown::Hold,
    disturbs: true,
    receipts: Receipts::None,
    closed_for_days: None,
    retry: RetrySchedule::PROVIDER,
    is_paid: false,
    has_render_check: false,
};

/// The longest id, in bytes. Slack documents no limit; ids in use have 9 to 11 characters.
const MAX_ID_BYTES: usize = 64;

/// Parses the id of a member (`U…`, `W…`), of a conversation (`C…`, `G…`, `D…`), or the name of a webhook.
fn address(text: &str) -> Result<String, &'static str> {
    if let Some(name) = webhook_name(text) {
        return name;
    }
    let id = text.trim().to_ascii_uppercase();
    let is_id = (6..=MAX_ID_BYTES).contains(&id.len())
        && id.starts_with(['U', 'W', 'C', 'G', 'D'])
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match is_id {
        true => Ok(id),
        false => Err("the text is no id of a Slack member or conversation"),
    }
}

#[cfg(test)]
mod tests {
    use super::address;

    #[test]
    fn member_conversation_and_webhook_are_addresses() {
        for (text, expected) in [
            (" u012ab3cd ", Ok("U012AB3CD")),
            ("W012AB3CD", Ok("W012AB3CD")),
            ("C012AB3CD", Ok("C012AB3CD")),
            ("webhook:ops", Ok("webhook:ops")),
            ("WEBHOOK:Ops", Ok("webhook:ops")),
            ("webhook:", Err(())),
            ("webhook:a b", Err(())),
            ("#general", Err(())),
            ("@ann", Err(())),
            ("U1", Err(())),
            ("A012AB3CD", Err(())),
            ("https://hooks.slack.com/services/T/B/x", Err(())),
        ] {
            assert_eq!(
                address(text).map_err(|_| ()).as_deref(),
                expected.as_ref().map(|address| *address).map_err(|()| &()),
                "{text}"
            );
        }
    }
}
