//! Key prefixes that restrict which S3 objects a tenant's e-mails may attach.
//!
//! Producers name files in events, and tenants can publish events themselves. So the bucket alone does not tell which
//! tenant owns an object. The key does. [`Prefixes::check`] compares the key with the tenant of the job.

use std::collections::{BTreeMap, BTreeSet};

use crate::delivery::job::Attachment;

/// The placeholder for the tenant in a configured prefix.
const TENANT: &str = "{tenant}";

/// The tenant prefix in every bucket without a configured prefix.
pub const DEFAULT_PREFIX: &str = "tenants/{tenant}/";

/// How often a key is percent-decoded to find a hidden `..`. No proxy decodes more often.
const DECODINGS: usize = 4;

/// The allowed prefixes by bucket. By default each tenant has [`DEFAULT_PREFIX`], and events without a tenant have
/// none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Prefixes {
    /// By bucket: the parts before and after the tenant placeholder.
    own: BTreeMap<String, Vec<(String, String)>>,
    /// By bucket: the prefixes for events without a tenant.
    without_tenant: BTreeMap<String, BTreeSet<String>>,
    /// By bucket: the prefixes for every event.
    shared: BTreeMap<String, BTreeSet<String>>,
}

/// An invalid configured prefix. It prevents the function from starting, because a wrong prefix would expose files.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{entry:?} is no prefix of a bucket: {why}")]
pub struct InvalidPrefix {
    pub entry: String,
    pub why: &'static str,
}

/// The reason why a job may not attach a file. The error quotes no key, because keys may hold names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ForbiddenAttachment {
    #[error("its key is ambiguous: it has an empty part, a part of dots, a backslash or a control character")]
    Key,
    #[error("the tenant's name cannot be part of a key")]
    Tenant,
    #[error("its key does not lie below a prefix that the event's tenant may use")]
    OtherPrefix,
    #[error("the event has no tenant, and the key does not lie below a prefix listed for such events")]
    NoTenant,
}

impl Prefixes {
    /// Reads two comma-separated lists of `<bucket>=<prefix>`.
    ///
    /// An entry of `own` with `{tenant}` replaces the default prefix of its bucket for events of that tenant. An entry
    /// of `own` without `{tenant}` applies only to events without a tenant. Entries of `shared` apply to every event.
    ///
    /// # Errors
    /// [`InvalidPrefix`] if an entry has no bucket, does not end in `/`, or is ambiguous.
    pub fn read(own: &str, shared: &str) -> Result<Prefixes, InvalidPrefix> {
        let mut prefixes = Prefixes::default();
        for (bucket, prefix) in entries(own)? {
            match prefix.split_once(TENANT) {
                Some((before, after)) => {
                    let parts = (before.to_owned(), after.to_owned());
                    prefixes.own.entry(bucket).or_default().push(parts);
                }
                None => drop(prefixes.without_tenant.entry(bucket).or_default().insert(prefix)),
            }
        }
        for (bucket, prefix) in entries(shared)? {
            if prefix.contains(TENANT) {
                let why = "a prefix with {tenant} is one tenant's; list it with the tenants' own prefixes";
                return Err(InvalidPrefix { entry: format!("{bucket}={prefix}"), why });
            }
            prefixes.shared.entry(bucket).or_default().insert(prefix);
        }
        Ok(prefixes)
    }

    /// Checks that a job for an event of `tenant` may attach this file.
    ///
    /// # Errors
    /// [`ForbiddenAttachment`] with the reason for the refusal.
    pub fn check(&self, file: &Attachment, tenant: Option<&str>) -> Result<(), ForbiddenAttachment> {
        if !is_plain_path(&file.key) {
            return Err(ForbiddenAttachment::Key);
        }
        let lies_in = |of: &BTreeMap<String, BTreeSet<String>>| {
            of.get(&file.bucket).is_some_and(|all| all.iter().any(|prefix| is_below(&file.key, prefix)))
        };
        if lies_in(&self.shared) {
            return Ok(());
        }
        let Some(tenant) = tenant else {
            return if lies_in(&self.without_tenant) { Ok(()) } else { Err(ForbiddenAttachment::NoTenant) };
        };
        if !is_plain(tenant, is_part) {
            return Err(ForbiddenAttachment::Tenant);
        }
        let is_own = match self.own.get(&file.bucket) {
            Some(all) => {
                all.iter().any(|(before, after)| is_below(&file.key, &format!("{before}{tenant}{after}")))
            }
            None => is_below(&file.key, &DEFAULT_PREFIX.replace(TENANT, tenant)),
        };
        if is_own { Ok(()) } else { Err(ForbiddenAttachment::OtherPrefix) }
    }
}

/// Whether a key lies below a prefix. The prefix ends in a slash.
fn is_below(key: &str, prefix: &str) -> bool {
    key.strip_prefix(prefix).is_some_and(|rest| !rest.is_empty())
}

fn entries(list: &str) -> Result<Vec<(String, String)>, InvalidPrefix> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).map(entry).collect()
}

fn entry(text: &str) -> Result<(String, String), InvalidPrefix> {
    let bad = |why| InvalidPrefix { entry: text.to_owned(), why };
    let (bucket, prefix) = text.split_once('=').ok_or_else(|| bad("wanted <bucket>=<prefix>"))?;
    // A bucket may be given by its ARN, as in the parameter AttachmentBuckets.
    let bucket = bucket.trim().rsplit(':').next().unwrap_or_default();
    if !super::is_bucket(bucket) {
        return Err(bad("the bucket name is invalid"));
    }
    let path = prefix.strip_suffix('/').ok_or_else(|| bad("a prefix ends in /"))?;
    if !is_plain_path(path) {
        return Err(bad(
            "a prefix begins with no /, and has no empty part, no part of dots and no control character",
        ));
    }
    let tenants = path.split('/').filter(|part| part.contains('{') || part.contains('}'));
    match tenants.collect::<Vec<_>>()[..] {
        [] | [TENANT] => Ok((bucket.to_owned(), prefix.to_owned())),
        _ => Err(bad("{tenant} is a whole part of a prefix, once")),
    }
}

/// Whether a path is unambiguous, even after decoding or normalization by a proxy.
fn is_plain_path(path: &str) -> bool {
    is_plain(path, |text| text.split('/').all(is_part))
}

/// Whether the text is a valid path segment.
fn is_part(text: &str) -> bool {
    !text.is_empty()
        && text != "."
        && text != ".."
        && !text.chars().any(|c| c.is_control() || c == '\\' || c == '/')
}

/// Whether a check holds for a text and for each of its percent-decoded forms.
fn is_plain(text: &str, check: impl Fn(&str) -> bool) -> bool {
    let mut text = text.to_owned();
    for _ in 0..DECODINGS {
        if !check(&text) {
            return false;
        }
        let decoded = decoded(&text);
        if decoded == text {
            return true;
        }
        text = decoded;
    }
    false
}

/// Decodes each `%XX` of an ASCII character once.
fn decoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let code = after.get(..2).filter(|code| code.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(u8::is_ascii) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &after[2..];
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_files_below_the_own_prefix_are_allowed() {
        for (tenant, key, expected) in [
            (Some("a"), "tenants/a/2026/R 7+ü.pdf", Ok(())),
            (Some("a"), "tenants/a/100%.pdf", Ok(())),
            (Some("a"), "tenants/b/1.pdf", Err(ForbiddenAttachment::OtherPrefix)),
            (Some("a"), "tenants/ab/1.pdf", Err(ForbiddenAttachment::OtherPrefix)),
            (Some("a"), "tenants/A/1.pdf", Err(ForbiddenAttachment::OtherPrefix)),
            (Some("a"), "tenants/a", Err(ForbiddenAttachment::OtherPrefix)),
            (Some("a"), "x/tenants/a/1.pdf", Err(ForbiddenAttachment::OtherPrefix)),
            (Some("a"), "tenants/a/", Err(ForbiddenAttachment::Key)),
            (Some("a"), "/tenants/a/1.pdf", Err(ForbiddenAttachment::Key)),
            (Some("a"), "tenants/a/../b/1.pdf", Err(ForbiddenAttachment::Key)),
            (Some("a"), "tenants/a/./1.pdf", Err(ForbiddenAttachment::Key)),
            (Some("a"), "tenants/a//1.pdf", Err(ForbiddenAttachment::Key)),
            (Some("a"), "tenants/a/..\\b/1.pdf", Err(ForbiddenAttachment::Key)),
            (Some("a"), "tenants/a/%2e%2e/b/1.pdf", Err(ForbiddenAttachment::Key)),
            (Some("a"), "tenants/a/%252e%252e%252Fb/1.pdf", Err(ForbiddenAttachment::Key)),
            (Some("a"), "tenants/a/..%2fb/1.pdf", Err(ForbiddenAttachment::Key)),
            (Some("a"), "tenants/a/%00", Err(ForbiddenAttachment::Key)),
            (Some("a"), "tenants/a/\r\n", Err(ForbiddenAttachment::Key)),
            (Some("a/../b"), "tenants/a/../b/1.pdf", Err(ForbiddenAttachment::Key)),
            (Some("a/b"), "tenants/a/b/1.pdf", Err(ForbiddenAttachment::Tenant)),
            (Some(".."), "tenants/a/1.pdf", Err(ForbiddenAttachment::Tenant)),
            (Some("a%2Fb"), "tenants/a%2Fb/1.pdf", Err(ForbiddenAttachment::Tenant)),
            (Some(""), "tenants/a/1.pdf", Err(ForbiddenAttachment::Tenant)),
            (None, "tenants/a/1.pdf", Err(ForbiddenAttachment::NoTenant)),
        ] {
            assert_eq!(Prefixes::default().check(&file("bills", key), tenant), expected, "{tenant:?} {key}");
        }
    }

    #[test]
    fn configured_prefix_replaces_the_default_of_its_bucket_only() {
        let prefixes =
            Prefixes::read("arn:aws:s3:::bills=by/{tenant}/pdf/, bills=system/", "reports=public/").unwrap();
        for (bucket, key, tenant, is_allowed) in [
            ("bills", "by/a/pdf/1", Some("a"), true),
            ("bills", "by/a/1", Some("a"), false),
            ("bills", "tenants/a/1", Some("a"), false),
            ("reports", "tenants/a/1", Some("a"), true),
            ("bills", "system/1", None, true),
            ("bills", "system/1", Some("a"), false),
            ("bills", "by/a/pdf/1", None, false),
            ("reports", "public/1", Some("a"), true),
            ("reports", "public/1", None, true),
            ("bills", "public/1", Some("a"), false),
        ] {
            let found = prefixes.check(&file(bucket, key), tenant).is_ok();
            assert_eq!(found, is_allowed, "{bucket} {key} {tenant:?}");
        }
    }

    #[test]
    fn unsafe_prefix_is_refused() {
        for (own, shared) in [
            ("bills", ""),
            ("=x/", ""),
            ("bills=", ""),
            ("bills=/", ""),
            ("bills=x", ""),
            ("bills=/x/", ""),
            ("bills=x/../", ""),
            ("bills=x-{tenant}/", ""),
            ("bills={tenant}/{tenant}/", ""),
            ("bills={user}/", ""),
            ("BILLS=x/", ""),
            ("", "bills=x"),
            ("", "bills=x/{tenant}/"),
        ] {
            assert!(Prefixes::read(own, shared).is_err(), "{own} {shared}");
        }
        assert_eq!(Prefixes::read("", " , "), Ok(Prefixes::default()));
    }

    proptest! {
        #[test]
        fn no_key_and_no_tenant_reach_another_tenants_file(
            tenant in "[a-c./%2efFE]{0,6}", key in "(tenants/)?[a-c./%2efFE\\\\]{0,12}",
        ) {
            if Prefixes::default().check(&file("bills", &key), Some(&tenant)).is_ok() {
                let own = format!("tenants/{tenant}/");
                prop_assert!(key.starts_with(&own));
                prop_assert!(!tenant.contains('/') && !key.contains("/../") && !key.contains("//"));
            }
        }
    }

    fn file(bucket: &str, key: &str) -> Attachment {
        let text = |part: &str| part.to_owned();
        Attachment { bucket: text(bucket), key: text(key), name: "f".into(), kind: None, inline: None }
    }
}
