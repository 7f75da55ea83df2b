//! Eight bytes at a time, in one register: as quick as it gets without a vector unit and without `unsafe`.
//!
//! Source: Hacker's Delight, 2nd edition, section 6-1 (finding a zero byte).

/// A one in each byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The top bit of each byte.
const TOPS: u64 = ONES << 7;
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
const DELETES: u64 = u64::from_le_bytes([0x7f; 8]);

/// Where the first quotation mark, backslash or control character stands, from `at` on.
#[inline]
pub(super) fn end_of_run(bytes: &[u8], mut at: usize) -> Option<usize> {
    while let Some(chunk) = bytes.get(at..).and_then(|byte| byte.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let found = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES) | below(word, 0x20);
        if found != 0 {
            // Only bytes behind the first one can be there by mistake.
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += 8;
    }
    let rest = bytes.get(at..)?;
    rest.iter().position(|it| matches!(it, b'"' | b'\\' | 0..0x20)).map(|position| at + position)
}

/// Whether every character is a visible one of ASCII, or a space.
#[inline]
pub(crate) fn is_printable_ascii(text: &str) -> bool {
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    let bad = chunks.iter().fold(0, |bad, chunk| {
        let word = u64::from_le_bytes(*chunk);
        bad | (word & TOPS) | below(word, 0x20) | zeros(word ^ DELETES)
    });
    bad == 0 && rest.iter().all(|it| matches!(it, 0x20..0x7f))
}

/// The top bit of each byte that is zero, and perhaps of bytes above one that is.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & TOPS
}

/// The same for bytes below `limit`, which is at most 0x80.
const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & TOPS
}
