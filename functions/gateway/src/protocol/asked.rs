//! What clients ask, read strictly: whatever is not understood is told to them, and nothing is guessed.

use domain::inbox::{Filter, Marking, Shelf, is_category, keys};
use domain::key::Key;
use serde::Deserialize;

use super::Request;

/// Entries of one page: as many as there may be, and as many as come unasked.
const MAX_LIMIT: usize = 100;
const LIMIT: usize = 20;

/// A part of an inbox.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    pub(crate) filter: Filter,
    pub(crate) before: Option<u64>,
    pub(crate) limit: usize,
}

impl Request {
    /// The notifications a client names, each once; `None` when its message has no such list, or one that is empty or
    /// too long, or an id that can be none.
    pub(crate) fn ids(&self) -> Option<Vec<Key>> {
        #[derive(Deserialize)]
        struct Notice {
            ids: Vec<String>,
        }
        keys(&self.read::<Notice>()?.ids)
    }

    /// Which entries a client wants to see. `None` when it cannot be told.
    pub(crate) fn listing(&self) -> Option<Listing> {
        #[derive(Deserialize)]
        struct Asked {
            #[serde(default)]
            shelf: Shelf,
            category: Option<String>,
            before: Option<u64>,
            limit: Option<usize>,
        }
        let Asked { shelf, category, before, limit } = self.read()?;
        let limit = limit.unwrap_or(LIMIT);
        let fits = (1..=MAX_LIMIT).contains(&limit) && is_category(category.as_deref());
        fits.then_some(Listing { filter: Filter { shelf, category }, before, limit })
    }

    /// What a client marks. `None` when it cannot be told, or names some and wants all.
    pub(crate) fn marking(&self) -> Option<Marking> {
        Marking::read(self.body.as_deref()?)
    }

    /// The last notification that a client got. `None` when it names none.
    pub(crate) fn after(&self) -> Option<Key> {
        #[derive(Deserialize)]
        struct Asked {
            after: String,
        }
        Key::parse(&self.read::<Asked>()?.after)
    }

    fn read<T: for<'de> Deserialize<'de>>(&self) -> Option<T> {
        serde_json::from_str(self.body.as_deref()?).ok()
    }
}
