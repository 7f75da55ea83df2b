//! `/v1/events/{id}/deliveries` and `/v1/recipients/{id}/deliveries`: the notifications of an event, and
//! those of a recipient.

use domain::Timestamp;
use domain::base::channel::Channel;
use domain::base::outcome::Reason;
use domain::decide::plan::user_name;
use serde_json::{Value, json};
use store::{LedgerRow, Received, RecipientCursor};

use crate::page::Page;
use crate::problem::Problem;
use crate::response::Response;
use crate::routes::events::source_of;
use crate::tenancy::Relation;
use crate::{Api, ApiCall};

impl Api {
    /// Lists the notifications of an event. The id is unique within a source, given by `?source=` or by
    /// the tenant. A page can have fewer rows than requested if rows of other tenants lie between.
    pub(crate) async fn list_deliveries(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.parameter(0);
        let own = source_of(call.scope);
        let source = call.request.query("source").unwrap_or(&own);
        let page = Page::of(call.request, call.scope, &["deliveries", source, id])?;
        let found = self.ledger.page_of_event(source, id, page.after.as_deref(), page.limit).await?;
        let rows = found.rows.iter().filter(|row| may_know(call, row));
        let rows: Vec<Value> = rows.map(tell).collect();
        Ok(Response::json(200, &json!({ "deliveries": rows, "next": page.next(found.next) })))
    }

    /// Lists a recipient's notifications, the newest first, optionally since `?since=`. A page can have
    /// fewer rows than requested if rows of other tenants lie between.
    pub(crate) async fn list_received(&self, call: &ApiCall<'_>) -> Result<Response, Problem> {
        let id = call.parameter(0);
        let since = call.request.query("since");
        let page = Page::of(call.request, call.scope, &["received", id, since.unwrap_or_default()])?;
        let since = since.map_or(Ok(Timestamp::UNIX_EPOCH), |value| {
            let detail = "since: wanted a time such as 2026-11-20T00:00:00Z";
            value.parse().map_err(|_| Problem::new(400, "bad_query", detail))
        })?;
        let place =
            page.after.as_deref().map(|after| RecipientCursor::parse(after).ok_or_else(Problem::bad_cursor));
        let place = place.transpose()?;
        self.person(id, call).await?;
        let recipient = user_name(id);
        let found = self.ledger.received(&recipient, since, place.as_ref(), page.limit).await?;
        let rows = found.received.iter().filter(|row| concerns(call, &row.row));
        let rows: Vec<Value> = rows.map(tell_received).collect();
        let next = page.next(found.next.map(|next| next.to_text()));
        Ok(Response::json(200, &json!({ "deliveries": rows, "next": next })))
    }
}

/// Whether the caller may see a recipient's notification. Notifications without a tenant are visible to
/// the recipient and to programs.
fn concerns(call: &ApiCall<'_>, row: &LedgerRow) -> bool {
    is_in(row, call.scope.tenant()) || (call.is_own() && row.origin.tenant.is_none())
}

fn tell_received(received: &Received) -> Value {
    let mut delivery = tell(&received.row);
    if let Some(how) = received.noticed {
        delivery["noticed"] = how.name().into();
    }
    delivery
}

/// Whether the caller may see a row. A program without a tenant sees all rows, a tenant its own.
pub(crate) fn may_know(call: &ApiCall<'_>, row: &LedgerRow) -> bool {
    call.authorize(Relation::of_tenant(row.origin.tenant.as_deref(), call.scope)).is_ok()
}

/// Whether a row belongs to this tenant. Without a tenant every row matches.
fn is_in(row: &LedgerRow, tenant: Option<&str>) -> bool {
    tenant.is_none() || row.origin.tenant.as_deref() == tenant
}

fn tell(row: &LedgerRow) -> Value {
    let mut delivery = json!({
        "key": row.key.as_str(),
        "status": row.status.name(),
        "reason": row.reason.map(Reason::name),
        "recipient": row.recipient,
        "channel": row.channel.map(Channel::name),
        "rule": row.rule,
        "step": row.step,
        "until": row.until.map(|until| until.to_string()),
        "note": row.note,
        "at": row.ended_at().or(row.times.begun_at).map(|time| time.to_string()),
        "begun_at": row.times.begun_at.map(|time| time.to_string()),
        "catalog": row.catalog,
        "event": {
            "id": row.origin.id, "source": row.origin.source, "type": row.origin.kind,
            "time": row.origin.time.to_string(), "tenant": row.origin.tenant, "subject": row.origin.subject,
        },
    });
    without_nulls(&mut delivery);
    delivery
}

fn without_nulls(value: &mut Value) {
    if let Value::Object(members) = value {
        members.retain(|_, value| !value.is_null());
        members.values_mut().for_each(without_nulls);
    }
}
