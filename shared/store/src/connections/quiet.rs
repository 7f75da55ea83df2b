//! Backoff for users whose socket flooded the API: they get no ticket for a while.
//!
//! The key is user, tenant and kind of view. A read-only socket of an admin does not lock out the user that the
//! admin looks at, and a socket of one tenant does not lock the user out of another tenant.

use aws::CallError;
use domain::Timestamp;
use jiff::SignedDuration;

use super::{Connections, Identity};
use crate::item::{Item, key};
use crate::writes::put;
use crate::{lookup, seconds};

/// The length of the lockout.
const KEPT_AWAY: SignedDuration = SignedDuration::from_secs(60);

impl Connections {
    /// Locks a user out for a minute from now.
    ///
    /// # Errors
    /// The table could not be written.
    pub async fn lock_out(&self, who: &Identity, now: Timestamp) -> Result<(), CallError> {
        let item = mark(who).number("ttl", seconds(now + KEPT_AWAY));
        self.write(vec![put(item)]).await
    }

    /// The remaining seconds of a lockout. `None`: a ticket may be issued.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn lockout_left(&self, who: &Identity, now: Timestamp) -> Result<Option<u32>, CallError> {
        let found = lookup::get(&self.client, &self.table, mark(who)).await?;
        let left = found.and_then(|found| found.get_number("ttl")).unwrap_or(0) - seconds(now);
        Ok(u32::try_from(left).ok().filter(|left| *left > 0))
    }
}

fn mark(who: &Identity) -> Item {
    let kind = if who.view.looks_on() { "only" } else { "own" };
    let pk = key(&["quiet", kind, who.view.tenant().unwrap_or("-"), &who.user]);
    Item::default().text("pk", pk).text("sk", "-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned;
    use aws_sdk_dynamodb::operation::get_item::GetItemOutput;
    use aws_smithy_mocks::mock;
    use domain::inbox::View;

    const NOON: Timestamp = Timestamp::constant(1_795_000_000, 0);

    #[tokio::test]
    async fn lockout_lasts_one_minute() {
        for (left, expected) in [(60, Some(60)), (1, Some(1)), (0, None), (-5, None)] {
            let row = Item::default().number("ttl", seconds(NOON) + left);
            let get = mock!(aws_sdk_dynamodb::Client::get_item)
                .then_output(move || GetItemOutput::builder().set_item(Some(row.clone().into_map())).build());
            let connections = Connections::new(&canned::client(&[&get]), "connections".into());
            assert_eq!(connections.lockout_left(&ann(View::All), NOON).await.unwrap(), expected, "{left} s");
        }
    }

    #[test]
    fn lockout_is_limited_to_one_view_and_tenant() {
        let pk = |view: View| mark(&ann(view)).get("pk").unwrap_or_default().to_owned();
        let keys = [
            pk(View::own(None)),
            pk(View::own(Some("clinic-7".into()))),
            pk(View::own(Some("clinic-8".into()))),
            pk(View::Only("clinic-7".into())),
        ];
        for (index, key) in keys.iter().enumerate() {
            assert!(!keys[..index].contains(key), "{key}");
        }
    }

    fn ann(view: View) -> Identity {
        Identity { user: "ann".into(), view, rooms: Vec::new(), until: None }
    }
}
