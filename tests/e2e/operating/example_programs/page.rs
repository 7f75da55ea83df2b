//! The page of `examples/browser-page` in Chromium.

use serde_json::json;

use super::devtools::{Page, serve};
use testkit::api_client::ApiClient;
use testkit::cloud::{Cloud, cloud_event};
use testkit::until::until;
use workspace::{root, unique};

const UNREAD: &str = "document.getElementById('unread').textContent";
const STATE: &str = "document.getElementById('state').dataset.state";
const TITLES: &str = "[...document.querySelectorAll('#messages .body')].map((body) => body.textContent)";

#[tokio::test]
async fn browser_page_shows_live_messages_and_the_unread_count() {
    let Some(mut page) = Page::start().await else {
        eprintln!("SKIPPED examples/browser-page: this machine has no Chromium");
        return;
    };
    let cloud = Cloud::connect();
    let (user, tenant) = (unique("user"), unique("tenant"));
    cloud.new_recipient_with(json!({ "id": user, "tenants": [tenant] })).await;
    let client = ApiClient::of(&user, &tenant, "member");
    let say = async |message: &str| {
        let event = unique("event");
        cloud.put(&[cloud_event("core.hello", &event, &json!({ "to": [user], "message": message }))]).await;
        event
    };
    let first = say("Before the page was opened.").await;
    until("the inbox keeps the message", async || {
        cloud.outcomes(&first).await.iter().any(|row| row.status.was_sent()).then_some(())
    })
    .await;

    let url = serve(root().join("examples/browser-page"));
    let address = format!("{url}/#api={}&token={}", client.url, client.token);
    page.show_as(375, "light").await;
    page.call("Page.navigate", json!({ "url": address })).await;
    page.until(UNREAD, json!("1")).await;
    assert_eq!(page.evaluate("location.href").await, format!("{url}/"), "the token leaves the address");

    say("While it is open. <b>No HTML</b>").await;
    page.until(UNREAD, json!("2")).await;
    let found = page.evaluate(TITLES).await.to_string();
    assert!(found.contains("<b>No HTML</b>") && found.contains("Before the page"), "{found}");
    let announced = page.evaluate("document.getElementById('announcement').textContent").await;
    assert!(announced.as_str().unwrap().starts_with("New message: "), "{announced}");
    assert_eq!(page.evaluate("document.title").await, "(2) Inbox");
    pictures(&mut page).await;

    page.evaluate("document.querySelector('#messages li.unread button').click()").await;
    page.until(UNREAD, json!("1")).await;
    page.until("document.querySelectorAll('#messages li.unread').length", json!(1)).await;

    // The server closes the socket. The page comes back with a new ticket, and asks for the messages in between.
    page.evaluate("window.closes = 0; new MutationObserver(() => { if (document.getElementById('state').dataset.state === 'waiting') window.closes += 1; }).observe(document.getElementById('state'), { attributes: true }); 0").await;
    let closed = client.ask("DELETE", &format!("/v1/recipients/{user}/sockets"), None);
    assert!(closed.status < 300, "{}", closed.text);
    page.until("window.closes > 0", json!(true)).await;
    say("After a pause.").await;
    page.until(STATE, json!("open")).await;
    page.until(UNREAD, json!("2")).await;
    page.until("document.querySelectorAll('#messages li').length", json!(3)).await;

    page.evaluate("document.getElementById('mark-all').click()").await;
    page.until("document.getElementById('unread').hidden", json!(true)).await;
    page.until("document.querySelectorAll('#messages li.unread').length", json!(0)).await;
}

#[tokio::test]
async fn browser_page_asks_to_sign_in_again_when_the_ticket_is_refused() {
    let Some(mut page) = Page::start().await else {
        eprintln!("SKIPPED examples/browser-page: this machine has no Chromium");
        return;
    };
    // The token is valid, and names no known person. The answers of the local cloud to invalid tokens have no CORS header,
    // so a page cannot read them.
    let client = ApiClient::of(&unique("stranger"), &unique("tenant"), "member");
    let url = serve(root().join("examples/browser-page"));
    let address = format!("{url}/#api={}&token={}", client.url, client.token);
    page.call("Page.navigate", json!({ "url": address })).await;
    page.until(STATE, json!("refused")).await;
    assert_eq!(page.evaluate("document.getElementById('sign-in').hidden").await, false);
}

/// Holds the page to the narrow and the wide window, and to a name for every control. The pictures are for people.
async fn pictures(page: &mut Page) {
    for (width, scheme) in [(375, "light"), (375, "dark"), (1280, "light"), (1280, "dark")] {
        page.show_as(width, scheme).await;
        let excess = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
        assert_eq!(page.evaluate(excess).await, 0, "the page is wider than {width} px");
        let small = "[...document.querySelectorAll('button:not([hidden]), input')].filter((control) => control.offsetHeight && control.offsetHeight < 44).length";
        assert_eq!(page.evaluate(small).await, 0, "controls are at least 44 px high");
        page.screenshot(&root().join(format!(".local/pages/inbox-{width}-{scheme}.png"))).await;
    }
    let tree = page.call("Accessibility.getFullAXTree", json!({})).await;
    let nodes = tree["nodes"].as_array().unwrap();
    let controls = nodes.iter().filter(|node| node["role"]["value"] == "button" && node["ignored"] == false);
    let names: Vec<&str> = controls.map(|node| node["name"]["value"].as_str().unwrap_or_default()).collect();
    assert!(names.len() >= 3 && names.iter().all(|name| !name.is_empty()), "{names:?}");
}
