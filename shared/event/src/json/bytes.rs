//! Scans eight bytes at a time in one register. This is the fastest way without vector instructions and without
//! `unsafe`.
//!
//! Source: Hacker's Delight, 2nd edition, section 6-1 (finding a zero byte).

/// The value 1 in each byte.
const ONES: u64 = u64::from_le_bytes([1; 8]);
/// The top bit of each byte.
const TOPS: u64 = ONES << 7;
const QUOTES: u64 = u64::from_le_bytes([b'"'; 8]);
const BACKSLASHES: u64 = u64::from_le_bytes([b'\\'; 8]);
const DELETES: u64 = u64::from_le_bytes([0x7f; 8]);

/// The position of the first quotation mark, backslash or control character, from `start` on.
#[inline]
pub(super) fn end_of_run(bytes: &[u8], mut start: usize) -> Option<usize> {
    while let Some(chunk) = bytes.get(start..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let found = zeros(word ^ QUOTES) | zeros(word ^ BACKSLASHES) | below(word, 0x20);
        if found != 0 {
            // False positives occur only in bytes after the first match.
            return Some(start + found.trailing_zeros() as usize / 8);
        }
        start += 8;
    }
    let rest = bytes.get(start..)?;
    rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20)).map(|index| start + index)
}

/// Whether all characters are visible ASCII characters or spaces.
#[inline]
pub fn is_printable_ascii(text: &str) -> bool {
    let (chunks, rest) = text.as_bytes().as_chunks::<8>();
    let bad = chunks.iter().fold(0, |bad, chunk| {
        let word = u64::from_le_bytes(*chunk);
        bad | (word & TOPS) | below(word, 0x20) | zeros(word ^ DELETES)
    });
    bad == 0 && rest.iter().all(|byte| matches!(byte, 0x20..0x7f))
}

/// The top bit of each zero byte. Bytes above a zero byte may be marked by mistake.
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & TOPS
}

/// The top bit of each byte below `limit`, which is at most 0x80. Mistakes are possible as in [`zeros`].
const fn below(word: u64, limit: u8) -> u64 {
    word.wrapping_sub(ONES * limit as u64) & !word & TOPS
}
