//! Where changes come from.

use store::Item;

use super::stream::Stream;
use super::table::Table;
use crate::cloud::Cloud;
use crate::error::Error;

/// The changes of one table.
pub(super) enum Source {
    /// The table's stream: what AWS offers, and costs next to nothing.
    Stream(Box<Stream>),
    /// The table itself, read again and again: the local cloud's streams leave out what PartiQL writes.
    Table(Box<Table>),
}

impl Source {
    /// `all`: from the oldest that is known on, otherwise from now on.
    pub(super) async fn open(cloud: &Cloud, table: &str, all: bool) -> Result<Source, Error> {
        let name = cloud.name(table);
        match cloud.local {
            Some(_) => Ok(Source::Table(Box::new(Table::open(&cloud.config, &name, all).await?))),
            None => Ok(Source::Stream(Box::new(Stream::open(&cloud.config, &name, all).await?))),
        }
    }

    /// The items that were written since the last time, as they are now.
    pub(super) async fn read(&mut self) -> Result<Vec<Item>, Error> {
        match self {
            Source::Stream(stream) => stream.read().await,
            Source::Table(table) => table.read().await,
        }
    }
}
