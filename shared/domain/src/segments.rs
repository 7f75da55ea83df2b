//! How a text to a phone is counted: in which alphabet it travels, and into how many messages it is cut.

/// GSM's own letters, 7 bits each, but for those that stand in every alphabet: letters, digits and most marks of ASCII.
///
/// Source: 3GPP TS 23.038, section 6.2.1, the default alphabet.
const BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// What of ASCII is in the default alphabet beside letters and digits.
const MARKS: &str = "\n\r @$_ !\"#%&'()*+,-./:;<=>?";

/// Letters that an escape must precede: they count twice.
///
/// Source: 3GPP TS 23.038, section 6.2.1.1, the extension of the default alphabet.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// The alphabet that a text travels in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// 7 bits a letter: 160 to a message, 153 where a text has several.
    Gsm7,
    /// 16 bits a letter: 70 to a message, 67 where a text has several.
    Ucs2,
}

/// How a text travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    pub alphabet: Alphabet,
    /// Letters as the alphabet counts them.
    pub units: usize,
    /// Messages; each is paid for. An empty text is one.
    pub segments: usize,
}

impl Alphabet {
    /// How many units are in a text that is one message, and in each part of one that is several.
    ///
    /// Source: 3GPP TS 23.040, section 9.2.3.24.1: 140 bytes, 6 of them for the header that joins the parts.
    fn room(self) -> (usize, usize) {
        match self {
            Alphabet::Gsm7 => (160, 153),
            Alphabet::Ucs2 => (70, 67),
        }
    }

    /// How many units a letter takes. A letter of two is never divided between two messages.
    fn units(self, letter: char) -> usize {
        match self {
            Alphabet::Gsm7 => gsm7_units(letter).unwrap_or(2),
            Alphabet::Ucs2 => letter.len_utf16(),
        }
    }
}

/// Counts a text. One letter outside GSM's alphabet makes all of it UCS-2.
#[must_use]
pub fn measure(text: &str) -> Measure {
    let is_gsm = text.chars().all(|c| gsm7_units(c).is_some());
    let alphabet = if is_gsm { Alphabet::Gsm7 } else { Alphabet::Ucs2 };
    let (alone, joined) = alphabet.room();
    let units = text.chars().map(|c| alphabet.units(c)).sum();
    if units <= alone {
        return Measure { alphabet, units, segments: 1 };
    }
    let mut segments = 1;
    let mut filled = 0;
    for letter in text.chars() {
        let wide = alphabet.units(letter);
        if filled + wide > joined {
            segments += 1;
            filled = 0;
        }
        filled += wide;
    }
    Measure { alphabet, units, segments }
}

/// `None`: the letter is not in the alphabet.
fn gsm7_units(letter: char) -> Option<usize> {
    if letter.is_ascii_alphanumeric() || MARKS.contains(letter) || BEYOND_ASCII.contains(letter) {
        return Some(1);
    }
    EXTENSION.contains(letter).then_some(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// 3GPP TS 23.038, section 6.2.1, row by row; the escape at 0x1B stands for itself in no text.
    const DEFAULT_ALPHABET: &str = concat!(
        "@£$¥èéùìòÇ\nØø\rÅå",
        "Δ_ΦΓΛΩΠΨΣΘΞÆæßÉ",
        " !\"#¤%&'()*+,-./",
        "0123456789:;<=>?",
        "¡ABCDEFGHIJKLMNO",
        "PQRSTUVWXYZÄÖÑÜ§",
        "¿abcdefghijklmno",
        "pqrstuvwxyzäöñüà",
    );

    #[test]
    fn the_default_alphabet_has_127_letters_and_no_others_count_once() {
        assert_eq!(DEFAULT_ALPHABET.chars().count(), 127);
        let once: Vec<char> = ('\0'..=char::MAX).filter(|it| gsm7_units(*it) == Some(1)).collect();
        let mut expected: Vec<char> = DEFAULT_ALPHABET.chars().collect();
        expected.sort_unstable();
        assert_eq!(once, expected);
    }

    #[test]
    fn ten_letters_count_twice() {
        let twice: String = ('\0'..=char::MAX).filter(|it| gsm7_units(*it) == Some(2)).collect();
        assert_eq!(twice, "\u{c}[\\]^{|}~€");
    }

    #[test]
    fn a_text_is_cut_where_its_alphabet_says() {
        use Alphabet::{Gsm7, Ucs2};
        check("", Gsm7, 0, 1);
        check(&"a".repeat(160), Gsm7, 160, 1);
        check(&"a".repeat(161), Gsm7, 161, 2);
        check(&"a".repeat(306), Gsm7, 306, 2);
        check(&"a".repeat(307), Gsm7, 307, 3);
        check(&"€".repeat(80), Gsm7, 160, 1);
        check(&"ж".repeat(70), Ucs2, 70, 1);
        check(&"ж".repeat(71), Ucs2, 71, 2);
        check(&"ж".repeat(134), Ucs2, 134, 2);
        check(&"ж".repeat(135), Ucs2, 135, 3);
        check(&format!("{}ç", "a".repeat(70)), Ucs2, 71, 2);
    }

    #[test]
    fn a_letter_of_two_units_is_not_divided() {
        // 153 units hold 76 of them and leave one free: 306 units would fit two messages, and need three.
        check(&"€".repeat(153), Alphabet::Gsm7, 306, 3);
        // 67 units hold 33 pairs.
        check(&"🔔".repeat(35), Alphabet::Ucs2, 70, 1);
        check(&"🔔".repeat(66), Alphabet::Ucs2, 132, 2);
        check(&"🔔".repeat(67), Alphabet::Ucs2, 134, 3);
    }

    proptest! {
        #[test]
        fn there_are_as_many_messages_as_the_text_needs_and_no_more_than_undivided_letters_ask_for(
            text in "[a-z€\\[жé🔔]{0,900}"
        ) {
            let found = measure(&text);
            let (alone, joined) = found.alphabet.room();
            if found.segments == 1 {
                prop_assert!(found.units <= alone);
            } else {
                prop_assert!(found.units > alone);
                prop_assert!(found.segments >= found.units.div_ceil(joined));
                // Each message but the last lacks one unit at most.
                prop_assert!(found.segments <= found.units.div_ceil(joined - 1));
            }
        }

        #[test]
        fn a_longer_text_never_needs_fewer_messages(text in "[a-z€ж🔔]{0,400}", more in "[a-z€ж🔔]{0,20}") {
            let longer = format!("{text}{more}");
            prop_assert!(measure(&longer).segments >= measure(&text).segments);
        }

        #[test]
        fn any_text_can_be_counted(text in any::<String>()) {
            prop_assert!(measure(&text).segments >= 1);
        }
    }

    #[track_caller]
    fn check(text: &str, alphabet: Alphabet, units: usize, segments: usize) {
        assert_eq!(measure(text), Measure { alphabet, units, segments });
    }
}
