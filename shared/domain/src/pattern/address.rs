//! IP addresses, and the blocks of the `cidr` operator.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A block of addresses, such as `10.0.0.0/24`. Host bits in its address are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Block {
    address: IpAddr,
    bits: u8,
}

impl Block {
    /// Reads `address/bits`, with 0 to 31 bits for IPv4 and 0 to 127 for IPv6. `None` for any other text.
    ///
    /// Source: aws/event-ruler 2.0.1, `CIDR`, which refuses blocks of one address (/32, /128).
    pub(super) fn new(source: &str) -> Option<Block> {
        let (address, bits) = source.split_once('/')?;
        let address = address_in(address)?;
        let bits: u8 = bits.parse().ok()?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        (bits < width).then_some(Block { address, bits })
    }

    pub(super) fn contains(&self, value: &str) -> bool {
        match (self.address, address_in(value)) {
            (IpAddr::V4(network), Some(IpAddr::V4(v4))) => {
                same_head(u32::from(network).into(), u32::from(v4).into(), 32 - u32::from(self.bits))
            }
            (IpAddr::V6(network), Some(IpAddr::V6(v6))) => {
                same_head(network.into(), v6.into(), 128 - u32::from(self.bits))
            }
            (IpAddr::V4(_), Some(IpAddr::V6(_)) | None) | (IpAddr::V6(_), Some(IpAddr::V4(_)) | None) => {
                false
            }
        }
    }
}

/// The address in a text: four decimal numbers with optional leading zeros, or hexadecimal groups. An IPv4 address in
/// IPv6 notation (`::ffff:a00:1`) is the IPv4 address.
///
/// Source: aws/event-ruler 2.0.1, `CIDR` and `Constants`; `java.net.InetAddress`.
pub(super) fn address_in(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        let hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b':');
        let address: Ipv6Addr = text.parse().ok().filter(|_| hexadecimal)?;
        return Some(address.to_ipv4_mapped().map_or(IpAddr::V6(address), IpAddr::V4));
    }
    let mut octets = [0_u8; 4];
    let mut parts = text.split('.');
    for octet in &mut octets {
        let part = parts.next().filter(|part| part.bytes().all(|digit| digit.is_ascii_digit()))?;
        *octet = part.parse().ok()?;
    }
    parts.next().is_none().then_some(IpAddr::V4(Ipv4Addr::from(octets)))
}

/// Whether two addresses agree in all bits except the last `free` ones.
fn same_head(left: u128, right: u128, free: u32) -> bool {
    // A shift by all 128 bits leaves no bits to compare.
    (left ^ right).checked_shr(free).unwrap_or(0) == 0
}
