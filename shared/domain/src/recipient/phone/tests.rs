use super::*;
use proptest::prelude::*;

#[test]
fn spellings_of_a_number_are_normalized() {
    for text in [
        "+447700900124",
        "+44 7700 900124",
        " +44 7700-900124 ",
        "+44(0)7700900124",
        "+44 (0)7700 900124",
        "+44 (0) 7700 900124",
        "(+44) 7700 900124",
        "+44 07700 900124",
        "+44 (07700) 900124",
        "+44 [0] 7700 900124",
        "+44.7700.900124",
        "+44/7700/900124",
        "tel:+44-7700-900124",
        "TEL:+44-7700-900124;ext=5",
        "tel:+44-7700-900124;isub=12345",
        "sms:+447700900124",
        "whatsapp:+447700900124",
        "+44 7700 900124 ext. 5",
        "+44 7700 900124 x5",
        "+44 7700 900124, ext 5",
        "+44 7700 900124#5",
        "+44 7700 900124 доб. 5",
        "+44\u{2013}7700\u{2013}900124",
        "+44\u{2011}7700\u{2010}900124",
        "+44\u{2212}7700\u{2014}900124",
        "\u{ff0b}\u{ff14}\u{ff14} 7700 900124",
        "+\u{0664}\u{0664} 7700 900124",
        "+44\u{202f}7700\u{a0}900124",
        "\u{202a}+44 7700 900124\u{202c}",
        "\u{200e}+44 7700 900124\u{200e}",
        "\u{feff}+44\u{200b}7700 900124\r\n",
        "\u{ff08}+44\u{ff09}7700\u{3000}900124",
    ] {
        check(text, Ok("+447700900124"));
    }
}

#[test]
fn trunk_prefix_is_removed_and_own_zero_is_kept() {
    for (text, expected) in [
        ("+49 (0) 1701234567", "+491701234567"),
        ("+49 01701234567", "+491701234567"),
        ("+46 (0)70 174 06 12", "+46701740612"),
        ("+61 (0)4 1234 5678", "+61412345678"),
        ("+55 (0)11 98765-4321", "+5511987654321"),
        ("+39 06 1234 5678", "+390612345678"),
        ("+39 (0)6 1234 5678", "+390612345678"),
        ("+225 07 12 34 56 78", "+2250712345678"),
        ("+34 (0)912 345 678", "+34912345678"),
        ("+1 (1) 415 555 0107", "+14155550107"),
        ("+1 1 415 555 0107", "+14155550107"),
        ("+7 8 912 345-67-89", "+79123456789"),
        ("+7 (8) 912 345-67-89", "+79123456789"),
        ("+7 812 345-67-89", "+78123456789"),
        ("+36 (06) 30 123 4567", "+36301234567"),
        ("+375 8 029 123-45-67", "+375291234567"),
        ("+375 8 29 123-45-67", "+375291234567"),
        ("+375 801 123 4567", "+3758011234567"),
        ("+370 8 612 34567", "+37061234567"),
        ("+250 061 234 567", "+250061234567"),
        ("+241 06 03 12 34", "+24106031234"),
    ] {
        check(text, Ok(expected));
    }
}

#[test]
fn invalid_number_is_refused_with_the_reason() {
    for (text, expected) in [
        ("", NO_PLUS),
        ("020 7946 0000", NO_PLUS),
        ("0044 20 7946 0000", NO_PLUS),
        ("tel:020-7946-0000;phone-context=+44", NO_PLUS),
        ("call +44 20 7946 0000", NO_PLUS),
        ("+44 CALL ME", OTHER_CHARACTERS),
        ("+44 20 7946 000O", OTHER_CHARACTERS),
        ("+44 7700\n900124", OTHER_CHARACTERS),
        ("+44 \u{202e}7700 900124", OTHER_CHARACTERS),
        ("+44 20 7946 0000 or +44 20 7946 0001", OTHER_CHARACTERS),
        ("+44 20 7946 0000 / +44 20 7946 0001", TWO_NUMBERS),
        ("++44 20 7946 0000", TWO_NUMBERS),
        ("+0123456789", LENGTH),
        ("+123456", LENGTH),
        ("+1234567890123456", LENGTH),
        ("+", NO_COUNTRY),
        ("+999 1234567", NO_COUNTRY),
        ("+34 091 234 567", LEADING_ZERO),
        ("+44 00 7700 900124", LEADING_ZERO),
        ("+44 20 (0) 7946 0000", ZERO_INSIDE),
        ("+54 011 15 2345-6789", TOO_LONG),
    ] {
        check(text, Err(expected));
    }
}

#[test]
fn number_of_the_last_release_is_still_read() {
    let read = |text: &str| serde_json::from_value::<PhoneNumber>(text.into()).ok().map(String::from);
    assert_eq!(read("+4407700900123").as_deref(), Some("+447700900123"));
    assert_eq!(read("+9991234567").as_deref(), Some("+9991234567"));
    assert_eq!(read("07700900123"), None);
}

proptest! {
    #[test]
    fn accepted_number_is_a_plus_and_digits(text in "[+ ()0-9a-z;=.\u{ff0b}\u{ff10}-\u{ff19}\u{202a}-]{0,30}") {
        if let Ok(number) = PhoneNumber::parse(&text) {
            prop_assert!(number.expose()[1..].bytes().all(|digit| digit.is_ascii_digit()));
            prop_assert!(DIGITS.contains(&(number.expose().len() - 1)));
            prop_assert!(PhoneNumber::parse(number.expose()).ok() == Some(number));
        }
    }

    #[test]
    fn no_text_panics(text in "(?s).{0,60}") {
        let _ = PhoneNumber::parse(&text);
    }
}

#[track_caller]
fn check(text: &str, expected: Result<&str, NotAPhone>) {
    let found = PhoneNumber::parse(text);
    assert_eq!(found.as_ref().map(PhoneNumber::expose).map_err(|why| *why), expected, "{text:?}");
}
