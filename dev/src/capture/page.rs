//! The HTML page of captured messages: newest first, e-mails rendered.

use serde_json::Value;

/// The page around the messages.
const PAGE: &str = include_str!("page.html");

/// The number of shown messages.
const SHOWN: usize = 200;

/// The page. All message texts are escaped. An e-mail's HTML is in a sandboxed frame without scripts and external resources.
pub(super) fn of(records: &[Value]) -> String {
    let shown = records.iter().rev().take(SHOWN).map(entry).collect::<String>();
    // The messages come last, so that their texts are not searched for names.
    PAGE.replace("{count}", &records.len().to_string())
        .replace("{newest}", &SHOWN.to_string())
        .replace("{messages}", &shown)
}

fn entry(record: &Value) -> String {
    let text = |name: &str| escaped(record[name].as_str().unwrap_or_default());
    let title = ["subject", "text"].iter().find_map(|name| record[*name].as_str()).unwrap_or_default();
    let title: String = title.chars().take(80).collect();
    let email = record["html"].as_str().map_or_else(String::new, |html| {
        let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
        let page = format!("<meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">{html}");
        format!("<iframe sandbox=\"\" srcdoc=\"{}\"></iframe>", escaped(&page))
    });
    let whole = serde_json::to_string_pretty(record).unwrap_or_default();
    format!(
        "<details><summary>{} <b>{}</b> to {} {}</summary>{email}<pre>{}</pre></details>",
        text("at"),
        text("channel"),
        text("to"),
        escaped(&title),
        escaped(&whole)
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn newest_message_is_first_and_its_text_is_escaped() {
        let records = [
            json!({ "channel": "sms", "at": "1", "to": "+49", "text": "first" }),
            json!({ "channel": "email", "at": "2", "to": "<script>alert(1)</script>", "subject": "second",
                    "html": "<p onload=\"x\">Hello</p><script>alert(2)</script>" }),
        ];
        let page = of(&records);
        assert!(page.find("second") < page.find("first"), "{page}");
        assert!(!page.contains("<script>"), "{page}");
        assert!(page.contains("sandbox=\"\" srcdoc=\"&lt;meta"), "{page}");
    }
}
