//! URL and address checks of webhooks: the guard against server-side request forgery (SSRF).
//!
//! A URL is checked when it is saved and again at each send, followed by every address that its name resolves to. The
//! client must connect only to the checked addresses, and must check the peer address again after connecting.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The longest URL, in bytes.
pub const MAX_URL_BYTES: usize = 2_048;

/// An allowed URL, in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub is_https: bool,
    /// The `Host` header, with the port unless it is the default port.
    pub authority: String,
    pub host: HostName,
    pub port: u16,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// The operator allowed this origin, so its addresses are not checked.
    is_allowed: bool,
}

/// The host of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostName {
    /// A name to resolve without search suffixes.
    Name(String),
    Address(IpAddr),
}

/// The reason why a URL is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Blocked {
    #[error("the text is not a URL")]
    NoUrl,
    #[error("the URL is too long")]
    TooLong,
    #[error("the scheme is not https")]
    Scheme,
    #[error("the URL holds a user name or a password")]
    UserInfo,
    #[error("the port is not 443")]
    Port,
    #[error("the host has no public name")]
    Host,
    #[error("blocked target")]
    Address,
    #[error("no address")]
    NoAddress,
}

impl Blocked {
    /// The found value for a refusal. It never quotes the URL, which may hold a secret.
    #[must_use]
    pub fn found(self) -> &'static str {
        match self {
            Blocked::NoUrl => "a text that is not a URL",
            Blocked::TooLong => "a URL that is too long",
            Blocked::Scheme => "a scheme that is not allowed",
            Blocked::UserInfo => "a user name or a password in it",
            Blocked::Port => "a port that is not allowed",
            Blocked::Host => "a host without a public name",
            Blocked::Address => "a blocked target",
            Blocked::NoAddress => "a name without an address",
        }
    }

    #[must_use]
    pub fn wanted(self) -> &'static str {
        match self {
            Blocked::NoUrl => "a URL such as https://example.com/hooks",
            Blocked::TooLong => "at most 2048 bytes",
            Blocked::Scheme => "https, or an origin that the parameter WebhookAllow names",
            Blocked::UserInfo => "none: requests are signed instead",
            Blocked::Port => "port 443, or an origin that the parameter WebhookAllow names",
            Blocked::Host => "a name with a dot in it, such as example.com",
            Blocked::Address | Blocked::NoAddress => "a host that the public internet reaches",
        }
    }
}

/// The origins that the operator allows with any scheme, port and address. Usually empty on AWS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow(Vec<String>);

impl Allow {
    /// Parses a comma-separated list of origins: `http://127.0.0.1:4100,https://hooks.internal:8443`.
    ///
    /// # Errors
    /// The entry that is not an origin.
    pub fn parse(list: &str) -> Result<Allow, String> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty());
        let origins = entries.map(|entry| origin_of(entry).ok_or_else(|| entry.to_owned()));
        origins.collect::<Result<Vec<String>, String>>().map(Allow)
    }

    /// Whether the list contains the origin of the URL.
    #[must_use]
    pub fn names(&self, url: &str) -> bool {
        origin_of(url).is_some_and(|origin| self.0.contains(&origin))
    }
}

/// The normalized origin of an `http` or `https` URL.
pub(super) fn origin_of(url: &str) -> Option<String> {
    let url = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    Some(url.origin().ascii_serialization())
}

/// The normalized origin of a loopback URL: `http` or `https` at a loopback address or `localhost`, without a path.
/// `None` for any other text.
#[must_use]
pub fn loopback_origin(text: &str) -> Option<String> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let is_here = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let has_user = !url.username().is_empty() || url.password().is_some();
    (is_here && is_bare && !has_user).then(|| url.origin().ascii_serialization())
}

impl Target {
    /// Checks a URL, including the address in it if it has one. [`Target::judge`] checks the addresses of a name.
    ///
    /// # Errors
    /// [`Blocked`] with the violated rule.
    pub fn read(text: &str, allow: &Allow) -> Result<Target, Blocked> {
        if text.len() > MAX_URL_BYTES {
            return Err(Blocked::TooLong);
        }
        // The parser normalizes decimal, octal and hexadecimal IPv4 addresses, so no spelling hides an address.
        let url = Url::parse(text).map_err(|_| Blocked::NoUrl)?;
        let is_https = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(Blocked::Scheme),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Blocked::UserInfo);
        }
        let is_allowed = allow.0.contains(&url.origin().ascii_serialization());
        let host = match url.host() {
            Some(Host::Domain(domain)) => HostName::Name(domain.trim_end_matches('.').to_owned()),
            Some(Host::Ipv4(ipv4)) => HostName::Address(ipv4.into()),
            Some(Host::Ipv6(ipv6)) => HostName::Address(ipv6.into()),
            None => return Err(Blocked::NoUrl),
        };
        let port = url.port_or_known_default().ok_or(Blocked::Port)?;
        if !is_allowed {
            if !is_https {
                return Err(Blocked::Scheme);
            }
            if port != 443 {
                return Err(Blocked::Port);
            }
            match &host {
                HostName::Name(name) if !is_public_name(name) => return Err(Blocked::Host),
                HostName::Address(address) if is_forbidden(*address) => return Err(Blocked::Address),
                HostName::Name(_) | HostName::Address(_) => {}
            }
        }
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        Ok(Target {
            is_https,
            authority: url.authority().to_owned(),
            host,
            port,
            path: format!("{}{query}", url.path()),
            is_allowed,
        })
    }

    /// Checks the addresses of the name. One forbidden address blocks the target.
    ///
    /// # Errors
    /// [`Blocked::NoAddress`] and [`Blocked::Address`].
    pub fn judge(&self, addresses: &[IpAddr]) -> Result<(), Blocked> {
        if addresses.is_empty() {
            return Err(Blocked::NoAddress);
        }
        match !self.is_allowed && addresses.iter().any(|address| is_forbidden(*address)) {
            true => Err(Blocked::Address),
            false => Ok(()),
        }
    }
}

/// Whether the name can be public. A name without a dot belongs to a private network.
fn is_public_name(name: &str) -> bool {
    let private = [".localhost", ".local", ".internal", ".localdomain", ".home.arpa"];
    name.contains('.') && !private.iter().any(|suffix| name.ends_with(suffix))
}

/// Whether webhooks must not be sent to this address.
///
/// Source: IANA special-purpose address registries.
#[must_use]
pub fn is_forbidden(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_forbidden_v4(v4),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(ipv4_mapped) => is_forbidden_v4(ipv4_mapped),
            None => is_forbidden_v6(v6),
        },
    }
}

/// Forbidden IPv4 networks: address and prefix length.
const V4: [([u8; 4], u32); 15] = [
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

const V6: [([u16; 8], u32); 12] = [
    ([0, 0, 0, 0, 0, 0, 0, 0], 8),
    ([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 32),
    ([0x100, 0, 0, 0, 0, 0, 0, 0], 64),
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32),
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20),
    ([0x5f00, 0, 0, 0, 0, 0, 0, 0], 16),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8),
];

fn is_forbidden_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    V4.iter().any(|(network, length)| (bits ^ u32::from_be_bytes(*network)) >> (32 - length) == 0)
}

fn is_forbidden_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    if [a, b, c, d, e, f] == [0x64, 0xff9b, 0, 0, 0, 0] {
        // A NAT64 address leads to the IPv4 address in its last 32 bits.
        return is_forbidden_v4(Ipv4Addr::from_bits(u32::from(g) << 16 | u32::from(h)));
    }
    let bits = address.to_bits();
    V6.iter().any(|(network, length)| (bits ^ Ipv6Addr::from(*network).to_bits()) >> (128 - length) == 0)
}

#[cfg(test)]
mod tests;
