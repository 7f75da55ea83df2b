//! Requests of clients. Parsing is strict, and malformed requests are refused with an error.

use domain::event::key::Key;
use domain::inbox::{InboxFilter, InboxQuery, Marking, is_category, keys};
use serde::Deserialize;

use super::Request;

/// The largest and the default page size.
const MAX_LIMIT: usize = 100;
const LIMIT: usize = 20;

/// A request for a page of an inbox.
#[derive(Debug, PartialEq, Eq)]
pub struct Listing {
    pub(crate) filter: InboxQuery,
    pub(crate) before: Option<u64>,
    pub(crate) limit: usize,
}

impl Request {
    /// The distinct notification ids in a request. `None` if the list is missing, empty or too long, or
    /// contains a malformed id.
    pub(crate) fn ids(&self) -> Option<Vec<Key>> {
        #[derive(Deserialize)]
        struct Notice {
            ids: Vec<String>,
        }
        keys(&self.read::<Notice>()?.ids)
    }

    /// The requested page. `None` if the request is malformed.
    pub(crate) fn listing(&self) -> Option<Listing> {
        #[derive(Deserialize)]
        struct Asked {
            /// `shelf` is the name of release 0.1.0.
            #[serde(default, alias = "shelf")]
            filter: InboxFilter,
            category: Option<String>,
            before: Option<u64>,
            limit: Option<usize>,
        }
        let Asked { filter, category, before, limit } = self.read()?;
        let limit = limit.unwrap_or(LIMIT);
        let fits = (1..=MAX_LIMIT).contains(&limit) && is_category(category.as_deref());
        fits.then_some(Listing { filter: InboxQuery { filter, category }, before, limit })
    }

    /// The requested mark. `None` if the request is malformed, or has both ids and `all`.
    pub(crate) fn marking(&self) -> Option<Marking> {
        Marking::read(self.body.as_ref()?.expose())
    }

    /// The last notification that the client received. `None` if the request names none.
    pub(crate) fn after(&self) -> Option<Key> {
        #[derive(Deserialize)]
        struct Asked {
            after: String,
        }
        Key::parse(&self.read::<Asked>()?.after)
    }

    fn read<T: for<'de> Deserialize<'de>>(&self) -> Option<T> {
        serde_json::from_str(self.body.as_ref()?.expose()).ok()
    }
}
