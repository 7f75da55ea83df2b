//! `carillon ticket`: issues a ticket for opening a WebSocket.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::inbox::View;
use store::{Connections, Identity};

use crate::args::{Target, Ticket};
use crate::cloud::Cloud;
use crate::error::{Done, Error};
use crate::terminal::Terminal;

/// The lifetime of a ticket. Tickets are part of URLs, so it is short.
const LIFETIME: Duration = Duration::from_secs(30);

pub(crate) async fn run(args: &Ticket, target: &Target, terminal: &Terminal) -> Done {
    let cloud = Cloud::of(target).await?;
    let connections = Connections::new(&store::client(&cloud.config), cloud.name("connections"));
    let view = View::own(args.tenant.clone());
    let identity = Identity { user: args.user.clone(), view, rooms: args.rooms.clone(), until: None };
    let text = issue(&connections, identity).await?;
    let url = cloud.socket_url.map(|socket_url| format!("{socket_url}?ticket={text}"));
    if terminal.json {
        terminal.say_json(&serde_json::json!({ "ticket": text, "url": url, "seconds": LIFETIME.as_secs() }));
    } else {
        terminal.say(url.as_deref().unwrap_or(&text));
    }
    Ok(true)
}

/// Issues a ticket of 128 random bits and returns its text.
///
/// # Errors
/// The table refuses the ticket.
pub async fn issue(connections: &Connections, identity: Identity) -> Result<String, Error> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Error::Cloud(format!("no random numbers: {error}")))?;
    let text = URL_SAFE_NO_PAD.encode(bytes);
    let issued_at = runtime::now();
    let ticket =
        store::Ticket { text: text.clone().into(), identity, issued_at, expires_at: issued_at + LIFETIME };
    connections.issue(&ticket).await?;
    Ok(text)
}
