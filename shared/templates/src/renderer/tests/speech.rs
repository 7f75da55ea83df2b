use serde_json::{Value, json};

use super::{letter_to, message, person};

#[test]
fn plurals_follow_the_language() {
    let text = "{{ data.n | plural(zero='# zero', one='# one', two='# two', few='# few', many='# many', other='# other') }}";
    for (locale, n, expected) in [
        ("en", json!(1), "1 one"),
        ("en", json!(0), "0 other"),
        ("en", json!(1200), "1,200 other"),
        ("en", json!("1.0"), "1 one"),
        ("en", json!([7]), "1 one"),
        ("ar", json!(0), "0 zero"),
        ("ar", json!(2), "2 two"),
        ("ar", json!(5), "5 few"),
        ("ar", json!(11), "11 many"),
        ("ar", json!(100), "100 other"),
        ("pl", json!(1), "1 one"),
        ("pl", json!(3), "3 few"),
        ("pl", json!(5), "5 many"),
        ("pl", json!(1.5), "1,5 other"),
        ("ru", json!(21), "21 one"),
        ("ru", json!(22), "22 few"),
        ("ru", json!(11), "11 many"),
        ("ja", json!(1), "1 other"),
    ] {
        check(locale, text, &json!({ "n": n }), expected);
    }
}

#[test]
fn missing_plural_form_falls_back_to_other() {
    check("pl", "{{ 3 | plural(one='# zadanie', other='# zadań') }}", &json!({}), "3 zadań");
    check("en", "{{ 1 | plural(one='one task', other='# tasks') }}", &json!({}), "one task");
    fails(
        "{{ 1 | plural(one='# task') }}",
        "`plural` needs other=\"…\": the form for every number without its own",
    );
    let words = "`plural` takes only zero, one, two, few, many and other";
    fails("{{ 1 | plural(on='# task', other='# tasks') }}", words);
    fails("{{ data.word | plural(other='#') }}", "the value is not a number");
    fails("{{ data.none | plural(other='#') }}", "the event has no such value");
}

#[test]
fn time_follows_the_language() {
    let at = json!({ "at": "2026-11-03T17:05:00Z" });
    for (locale, filter, expected) in [
        ("en-US", "date('short')", "11/3/26"),
        ("en-US", "date", "Nov 3, 2026"),
        ("en-US", "date('long')", "November 3, 2026"),
        ("en-US", "date('full')", "Tuesday, November 3, 2026"),
        ("en-US", "time", "5:05\u{202f}PM"),
        ("en-US", "datetime", "Nov 3, 2026, 5:05\u{202f}PM"),
        ("en-GB", "datetime", "3 Nov 2026, 17:05"),
        ("de", "date", "03.11.2026"),
        ("de", "datetime('long')", "3. November 2026 um 17:05"),
        ("de", "weekday", "Dienstag"),
        ("de", "weekday('short')", "Di"),
        ("pt-BR", "date('long')", "3 de novembro de 2026"),
        ("ja", "date('long')", "2026年11月3日"),
        ("ja", "weekday", "火曜日"),
        ("fr-CH", "date('full')", "mardi, 3 novembre 2026"),
    ] {
        check(locale, &format!("{{{{ data.at | {filter} }}}}"), &at, expected);
    }
}

#[test]
fn time_is_in_the_readers_zone_in_summer_and_winter() {
    let rendered = |zone: &str, at: &str, text: &str| {
        let ann = person(json!({ "locale": "de", "zone": zone }));
        let files = [("t/de/email.subject.txt", "…"), ("t/de/email.html", "…"), ("t/de/email.txt", text)];
        letter_to(&ann, &files, &json!({ "at": at })).unwrap().text
    };
    let both = "{{ data.at | date }} {{ data.at | time }}";
    assert_eq!(rendered("Europe/Berlin", "2026-07-01T22:30:00Z", both), "02.07.2026 00:30");
    assert_eq!(rendered("Europe/Berlin", "2026-12-01T22:30:00Z", both), "01.12.2026 23:30");
    assert_eq!(rendered("Europe/Berlin", "2026-10-25T00:30:00Z", both), "25.10.2026 02:30");
    assert_eq!(rendered("Europe/Berlin", "2026-10-25T01:30:00Z", both), "25.10.2026 02:30");
    assert_eq!(rendered("America/New_York", "2026-03-08T06:59:00Z", both), "08.03.2026 01:59");
    assert_eq!(rendered("America/New_York", "2026-03-08T07:00:00Z", both), "08.03.2026 03:00");
    assert_eq!(rendered("Asia/Tokyo", "2026-11-03T17:05:00+01:00", both), "04.11.2026 01:05");
    assert_eq!(rendered("Mars/Olympus", "2026-11-03T17:05:00Z", both), "03.11.2026 17:05");
    let london = "{{ data.at | time(zone='Europe/London') }} {{ data.at | weekday(zone='Asia/Tokyo') }}";
    assert_eq!(rendered("America/New_York", "2026-11-03T17:05:00Z", london), "17:05 Mittwoch");
}

#[test]
fn time_is_text_or_number_and_a_date_has_no_zone() {
    for (at, expected) in [
        (json!(1_793_725_500), "2026/11/03 17:05"),
        (json!(1_793_725_500_000_i64), "2026/11/03 17:05"),
        (json!("2026-11-03T17:05:00.123+00:00"), "2026/11/03 17:05"),
        (json!("2026-11-03T17:05"), "2026/11/03 17:05"),
    ] {
        check("ja", "{{ data.at | datetime }}", &json!({ "at": at }), expected);
    }
    check("ja", "{{ '2026-11-03' | date(zone='America/New_York') }}", &json!({}), "2026/11/03");
}

#[test]
fn invalid_time_is_an_error() {
    let no_time = "the value is not a time, such as 2026-11-03T17:05:00Z";
    for value in
        ["data.word", "''", "'2026-13-01'", "true", "9999999999999999", "[1]", "1.5", "'2026-11-03Tx'"]
    {
        for filter in ["date", "time", "datetime", "weekday"] {
            fails(&format!("{{{{ {value} | {filter} }}}}"), no_time);
        }
    }
    fails("{{ '2026-11-03' | time }}", "the value is a date and has no time of day");
    fails("{{ data.none | date }}", "the event has no such value");
    fails("{{ 0 | date('tiny') }}", "there is no such length; write short, medium, long or full");
    fails("{{ 0 | date(zone='Mars/Olympus') }}", "there is no such zone; write one as Europe/London");
    fails(
        "{{ 0 | date(style='x') }}",
        "a time filter takes only zone=\"Europe/London\" and pattern=\"d. MMMM\"",
    );
}

#[test]
fn money_follows_currency_and_language() {
    for (locale, amount, currency, expected) in [
        ("de", json!(1234.5), "EUR", "1.234,50\u{a0}€"),
        ("en-US", json!(1234.5), "USD", "$1,234.50"),
        ("en-US", json!(-3), "USD", "-$3.00"),
        ("en-US", json!("1234567.891"), "BHD", "BHD\u{a0}1,234,567.891"),
        ("pt-BR", json!(1234.5), "BRL", "R$\u{a0}1.234,50"),
        ("ja", json!(1234), "JPY", "￥1,234"),
        ("fr-CH", json!(1234.5), "CHF", "1'234.50\u{a0}CHF"),
    ] {
        let data = json!({ "amount": amount, "currency": currency });
        check(locale, "{{ data.amount | money(data.currency) }}", &data, expected);
    }
    for currency in ["'euro'", "'eur'", "7", "''"] {
        fails(
            &format!("{{{{ 1 | money({currency}) }}}}"),
            "the currency is no code of ISO 4217, such as EUR",
        );
    }
    fails("{{ 1 | money(data.none) }}", "the event has no such value");
    fails("{{ data.word | money('EUR') }}", "the value is not a number");
}

#[test]
fn numbers_and_percentages_follow_the_language() {
    for (locale, text, expected) in [
        ("de", "{{ 1234567.891 | number }}", "1.234.567,891"),
        ("de", "{{ 2 | number(2) }}", "2,00"),
        ("en", "{{ 0.12345 | number }}", "0.123"),
        ("en", "{{ '12' | number }}", "12"),
        ("en", "{{ 0.256 | percent }}", "26%"),
        ("de", "{{ 0.256 | percent(1) }}", "25,6\u{a0}%"),
        ("tr", "{{ 0.5 | percent }}", "%50"),
    ] {
        check(locale, text, &json!({}), expected);
    }
    fails("{{ 1 | number(200) }}", "a number has 20 digits after the point at most");
    for value in ["data.word", "'1e999999999'", "true", "[1]", "''"] {
        fails(&format!("{{{{ {value} | number }}}}"), "the value is not a number");
    }
}

#[test]
fn list_is_formatted_as_a_sentence() {
    let names = json!({ "names": ["Ann", "Ben", "Inés"] });
    for (locale, filter, expected) in [
        ("en", "list", "Ann, Ben, and Inés"),
        ("en-GB", "list", "Ann, Ben and Inés"),
        ("en", "list('or')", "Ann, Ben, or Inés"),
        ("de", "list", "Ann, Ben und Inés"),
        ("es", "list", "Ann, Ben e Inés"),
        ("es", "list('or')", "Ann, Ben o Inés"),
    ] {
        check(locale, &format!("{{{{ data.names | {filter} }}}}"), &names, expected);
    }
    check("en", "{{ [1, 'x'] | list }}", &json!({}), "1 and x");
    check("en", "{{ [] | list }}.", &json!({}), ".");
    fails("{{ ['a'] | list('nor') }}", "a list ends with \"and\" or \"or\"; write one of these words");
    fails("{{ 7 | list }}", "the value is not a list");
    fails(
        "{{ [[1]] | list }}",
        "the list holds more than words and numbers; pick one: | map(attribute=\"name\")",
    );
}

#[test]
fn region_refines_the_language_of_the_text() {
    let money = "{{ 1234.5 | money('CHF') }}";
    let files = [
        ("t/de/email.subject.txt", "…"),
        ("t/de/email.html", "…"),
        ("t/de/email.txt", money),
        ("t/en/email.txt", money),
    ];
    let read =
        |locale: &str| letter_to(&person(json!({ "locale": locale })), &files, &json!({})).unwrap().text;
    assert_eq!(read("de"), "1.234,50\u{a0}CHF");
    assert!(read("de-CH").contains("1’234.50") || read("de-CH").contains("1'234.50"), "{}", read("de-CH"));
    assert_eq!(read("fr-CH"), "CHF\u{a0}1,234.50");
}

#[test]
fn formatted_text_is_escaped_in_html_only() {
    let files = [
        ("t/en/email.html", "{{ data.names | list }} {{ 2 | plural(other='<i>#</i>') }}"),
        ("t/en/email.txt", "{{ data.names | list }}"),
    ];
    let letter = letter_to(&person(json!({})), &files, &json!({ "names": ["<b>", "B&B"] })).unwrap();
    assert_eq!(letter.html, "&lt;b&gt; and B&amp;B &lt;i&gt;2&lt;/i&gt;");
    assert_eq!(letter.text, "<b> and B&B");
}

#[test]
fn room_gets_english_and_utc() {
    let files = [("t/en/socket.txt", "{{ 0 | datetime }}")];
    assert_eq!(message(&[], &files, &json!({})).unwrap().body, "Jan 1, 1970, 12:00\u{202f}AM");
}

/// Checks the text of a reader of `locale`, in a template of that language.
#[track_caller]
fn check(locale: &str, text: &str, data: &Value, expected: &str) {
    let names = ["email.subject.txt", "email.html", "email.txt"].map(|part| format!("t/{locale}/{part}"));
    let files = names.each_ref().map(|each_ref| (each_ref.as_str(), text));
    let letter = letter_to(&person(json!({ "locale": locale })), &files, data);
    assert_eq!(letter.map(|letter| letter.text).as_deref(), Ok(expected), "{locale}: {text} of {data}");
}

#[track_caller]
fn fails(text: &str, problem: &str) {
    let letter = letter_to(&person(json!({})), &[("t/en/email.txt", text)], &json!({ "word": "secret" }));
    let failure = letter.err().map(|err| err.to_string());
    let expected = format!("template t/en/email.txt, line 1: {problem} in `{text}`");
    assert_eq!(failure, Some(expected));
}

#[test]
fn plural_follows_the_number_as_shown() {
    for n in [json!(1.0004), json!("1.0"), json!("001"), json!(0.9999)] {
        check("en", "{{ data.n | plural(one='# hour', other='# hours') }}", &json!({ "n": n }), "1 hour");
    }
    check("en", "{{ data.n | plural(one='# hour', other='# hours') }}", &json!({ "n": 1.5 }), "1.5 hours");
    check(
        "en",
        "{{ '00012' | number }} {{ '-0007.50' | number }} {{ '0000' | number }}",
        &json!({}),
        "12 -7.5 0",
    );
}

#[test]
fn ordinal_follows_the_language() {
    for (locale, n, expected) in [
        ("en", "1", "1st"),
        ("en", "2", "2nd"),
        ("en", "3", "3rd"),
        ("en", "11", "11th"),
        ("en", "1022", "1,022nd"),
        ("en-GB", "113", "113th"),
        ("de", "3", "3."),
        ("fr", "1", "1er"),
        ("fr", "2", "2e"),
        ("pt-BR", "1", "1º"),
        ("es", "7", "7.º"),
        ("sv", "1", "1:a"),
    ] {
        check(locale, &format!("{{{{ {n} | ordinal }}}}"), &json!({}), expected);
    }
    let own = "{{ 21 | ordinal(one='#-st', two='#-nd', few='#-rd', other='#-th') }}";
    check("en", own, &json!({}), "21-st");
    fails("{{ 1.5 | ordinal }}", "an ordinal number has no digits after the point");
    fails(
        "{{ 1 | ordinal(one='#st') }}",
        "`ordinal` needs other=\"…\": the form for every number without its own",
    );
}

#[test]
fn relative_time_counts_from_now() {
    // By default the distance is counted from the event's time.
    for (locale, filter, expected) in [
        ("en", "'2026-11-06T17:05:00Z' | relative(from='2026-11-03T17:05:00Z')", "in 3 days"),
        ("en", "'2026-11-04' | relative(from='2026-11-03')", "tomorrow"),
        ("en", "'2026-11-03T16:05:00Z' | relative(from='2026-11-03T17:05:00Z')", "1 hour ago"),
        ("de", "'2026-11-06' | relative(from='2026-11-03')", "in 3 Tagen"),
        ("de", "'2026-11-05' | relative(from='2026-11-03')", "übermorgen"),
        ("fr", "'2026-11-03T17:00:00Z' | relative(from='2026-11-03T17:05:00Z')", "il y a 5 minutes"),
        ("pt", "'2028-11-03' | relative(from='2026-11-03')", "em 2 anos"),
        ("pl", "'2027-04-03' | relative(from='2026-11-03')", "za 5 miesięcy"),
    ] {
        check(locale, &format!("{{{{ {filter} }}}}"), &json!({}), expected);
    }
    fails("{{ 0 | relative }}", "the event has no time to count from; write from=…");
    fails("{{ 0 | relative(from=data.none) }}", "the event has no such value");
    fails("{{ data.word | relative }}", "the value is not a time, such as 2026-11-03T17:05:00Z");
}

#[test]
fn date_pattern_uses_cldr_letters() {
    let at = json!({ "at": "2026-11-03T17:05:09Z" });
    for (locale, filter, expected) in [
        ("de", "date(pattern='dd.MM.')", "03.11."),
        ("de", "date(pattern='EEEE, d. MMMM y')", "Dienstag, 3. November 2026"),
        ("en", "date(pattern=\"d 'of' MMMM\")", "3 of November"),
        ("en", "datetime(pattern='yyyy-MM-dd HH:mm:ss')", "2026-11-03 17:05:09"),
        ("en", "time(pattern='h:mm a')", "5:05 PM"),
        ("en", "time(pattern='HH:mm', zone='Asia/Tokyo')", "02:05"),
        ("fr", "date(pattern='EEE d MMM')", "mar. 3 nov."),
        ("ja", "date(pattern='M月d日(E)')", "11月3日(火)"),
        ("ar-EG", "date(pattern='d/M/y')", "٣/١١/٢٠٢٦"),
    ] {
        check(locale, &format!("{{{{ data.at | {filter} }}}}"), &at, expected);
    }
    check("de", "{{ '2026-11-03' | date(pattern='d.M.yy') }}", &json!({}), "3.11.26");
    fails("{{ '2026-11-03' | date(pattern='d.M. HH:mm') }}", "the value is a date and has no time of day");
    fails(
        "{{ 0 | date('long', pattern='d') }}",
        "a length and a pattern exclude each other; write one of them",
    );
    let strftime = "a pattern has the letters of CLDR, not those of strftime; write one such as \"dd.MM.y\"";
    fails("{{ 0 | date(pattern='%d.%m.') }}", strftime);
}

#[test]
fn cldr_values_replace_those_of_icu4x() {
    let day = json!({ "day": "2026-11-28", "at": "2026-11-28T09:05:00Z" });
    for (locale, text, expected) in [
        ("pt-PT", "{{ data.day | date('full') }}", "sábado, 28 de novembro de 2026"),
        ("pt-AO", "{{ data.day | date('full') }}", "sábado, 28 de novembro de 2026"),
        ("pt-PT", "{{ data.at | datetime('full') }}", "sábado, 28 de novembro de 2026 às 09:05"),
        ("en-CA", "{{ data.day | date('short') }}", "2026-11-28"),
        ("en-CA", "{{ data.at | datetime('short') }}", "2026-11-28, 9:05\u{202f}a.m."),
        ("en-US", "{{ data.day | date('short') }}", "11/28/26"),
        ("da", "{{ data.day | date('full') }}", "lørdag den 28. november 2026"),
        ("de-AT", "{{ 1234.5 | money('EUR') }}", "€\u{a0}1.234,50"),
        ("de-AT", "{{ 1234567 | money('JPY') }}", "¥\u{a0}1.234.567"),
        ("de-AT", "{{ '123.5' | money('BHD') }}", "BHD\u{a0}123,500"),
        ("de-AT", "{{ 1234.5 | number }}", "1\u{a0}234,5"),
        ("fr-CH", "{{ 1234.5 | money('EUR') }}", "1'234.50\u{a0}€"),
        ("en-AU", "{{ 1234.5 | money('EUR') }}", "EUR\u{a0}1,234.50"),
        ("ar-EG", "{{ 0.5 | percent }}", "٥٠٪\u{61c}"),
        ("fa", "{{ 0.5 | percent }}", "۵۰٪"),
        ("en", "{{ 0.5 | percent }}", "50%"),
    ] {
        check(locale, text, &day, expected);
    }
}

#[test]
fn money_without_a_valid_currency_is_an_error() {
    for currency in ["EUX", "ABC", "ZZZ"] {
        let text = format!("{{{{ 1 | money('{currency}') }}}}");
        fails(&text, "the currency is no code of ISO 4217, such as EUR");
    }
}
