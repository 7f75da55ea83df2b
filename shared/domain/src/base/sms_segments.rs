//! SMS segments: the alphabet of an SMS, and the number of messages into which it is split.

/// Characters of the GSM 7-bit default alphabet beyond ASCII.
///
/// Source: 3GPP TS 23.038, section 6.2.1, the default alphabet.
const BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";

/// ASCII characters of the default alphabet besides letters and digits.
const MARKS: &str = "\n\r @$_ !\"#%&'()*+,-./:;<=>?";

/// Characters that need an escape and therefore count twice.
///
/// Source: 3GPP TS 23.038, section 6.2.1.1, the extension of the default alphabet.
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// The alphabet of an SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alphabet {
    /// 7 bits per character: 160 characters in a single message, 153 in each part of several.
    Gsm7,
    /// 16 bits per unit: 70 units in a single message, 67 in each part of several.
    Ucs2,
}

/// The alphabet and size of an SMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    pub alphabet: Alphabet,
    /// Number of units of the alphabet.
    pub units: usize,
    /// Number of messages, each of which is billed. An empty text counts as one.
    pub segments: usize,
}

impl Alphabet {
    /// Number of units in a single message, and in each part of several.
    ///
    /// Source: 3GPP TS 23.040, section 9.2.3.24.1: 140 bytes, 6 of them for the header that joins the parts.
    fn room(self) -> (usize, usize) {
        match self {
            Alphabet::Gsm7 => (160, 153),
            Alphabet::Ucs2 => (70, 67),
        }
    }

    /// Number of units of a character. A character of two units is never split between messages.
    fn units(self, character: char) -> usize {
        match self {
            Alphabet::Gsm7 => gsm7_units(character).unwrap_or(2),
            Alphabet::Ucs2 => character.len_utf16(),
        }
    }
}

/// Measures a text. One character outside the GSM alphabet makes the whole text UCS-2.
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
    for character in text.chars() {
        let wide = alphabet.units(character);
        if filled + wide > joined {
            segments += 1;
            filled = 0;
        }
        filled += wide;
    }
    Measure { alphabet, units, segments }
}

/// Number of units in the GSM alphabet. `None` if the alphabet lacks the character.
fn gsm7_units(character: char) -> Option<usize> {
    if character.is_ascii_alphanumeric() || MARKS.contains(character) || BEYOND_ASCII.contains(character) {
        return Some(1);
    }
    EXTENSION.contains(character).then_some(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The table of 3GPP TS 23.038, section 6.2.1, row by row, without the escape at 0x1B.
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
    fn default_alphabet_has_127_single_unit_characters() {
        assert_eq!(DEFAULT_ALPHABET.chars().count(), 127);
        let once: Vec<char> = ('\0'..=char::MAX).filter(|c| gsm7_units(*c) == Some(1)).collect();
        let mut expected: Vec<char> = DEFAULT_ALPHABET.chars().collect();
        expected.sort_unstable();
        assert_eq!(once, expected);
    }

    #[test]
    fn extension_has_ten_characters() {
        let twice: String = ('\0'..=char::MAX).filter(|c| gsm7_units(*c) == Some(2)).collect();
        assert_eq!(twice, "\u{c}[\\]^{|}~€");
    }

    #[test]
    fn text_is_split_by_its_alphabets_limits() {
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
    fn character_of_two_units_is_not_split() {
        // 153 units hold 76 such characters and leave one unit free. 306 units would fit into two messages, but need
        // three.
        check(&"€".repeat(153), Alphabet::Gsm7, 306, 3);
        // 67 units hold 33 pairs.
        check(&"🔔".repeat(35), Alphabet::Ucs2, 70, 1);
        check(&"🔔".repeat(66), Alphabet::Ucs2, 132, 2);
        check(&"🔔".repeat(67), Alphabet::Ucs2, 134, 3);
    }

    proptest! {
        #[test]
        fn number_of_segments_is_minimal(
            text in "[a-z€\\[жé🔔]{0,900}"
        ) {
            let found = measure(&text);
            let (alone, joined) = found.alphabet.room();
            if found.segments == 1 {
                prop_assert!(found.units <= alone);
            } else {
                prop_assert!(found.units > alone);
                prop_assert!(found.segments >= found.units.div_ceil(joined));
                // Each message except the last has at most one unused unit.
                prop_assert!(found.segments <= found.units.div_ceil(joined - 1));
            }
        }

        #[test]
        fn longer_text_never_has_fewer_segments(text in "[a-z€ж🔔]{0,400}", more in "[a-z€ж🔔]{0,20}") {
            let longer = format!("{text}{more}");
            prop_assert!(measure(&longer).segments >= measure(&text).segments);
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            prop_assert!(measure(&text).segments >= 1);
        }
    }

    #[track_caller]
    fn check(text: &str, alphabet: Alphabet, units: usize, segments: usize) {
        assert_eq!(measure(text), Measure { alphabet, units, segments });
    }
}
