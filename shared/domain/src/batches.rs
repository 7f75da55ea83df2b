//! How many things fit one call of a service that limits both their number and their bytes.

/// What goes into one call.
#[derive(Debug, PartialEq, Eq)]
pub enum Batch<'a, T> {
    Fits(&'a [T]),
    /// One thing that no call can carry, and its size in bytes.
    TooLarge(usize),
}

/// Splits things into calls of at most `most` things and `most_bytes` bytes, in their order.
pub fn split<T>(
    things: &[T],
    most: usize,
    most_bytes: usize,
    size: impl Fn(&T) -> usize,
) -> Vec<Batch<'_, T>> {
    let mut batches = Vec::new();
    let mut rest = things;
    while let Some(first) = rest.first() {
        if size(first) > most_bytes {
            batches.push(Batch::TooLarge(size(first)));
            rest = &rest[1..];
            continue;
        }
        let mut bytes = 0;
        let fitting = rest.iter().take(most).take_while(|it| {
            bytes += size(it);
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
    fn a_call_carries_so_many_things_and_so_many_bytes_and_keeps_their_order() {
        check(&[1; 23], &[Some(10), Some(10), Some(3)]);
        check(&[99, 1, 1], &[Some(2), Some(1)]);
        check(&[100, 100], &[Some(1), Some(1)]);
        check(&[1, 101, 1], &[Some(1), None, Some(1)]);
        check(&[], &[]);
    }

    /// `expected`: how many of ten things and a hundred bytes each call carries, `None` for one that is too large.
    #[track_caller]
    fn check(sizes: &[usize], expected: &[Option<usize>]) {
        let calls: Vec<Option<usize>> = split(sizes, 10, 100, |it| *it)
            .into_iter()
            .map(|it| match it {
                Batch::Fits(some) => Some(some.len()),
                Batch::TooLarge(_) => None,
            })
            .collect();
        assert_eq!(calls, expected);
    }
}
