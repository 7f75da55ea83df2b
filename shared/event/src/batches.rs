//! Splits entries into calls of a service that limits both the number of entries and their bytes.

/// The content of one call.
#[derive(Debug, PartialEq, Eq)]
pub enum Batch<'a, T> {
    /// The entries of one call.
    Fits(&'a [T]),
    /// An entry that exceeds the size limit of a call, and its size in bytes.
    TooLarge(usize),
}

/// Splits entries into calls of at most `most` entries and `most_bytes` bytes, in their order.
pub fn split<T>(
    entries: &[T],
    most: usize,
    most_bytes: usize,
    size: impl Fn(&T) -> usize,
) -> Vec<Batch<'_, T>> {
    let mut batches = Vec::new();
    let mut rest = entries;
    while let Some(first) = rest.first() {
        if size(first) > most_bytes {
            batches.push(Batch::TooLarge(size(first)));
            rest = &rest[1..];
            continue;
        }
        let mut bytes = 0;
        let fitting = rest.iter().take(most).take_while(|entry| {
            bytes += size(entry);
            bytes <= most_bytes
        });
        let (batch, others) = rest.split_at(fitting.count());
        batches.push(Batch::Fits(batch));
        rest = others;
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_respects_both_limits_and_keeps_the_order() {
        check(&[1; 23], &[Some(10), Some(10), Some(3)]);
        check(&[99, 1, 1], &[Some(2), Some(1)]);
        check(&[100, 100], &[Some(1), Some(1)]);
        check(&[1, 101, 1], &[Some(1), None, Some(1)]);
        check(&[], &[]);
    }

    /// `expected`: the number of entries in each call with limits of 10 entries and 100 bytes. `None` is an entry that
    /// is too large.
    #[track_caller]
    fn check(sizes: &[usize], expected: &[Option<usize>]) {
        let calls: Vec<Option<usize>> = split(sizes, 10, 100, |size| *size)
            .into_iter()
            .map(|call| match call {
                Batch::Fits(some) => Some(some.len()),
                Batch::TooLarge(_) => None,
            })
            .collect();
        assert_eq!(calls, expected);
    }
}
