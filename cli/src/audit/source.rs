//! The source of seals: the bucket, or a folder with saved seals.

use std::path::{Path, PathBuf};

use domain::Timestamp;
use domain::audit::seal::{Finding, Kind, Sealed};
use futures_util::{StreamExt as _, TryStreamExt as _};
use jiff::SignedDuration;
use seals::{Failed, PublicKey, SealStore, UnreadableSeal, minute_named, name_of};

use crate::cloud::Cloud;
use crate::error::Error;

/// The number of concurrent reads.
const CONCURRENCY: usize = 16;

/// The longest time between two seals.
const HOUR: SignedDuration = SignedDuration::from_hours(1);

pub(super) enum Source {
    Bucket(Box<SealStore>),
    Folder { folder: PathBuf, environment: String },
}

/// Seals in the order of their names, and findings about unreadable ones.
#[derive(Default)]
pub(super) struct Found {
    pub(super) seals: Vec<Sealed>,
    pub(super) damaged: Vec<Finding>,
}

impl Source {
    pub(super) async fn of(folder: Option<&Path>, cloud: &Cloud) -> Result<Source, Error> {
        let environment = cloud.environment.clone();
        if let Some(folder) = folder {
            return Ok(Source::Folder { folder: folder.to_owned(), environment });
        }
        let bucket = seals::bucket(&cloud.config, &environment, runtime::now()).await?;
        Ok(Source::Bucket(Box::new(SealStore::new(&cloud.config, bucket, environment))))
    }

    /// The minutes with a seal, from the seals' names.
    pub(super) async fn minutes(
        &self,
        from: Option<Timestamp>,
        to: Timestamp,
    ) -> Result<Vec<Timestamp>, Error> {
        let from = from.unwrap_or(Timestamp::UNIX_EPOCH);
        let mut minutes = match self {
            Source::Bucket(bucket) => bucket.minutes(from, to, runtime::now()).await?,
            Source::Folder { folder, environment } => {
                let mut files = Vec::new();
                collect(folder, &mut files)?;
                let names = files.iter().filter_map(|file| file.strip_prefix(folder).ok()?.to_str());
                names.filter_map(|name| minute_named(environment, name)).collect()
            }
        };
        minutes.retain(|minute| (from..to).contains(minute));
        minutes.sort();
        Ok(minutes)
    }

    /// The last seal before `from`.
    pub(super) async fn before(&self, from: Timestamp) -> Result<Option<Sealed>, Error> {
        let earlier = from.saturating_sub(HOUR).unwrap_or(from);
        let last = self.minutes(Some(earlier), from).await?.into_iter().last();
        Ok(self.read(last.into_iter().collect()).await?.seals.into_iter().next())
    }

    pub(super) async fn read(&self, minutes: Vec<Timestamp>) -> Result<Found, Error> {
        let all: Vec<(Timestamp, Result<Sealed, UnreadableSeal>)> = futures_util::stream::iter(minutes)
            .map(async |minute| self.one(minute).await.map(|seal| seal.map(|seal| (minute, seal))))
            .buffered(CONCURRENCY)
            .try_filter_map(async |seal| Ok(seal))
            .try_collect()
            .await?;
        let mut found = Found::default();
        for (minute, seal) in all {
            match seal {
                Ok(seal) => found.seals.push(seal),
                Err(error) => {
                    let what = aws::chain(&error);
                    found.damaged.push(Finding { minute, kind: Kind::BadSeal, what });
                }
            }
        }
        Ok(found)
    }

    /// Reads one seal. `None` for a seal that was deleted after the listing; the chain reports that.
    async fn one(&self, minute: Timestamp) -> Result<Option<Result<Sealed, UnreadableSeal>>, Error> {
        match self {
            Source::Bucket(bucket) => match bucket.get(minute, runtime::now()).await {
                Ok(seal) => Ok(seal.map(Ok)),
                Err(Failed::UnreadableSeal(damaged)) => Ok(Some(Err(damaged))),
                Err(Failed::Refused(refused)) => Err(refused.into()),
            },
            Source::Folder { folder, environment } => {
                let name = name_of(environment, minute);
                let path = folder.join(&name);
                let text = std::fs::read(&path).map_err(|error| Error::read(&path, error))?;
                Ok(Some(serde_json::from_slice(&text).map_err(|source| UnreadableSeal { name, source })))
            }
        }
    }
}

/// Writes seals under their names in the bucket, with the public key.
pub(super) fn save(folder: &Path, environment: &str, seals: &[Sealed], key: &PublicKey) -> Result<(), Error> {
    let write = |path: PathBuf, text: String| {
        let done =
            path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        done.map_err(|error| Error::write(&path, error))
    };
    for seal in seals {
        let text = serde_json::to_string(seal).expect("a seal is texts and numbers");
        write(folder.join(name_of(environment, seal.statement.minute)), text)?;
    }
    write(folder.join("public-key.pem"), key.pem())
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |error| Error::read(folder, error);
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
