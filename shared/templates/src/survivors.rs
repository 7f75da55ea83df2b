//! Which events of a digest a template can tell, when it cannot tell all of them.

use domain::digest::Item;
use domain::job::Content;

use crate::failure::Unrendered;

/// How often one digest is rendered to find the events that it cannot tell. Halving finds ten of a thousand with 200.
const MAX_TRIES: usize = 256;

/// What is said, and which events of a digest it does not tell.
pub struct Told {
    pub content: Content,
    /// Empty for an event on its own.
    pub left_out: Vec<LeftOut>,
}

/// An event that a digest leaves out, because the template gives no text with it.
pub struct LeftOut {
    /// The event, as its window keeps it.
    pub item: Item,
    pub why: Unrendered,
}

/// Tells as many of the events as `render` gives text for, oldest first, and says which are left out and why. `render` has
/// failed for all of them together. `None` when it fails for each of them, and when there are too many to find out.
pub(crate) fn survivors(
    items: &[Item],
    render: impl Fn(&[Item]) -> Result<Content, Unrendered>,
) -> Option<Told> {
    if items.len() < 2 {
        return None;
    }
    let (older, newer) = items.split_at(items.len() / 2);
    let mut search = Search { render, kept: Vec::new(), told: None, left_out: Vec::new(), tries: 0 };
    search.add(older)?;
    search.add(newer)?;
    Some(Told { content: search.told?, left_out: search.left_out })
}

struct Search<R> {
    render: R,
    /// What can be told together so far, and how it is told.
    kept: Vec<Item>,
    told: Option<Content>,
    left_out: Vec<LeftOut>,
    tries: usize,
}

impl<R: Fn(&[Item]) -> Result<Content, Unrendered>> Search<R> {
    /// Keeps those of the events that can be told together with what is kept already. `None` after too many tries.
    fn add(&mut self, items: &[Item]) -> Option<()> {
        self.tries += 1;
        if self.tries > MAX_TRIES {
            return None;
        }
        let together: Vec<Item> = self.kept.iter().chain(items).cloned().collect();
        match ((self.render)(&together), items) {
            (Ok(content), _) => {
                self.kept = together;
                self.told = Some(content);
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
