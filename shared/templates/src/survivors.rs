//! Partial digests: finds the events of a digest that a template can render.

use domain::delivery::job::Content;
use domain::limits::digest::Item;

use crate::failure::Unrendered;

/// The number of renderings per digest to find the events that fail. Halving finds ten of a thousand in 200.
const MAX_TRIES: usize = 256;

/// A rendered message, with the digest events that it leaves out.
pub struct Rendered {
    pub content: Content,
    /// Empty for an event on its own.
    pub left_out: Vec<LeftOut>,
}

/// A digest event that was left out because the template fails with it.
pub struct LeftOut {
    /// The event as stored in its digest window.
    pub item: Item,
    pub why: Unrendered,
}

/// Renders as many of the events as possible, oldest first, and lists those left out with their errors. `render`
/// has failed for all of them together. `None` if it fails for each of them, or if the search takes too many
/// renderings.
pub(crate) fn survivors(
    items: &[Item],
    render: impl Fn(&[Item]) -> Result<Content, Unrendered>,
) -> Option<Rendered> {
    if items.len() < 2 {
        return None;
    }
    let (older, newer) = items.split_at(items.len() / 2);
    let mut search = Search { render, kept: Vec::new(), rendered: None, left_out: Vec::new(), tries: 0 };
    search.add(older)?;
    search.add(newer)?;
    Some(Rendered { content: search.rendered?, left_out: search.left_out })
}

struct Search<R> {
    render: R,
    /// The events that render together so far, and their content.
    kept: Vec<Item>,
    rendered: Option<Content>,
    left_out: Vec<LeftOut>,
    tries: usize,
}

impl<R: Fn(&[Item]) -> Result<Content, Unrendered>> Search<R> {
    /// Keeps those of the events that render together with the ones already kept. `None` after too many renderings.
    fn add(&mut self, items: &[Item]) -> Option<()> {
        self.tries += 1;
        if self.tries > MAX_TRIES {
            return None;
        }
        let together: Vec<Item> = self.kept.iter().chain(items).cloned().collect();
        match ((self.render)(&together), items) {
            (Ok(content), _) => {
                self.kept = together;
                self.rendered = Some(content);
            }
            (Err(why), [item]) => self.left_out.push(LeftOut { item: item.clone(), why }),
            (Err(_), _) => {
                let (older, newer) = items.split_at(items.len() / 2);
                self.add(older)?;
                self.add(newer)?;
            }
        }
        Some(())
    }
}
