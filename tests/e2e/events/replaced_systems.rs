//! Events of the replaced systems on the real bus: one journey per system, in the form that its producers send.

use std::collections::BTreeSet;

use domain::base::outcome::Status;
use serde_json::{Value, json};
use testkit::cloud::{Cloud, entry, now_text};
use testkit::until::until;
use testkit::ws_client::Client;
use workspace::unique;

#[tokio::test]
async fn lab_report_of_the_hub_reaches_patient_doctor_and_the_clinics_screens() {
    let cloud = Cloud::connect();
    let (clinic, [patient, doctor, other]) = (unique("clinic"), ["patient", "doctor", "other"].map(unique));
    for (id, tenant) in [(&patient, &clinic), (&doctor, &clinic), (&other, &unique("clinic"))] {
        cloud.new_recipient_with(person_on_every_channel(id, tenant)).await;
    }
    let mut screen = in_room(&cloud, &clinic, "clinic", &clinic).await;
    let event = unique("lab-report");
    let detail = json!({
        "eventId": event, "eventType": "ehr.lab_report.created", "category": "EHR_RECORD", "priority": "HIGH",
        "timestamp": now_text(), "source": "EHRService", "version": "1.0.0", "userId": patient, "clinicId": clinic,
        "payload": { "recordId": "r-1", "userId": patient, "clinicId": clinic, "doctorId": doctor },
    });
    let id = put(&cloud, "EHRService", "ehr.lab_report.created", &detail, Some(&event)).await;
    let wanted: BTreeSet<String> = [&patient, &doctor]
        .iter()
        .flat_map(|id| ["socket", "push", "email"].map(|channel| format!("{id} {channel}")))
        .chain([format!("room:clinic:{clinic} socket")])
        .collect();
    check_notified(&cloud, &id, &wanted).await;
    assert_eq!(screen.next_message().await["event"]["type"], "ehr.lab_report.created");
    let notified = cloud.outcomes(&id).await;
    assert!(notified.iter().all(|row| row.recipient != other), "{notified:?}");
}

#[tokio::test]
async fn emergency_of_the_care_circle_reaches_every_member_of_the_family_at_once() {
    let cloud = Cloud::connect();
    let (family, [first, second]) = (unique("family"), ["kim", "sam"].map(unique));
    for id in [&first, &second] {
        let mut person = person_on_every_channel(id, &family);
        person["roles"] = json!([{ "role": "family-member", "in": family }]);
        cloud.new_recipient_with(person).await;
    }
    let event = unique("alert");
    let detail = json!({
        "id": event, "type": "emergency.alert.created", "source": "carecircle-api", "timestamp": now_text(),
        "specVersion": "1.0", "correlationId": unique("req"), "causedBy": first, "familyId": family,
        "careRecipientId": "recipient-1", "data": { "alertId": unique("al"), "message": "Fall detected" },
    });
    let id = put(&cloud, "carecircle-api", "emergency.alert.created", &detail, Some(&event)).await;
    let wanted: BTreeSet<String> = [&first, &second]
        .iter()
        .flat_map(|id| ["socket", "push", "sms", "email"].map(|channel| format!("{id} {channel}")))
        .collect();
    check_notified(&cloud, &id, &wanted).await;
}

#[tokio::test]
async fn order_of_the_business_bus_reaches_the_user_of_the_envelope_by_e_mail() {
    let cloud = Cloud::connect();
    let owner = cloud.new_recipient().await;
    let detail = json!({
        "type": "order.status.changed", "data": { "orderId": "o-1", "status": "shipped", "previous": "paid" },
        "timestamp": now_text(), "correlationId": unique("c"), "userId": owner.id,
    });
    let id = put(&cloud, "shop", "order.status.changed", &detail, None).await;
    check_notified(&cloud, &id, &[format!("{} email", owner.id)].into()).await;
    until("a letter", async || cloud.emails(&format!("{}@example.com", owner.id)).pop()).await;
}

#[tokio::test]
async fn booking_of_the_workforce_platform_reaches_the_client_with_ids_alone() {
    let cloud = Cloud::connect();
    let client = cloud.new_recipient().await;
    let detail = json!({ "bookingId": "123", "clientId": client.id, "timestamp": now_text() });
    let id = put(&cloud, "booking", "booking.created", &detail, None).await;
    let wanted = ["socket", "email"].map(|channel| format!("{} {channel}", client.id));
    check_notified(&cloud, &id, &wanted.into()).await;
}

#[tokio::test]
async fn task_event_reaches_the_project_and_not_its_author() {
    let cloud = Cloud::connect();
    let (space, project) = (unique("workspace"), unique("project"));
    let [maker, member] = ["maker", "member"].map(unique);
    for id in [&maker, &member] {
        let topics = json!([format!("project:{project}")]);
        cloud
            .new_recipient_with(json!({ "id": id, "name": "Uma", "tenants": [space], "topics": topics }))
            .await;
    }
    let mut board = in_room(&cloud, &space, "project", &project).await;
    let detail = json!({
        "taskId": "task-123", "title": "Implement feature X", "creatorId": maker, "workspaceId": space,
        "projectId": project,
    });
    let id = put(&cloud, "task-management", "TaskCreatedEvent", &detail, None).await;
    let wanted = [format!("{member} socket"), format!("room:project:{project} socket")];
    check_notified(&cloud, &id, &wanted.into()).await;
    assert_eq!(board.next_message().await["event"]["type"], "task.created");
    let notified = cloud.outcomes(&id).await;
    assert!(
        notified.iter().all(|row| row.recipient != maker || row.status == Status::Suppressed),
        "{notified:?}"
    );
}

/// Puts an event on the bus and returns its id: the envelope's, or else the EventBridge id.
async fn put(cloud: &Cloud, source: &str, detail_type: &str, detail: &Value, id: Option<&str>) -> String {
    let answer = cloud.bus.put(&[entry(source, detail_type, detail)]).await.remove(0).unwrap();
    id.map_or(answer, str::to_owned)
}

/// Waits until a message was sent for each pair of recipient and channel. Devices of one person count once.
async fn check_notified(cloud: &Cloud, event: &str, wanted: &BTreeSet<String>) {
    let sent = async || -> Option<BTreeSet<String>> {
        let rows = cloud.outcomes(event).await;
        let sent = rows.iter().filter(|row| row.status == Status::Sent || row.provider_id.is_some());
        let pairs = sent.filter_map(|row| Some(format!("{} {}", row.recipient, row.channel?.name())));
        let pairs: BTreeSet<String> = pairs.collect();
        pairs.is_superset(wanted).then_some(pairs)
    };
    until(&format!("{wanted:?} of {event}"), sent).await;
}

/// A person with an address on every channel.
fn person_on_every_channel(id: &str, tenant: &str) -> Value {
    let endpoint = format!("arn:aws:sns:eu-central-1:000000000000:endpoint/GCM/carillon/{id}");
    json!({
        "id": id, "name": "Ann", "email": format!("{id}@example.com"), "phone": "+44 20 7946 0102", "locale": "en",
        "zone": "Europe/London", "tenants": [tenant],
        "devices": [{ "id": "phone", "platform": "fcm", "endpoint": endpoint }],
    })
}

/// A WebSocket client of a tenant that has joined a room.
async fn in_room(cloud: &Cloud, tenant: &str, name: &str, value: &str) -> Client {
    let room = format!("{name}:{value}");
    let mut client = Client::of(cloud, &unique("screen"), Some(tenant), &[&room]).await;
    let joined = client.ask(&json!({ "action": "subscribe", "room": room }).to_string()).await;
    assert_eq!(joined, json!({ "type": "subscribed", "room": room }));
    client
}
