//! The source of changes.

use store::Item;

use super::stream::Stream;
use super::table::Table;
use crate::cloud::Cloud;
use crate::error::Error;

/// The changes of one table.
pub(super) enum Source {
    /// The table's stream, on AWS.
    Stream(Box<Stream>),
    /// Repeated scans, on the local cloud, whose streams lack PartiQL writes.
    Table(Box<Table>),
}

impl Source {
    /// Opens the source of a table. With `all` it begins with the oldest entry, otherwise now.
    pub(super) async fn open(cloud: &Cloud, table: &str, all: bool) -> Result<Source, Error> {
        let name = cloud.name(table);
        match cloud.local {
            Some(_) => Ok(Source::Table(Box::new(Table::open(&cloud.config, &name, all).await?))),
            None => Ok(Source::Stream(Box::new(Stream::open(&cloud.config, &name, all).await?))),
        }
    }

    /// The items that changed since the last call.
    pub(super) async fn read(&mut self) -> Result<Vec<Item>, Error> {
        match self {
            Source::Stream(stream) => stream.read().await,
            Source::Table(table) => table.read().await,
        }
    }
}
