//! The calling codes of all countries, and the trunk prefixes of their national numbers.
//!
//! Source: ITU-T E.164, list of assigned country codes; national prefixes of ITU Operational Bulletin 994 and of
//! libphonenumber 9.0.43. `tests/interop/phones.py` compares every code with libphonenumber.

/// The trunk prefix, which precedes national numbers and is not part of international ones.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Trunk {
    /// The first of these prefixes that matches.
    Prefix(&'static [Prefix]),
    /// No prefix, and no number begins with 0.
    None,
    /// No prefix, and numbers may begin with a 0 of their own.
    Kept,
}

/// The leading digits of a national number, the length that the number must exceed, and the number of digits to
/// remove.
pub(super) type Prefix = (&'static str, usize, usize);

const ZERO: Trunk = Trunk::Prefix(&[("0", 0, 1)]);

/// Countries with the trunk prefix 0, whose numbers never begin with 0.
const WITH_ZERO: [u16; 101] = [
    20, 27, 31, 32, 33, 40, 41, 43, 44, 46, 49, 51, 53, 54, 55, 57, 58, 60, 61, 62, 63, 64, 66, 81, 82, 84,
    86, 90, 91, 92, 93, 94, 95, 98, 211, 212, 213, 218, 231, 232, 233, 234, 243, 249, 251, 252, 254, 255,
    256, 260, 261, 262, 263, 264, 265, 291, 353, 355, 358, 359, 373, 374, 377, 380, 381, 382, 383, 385, 386,
    387, 389, 421, 423, 508, 590, 591, 593, 594, 595, 596, 598, 686, 850, 855, 856, 880, 886, 961, 962, 963,
    964, 966, 967, 970, 971, 972, 976, 977, 994, 995, 996,
];

/// Countries and services without a trunk prefix and without numbers that begin with 0.
const WITHOUT: [u16; 92] = [
    30, 34, 45, 48, 52, 56, 65, 216, 220, 221, 222, 223, 224, 228, 230, 235, 236, 237, 238, 239, 240, 244,
    245, 246, 248, 253, 257, 258, 266, 267, 268, 269, 290, 297, 298, 299, 350, 351, 352, 354, 356, 357, 371,
    372, 376, 420, 500, 501, 502, 503, 504, 505, 506, 507, 509, 592, 597, 599, 670, 672, 673, 674, 675, 676,
    677, 678, 679, 680, 681, 682, 683, 685, 687, 688, 689, 690, 691, 808, 852, 853, 870, 878, 882, 883, 960,
    965, 968, 973, 974, 975, 979, 998,
];

/// Countries and services whose numbers may begin with 0: Italy, Ivory Coast, Benin and others.
const WITH_OWN_ZERO: [u16; 13] = [39, 47, 225, 226, 227, 229, 242, 247, 378, 800, 881, 888, 992];

/// Countries with other prefixes. 241 and 250 have the prefix 0 and also numbers that begin with 0. In Belarus (375)
/// toll-free numbers begin with 80 themselves.
const OTHERS: [(u16, &[Prefix]); 9] = [
    (1, &[("1", 10, 1)]),
    (7, &[("8", 10, 1)]),
    (36, &[("06", 0, 2)]),
    (241, &[("0", 8, 1)]),
    (250, &[("0", 9, 1)]),
    (370, &[("0", 8, 1), ("8", 8, 1)]),
    (375, &[("80", 10, 2), ("80", 0, 0), ("8", 9, 1), ("0", 9, 1)]),
    (692, &[("1", 7, 1)]),
    (993, &[("8", 8, 1)]),
];

/// Codes of `OTHERS` whose numbers may begin with a 0 of their own.
const WITH_BOTH: [u16; 2] = [241, 250];

/// The maximum number of digits of a national number, for countries that write a mobile prefix or a carrier code
/// inside numbers. Longer numbers cannot be dialled from abroad.
const MOST: [(u16, usize); 3] = [(54, 11), (55, 11), (57, 11)];

/// The numbering plan of a country.
pub(super) struct Numbering {
    /// The number of digits of the calling code.
    pub(super) code: usize,
    pub(super) trunk: Trunk,
    /// Whether numbers may begin with a 0 of their own.
    pub(super) keeps_zero: bool,
    /// The maximum number of digits after the calling code, where the country's rules limit it.
    pub(super) most: Option<usize>,
}

/// The numbering plan of the country whose calling code is a prefix of `digits`. `None` if no country has the code.
pub(super) fn numbering_of(digits: &str) -> Option<Numbering> {
    (1..=3).find_map(|length| {
        let code: u16 = digits.get(..length)?.parse().ok()?;
        let trunk = trunk_of(code)?;
        let most = MOST.iter().find(|(of, _)| *of == code).map(|(_, most)| *most);
        Some(Numbering {
            code: length,
            trunk,
            keeps_zero: trunk == Trunk::Kept || WITH_BOTH.contains(&code),
            most,
        })
    })
}

fn trunk_of(code: u16) -> Option<Trunk> {
    if WITH_ZERO.binary_search(&code).is_ok() {
        return Some(ZERO);
    }
    if WITHOUT.binary_search(&code).is_ok() {
        return Some(Trunk::None);
    }
    if WITH_OWN_ZERO.binary_search(&code).is_ok() {
        return Some(Trunk::Kept);
    }
    OTHERS.iter().find(|(of, _)| *of == code).map(|(_, prefixes)| Trunk::Prefix(prefixes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calling_codes_are_unique_and_prefix_free() {
        let others = OTHERS.map(|(code, _)| code);
        let lists: [&[u16]; 4] = [&WITH_ZERO, &WITHOUT, &WITH_OWN_ZERO, &others];
        let codes: Vec<String> = lists.concat().iter().map(u16::to_string).collect();
        assert_eq!(codes.len(), 215);
        for code in &codes {
            assert_eq!(codes.iter().filter(|other| other.starts_with(code.as_str())).count(), 1, "{code}");
        }
        for list in lists {
            assert!(list.is_sorted(), "a binary search needs an order");
        }
    }
}
