use serde_json::{Value, json};

use super::{letter, message};

#[test]
fn truncate_counts_graphemes_and_cuts_between_words() {
    let text = json!({ "s": "The quick brown fox jumps", "e": "👩‍👩‍👧‍👦é👍🏽x", "w": "Donaudampfschifffahrt" });
    for (call, expected) in [
        ("data.s | truncate(100)", "The quick brown fox jumps"),
        ("data.s | truncate(25)", "The quick brown fox jumps"),
        ("data.s | truncate(24)", "The quick brown fox…"),
        ("data.s | truncate(10)", "The quick…"),
        ("data.s | truncate(12, true)", "The quick b…"),
        ("data.s | truncate(12, end='...')", "The quick..."),
        ("data.s | truncate(12, true, '')", "The quick br"),
        ("data.s | truncate(length=4, killwords=true)", "The…"),
        ("data.w | truncate(8)", "Donauda…"),
        ("data.e | truncate(3, true)", "👩‍👩‍👧‍👦é…"),
        ("data.e | truncate(4)", "👩‍👩‍👧‍👦é👍🏽x"),
        ("data.s | truncate(0)", ""),
        ("data.s | truncate(1)", "…"),
        ("12345 | truncate(3)", "12…"),
    ] {
        check(&format!("{{{{ {call} }}}}"), &text, expected);
    }
}

#[test]
fn values_are_encoded_for_links_json_and_plain_text() {
    let data = json!({
        "q": "a b&c=ü/+?", "map": { "q": "x y", "n": 2 }, "o": { "a": [1, "</script>'\"", true] },
        "h": "<p>Hello <b>you</b> &amp; me<br>3 < 5<!-- no --><script>alert(1)</script></p>&#x41;&nope;",
    });
    for (call, expected) in [
        ("data.q | urlencode", "a%20b%26c%3D%C3%BC/%2B%3F"),
        ("data.map | urlencode", "n=2&q=x%20y"),
        ("7 | urlencode", "7"),
        ("data.h | striptags", "Hello you & me 3 < 5 A&nope;"),
        ("'a\nb' | nl2br", "a\nb"),
    ] {
        check(&format!("{{{{ {call} }}}}"), &data, expected);
    }
    let json = message(&[], &[("t/en/socket.txt", "{{ data.o | tojson }}")], &data).unwrap().body;
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap(), data["o"]);
    assert!(letter(&[("t/en/email.txt", "{{ data.none | urlencode }}")], &data).is_err());
}

#[test]
fn event_values_are_escaped_in_html() {
    let data = json!({ "h": "<b>a</b>\n\"B\" & 'C' </p>", "u": "https://x.example/a?b=1&c=2", "o": { "k": "</script><b>" } });
    for (call, expected) in [
        ("data.h", "&lt;b&gt;a&lt;/b&gt;\n&quot;B&quot; &amp; &#x27;C&#x27; &lt;/p&gt;"),
        ("data.h | nl2br", "&lt;b&gt;a&lt;/b&gt;<br>\n&quot;B&quot; &amp; &#x27;C&#x27; &lt;/p&gt;"),
        ("data.h | striptags", "a &quot;B&quot; &amp; &#x27;C&#x27;"),
        ("'&lt;b&gt;' | striptags", "&lt;b&gt;"),
        ("data.h | safe | striptags", "a &quot;B&quot; &amp; &#x27;C&#x27;"),
        ("data.h | truncate(9, true)", "&lt;b&gt;a&lt;/b&gt;…"),
        ("'<b>aaa</b>' | safe | truncate(6, true)", "&lt;b&gt;aa…"),
        ("data.u", "https://x.example/a?b=1&amp;c=2"),
        ("data.o | tojson", r#"{"k": "\u003c/script\u003e\u003cb\u003e"}"#),
        ("'<i>' | safe | nl2br", "<i>"),
        ("'<i>' | ordinal", ""),
    ] {
        let rendered = letter(&[("t/en/email.html", &format!("{{{{ {call} }}}}"))], &data);
        match expected {
            "" => assert!(rendered.is_err(), "{call}"),
            _ => assert_eq!(rendered.unwrap().html, expected, "{call}"),
        }
    }
}

#[track_caller]
fn check(text: &str, data: &Value, expected: &str) {
    assert_eq!(letter(&[("t/en/email.txt", text)], data).unwrap().text, expected, "{text}");
}
