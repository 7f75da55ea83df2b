//! The table of the events.

use super::{Emitted, Member};
use crate::event::own_events::{
    ADDRESS_CHANGED, API_SOURCE, CLI_SOURCE, COMMUNICATION, OPTED_OUT, PEOPLE_SOURCE, PUSH_SOURCE,
    RELAY_SOURCE, SMS_SOURCE, UNREGISTERED, WEBHOOK_SOURCE,
};
use crate::event::replay;

const fn member(name: &'static str, example: &'static str, meaning: &'static str) -> Member {
    Member { name, is_optional: false, example, meaning }
}

const fn optional(name: &'static str, example: &'static str, meaning: &'static str) -> Member {
    Member { name, is_optional: true, example, meaning }
}

const RECIPIENT: Member = member("recipient", r#""ann""#, "the recipient's id");
const REQUEST: Member =
    member("request", r#""JKJaXmPLvHcESHA=""#, "the request's id, as in the access records");
const ID: Member = member("id", r#""ann""#, "the id of the person, tenant or endpoint");
const MEMBERS: Member =
    member("members", r#"["email", "zone"]"#, "the names of the changed members, without values");

/// All events that Carillon publishes on the bus, except replayed events, which keep their own type and source.
pub static EMITTED: [Emitted; 10] = [
    Emitted {
        types: &["carillon.delivery.<status>"],
        sources: &[RELAY_SOURCE],
        when: "the status of a notification changed",
        subject: "`notification/<notification>`",
        members: &[
            member("notification", r#""owvIKxce60tI888DoLgEsV9qILY""#, "the key of the notification"),
            member("status", r#""failed""#, "the status, as in the type"),
            optional("reason", r#""rejected""#, "the [reason](reasons.md)"),
            member(
                "event",
                r#"{"id": "1", "source": "shop", "type": "order.shipped"}"#,
                "the event that led to it",
            ),
            member("rule", r#""order-shipped""#, "the rule"),
            member("step", "0", "the index of the step in the rule"),
            RECIPIENT,
            optional("channel", r#""email""#, "the channel"),
            optional("providerId", r#""0100018f-5b1c""#, "the provider's message id"),
            optional("replay", r#""r-20261120""#, "the replay that sent the event again"),
        ],
    },
    Emitted {
        types: &[COMMUNICATION],
        sources: &[RELAY_SOURCE],
        when: "all notifications that an event led to at once have an outcome",
        subject: "`communication/<event>`",
        members: &[
            member("communicationId", r#""9f2c5d""#, "the id of this event"),
            member("eventId", r#""1""#, "the id of the event that led to it"),
            member("eventType", r#""order.shipped""#, "its type"),
            member("eventSource", r#""shop""#, "its source"),
            member(
                "category",
                r#""order""#,
                "the event's own attribute `category`, or else the rule's; can be null",
            ),
            member("success", "true", "whether at least one notification was sent"),
            member("channels", r#"["email"]"#, "the channels, sorted"),
            member("recipientCount", "1", "the number of recipients"),
            member("recipients", r#"["ann"]"#, "the ids of the recipients, sorted"),
            member(
                "results",
                r#"[{"channel": "email", "success": true, "messageId": "0100018f-5b1c", "recipient": "ann"}]"#,
                "the result of each notification",
            ),
            member(
                "outcomes",
                r#"{"email": {"sent": 1}}"#,
                "the number of notifications by channel and status",
            ),
            member(
                "notifications",
                r#"[{"notification": "owvIKxce60tI888DoLgEsV9qILY", "recipient": "ann", "channel": "email", "status": "sent", "reason": null}]"#,
                "the notifications, sorted by recipient",
            ),
        ],
    },
    Emitted {
        types: &[UNREGISTERED],
        sources: &[PUSH_SOURCE],
        when: "a device takes no push notifications any more",
        subject: "the recipient",
        members: &[RECIPIENT, member("device", r#""phone-1""#, "the device's id")],
    },
    Emitted {
        types: &[OPTED_OUT],
        sources: &[SMS_SOURCE],
        when: "a recipient opted out of SMS",
        subject: "the recipient",
        members: &[RECIPIENT, member("channel", r#""sms""#, "the channel")],
    },
    Emitted {
        types: &[
            "carillon.endpoint.disabled",
            "carillon.endpoint.failing",
            "carillon.endpoint.exhausted",
            "carillon.endpoint.recovered",
        ],
        sources: &[WEBHOOK_SOURCE],
        when: "the health of a webhook endpoint changed",
        subject: "`endpoint:<tenant>/<id>`",
        members: &[
            member("endpoint", r#""erp""#, "the endpoint's id"),
            member("message", r#""msg_2x8Lk1""#, "the message of the attempt, as in `webhook-id`"),
            member("attempt", "4", "the number of the attempt"),
            member("failures", "4", "the number of consecutive failures"),
            optional("since", r#""2026-11-20T12:00:00Z""#, "the time of the first failure"),
            optional("why", r#""gone""#, "the cause of `disabled`: `gone`, `asked` or `failing`"),
        ],
    },
    Emitted {
        types: &["preference.unsubscribed"],
        sources: &[API_SOURCE],
        when: "a person used an unsubscribe link",
        subject: "the recipient",
        members: &[
            RECIPIENT,
            member("scope", r#""category:news""#, "`commercial`, or `category:<name>`"),
            member("message", r#""owvIKxce60tI888DoLgEsV9qILY""#, "the notification with the link"),
        ],
    },
    Emitted {
        types: &[ADDRESS_CHANGED],
        sources: &[API_SOURCE, PEOPLE_SOURCE, CLI_SOURCE],
        when: "an address of a person changed; a rule can notify the old address",
        subject: "the recipient",
        members: &[
            RECIPIENT,
            member("member", r#""email""#, "the changed member of the person"),
            member("old_address", r#""ann@example.com""#, "the old address"),
            member("changed_at", r#""2026-11-20T12:00:00Z""#, "the time of the change"),
        ],
    },
    Emitted {
        types: &[
            "carillon.api.recipient_changed",
            "carillon.api.tenant_changed",
            "carillon.api.endpoint_changed",
        ],
        sources: &[API_SOURCE],
        when: "the HTTP API changed a person, a tenant or an endpoint",
        subject: "the id of the object",
        members: &[ID, REQUEST, MEMBERS],
    },
    Emitted {
        types: &["carillon.api.recipient_deleted", "carillon.api.endpoint_deleted"],
        sources: &[API_SOURCE],
        when: "the HTTP API deletes a person or has deleted an endpoint",
        subject: "the id of the object",
        members: &[ID, REQUEST],
    },
    Emitted {
        types: &[replay::FINISHED, replay::STARTED],
        sources: &[CLI_SOURCE],
        when: "an operator begins or ends a replay",
        subject: "`replay/<replay>`",
        members: &[
            member(
                "replay",
                r#""r-20261120""#,
                "the replay's id, which the replayed events have as `replayid`",
            ),
            member("reason", r#""the e-mail had the wrong link""#, "the reason of the operator; can be null"),
            member("by", r#""arn:aws:iam::123456789012:user/sam""#, "the operator"),
            member(
                "choice",
                r#"{"from": "2026-11-20T12:00:00Z", "to": "2026-11-20T13:00:00Z", "type": "order.*", "consumer": "dispatch", "mode": "only-missing"}"#,
                "the selected events, with receiver and mode",
            ),
            member("counts", r#"{"sent": 12, "leftOut": 0}"#, "the counts of the end; null in the start"),
        ],
    },
];
