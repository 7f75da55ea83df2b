use proptest::prelude::*;

use super::*;

#[test]
fn public_https_url_is_allowed() {
    for url in [
        "https://example.com/hooks",
        "https://example.com:443/",
        "https://hooks.example.com./x?a=b#c",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/hook",
        "https://[64:ff9b::5db8:d822]/",
        "https://[::ffff:93.184.216.34]/",
        "https://müller.example/",
    ] {
        check(url, Ok(()));
    }
}

#[test]
fn loopback_is_refused_in_every_spelling() {
    for url in [
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://127.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:0:7f00:1]/",
        "https://[::5efe:7f00:1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[64:ff9b:1::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001:0:7f00:1::]/",
        "https://①②⑦.0.0.1/",
    ] {
        check(url, Err(Blocked::Address));
    }
}

#[test]
fn every_private_network_is_refused() {
    for address in [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.127.255.255",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.8",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.1.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        check(&format!("https://{address}/"), Err(Blocked::Address));
    }
    for address in [
        "9.255.255.255",
        "11.0.0.0",
        "100.63.255.255",
        "100.128.0.0",
        "172.15.0.1",
        "172.32.0.1",
        "198.20.0.0",
        "223.255.255.255",
    ] {
        check(&format!("https://{address}/"), Ok(()));
    }
    for address in [
        "100::1",
        "2001:1ff::1",
        "2001:db8::1",
        "2002::1",
        "3fff::1",
        "3fff:fff::1",
        "5f00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "64:ff9b::a9fe:a9fe",
    ] {
        check(&format!("https://[{address}]/"), Err(Blocked::Address));
    }
    for address in ["2001:200::1", "3fff:1000::1", "2606:4700::1111", "64:ff9b::808:808"] {
        check(&format!("https://[{address}]/"), Ok(()));
    }
}

#[test]
fn user_info_and_other_schemes_and_ports_are_refused() {
    check("http://example.com/", Err(Blocked::Scheme));
    check("ftp://example.com/", Err(Blocked::Scheme));
    check("file:///etc/passwd", Err(Blocked::Scheme));
    check("https://ann:secret@example.com/", Err(Blocked::UserInfo));
    check("https://ann@example.com/", Err(Blocked::UserInfo));
    check("https://example.com:8443/", Err(Blocked::Port));
    check("https://example.com:9001/2018-06-01/runtime/invocation/next", Err(Blocked::Port));
    check("https://localhost/", Err(Blocked::Host));
    check("https://metadata.google.internal/", Err(Blocked::Host));
    check("https://printer.local./", Err(Blocked::Host));
    check("example.com/hooks", Err(Blocked::NoUrl));
    check("https://", Err(Blocked::NoUrl));
    check("", Err(Blocked::NoUrl));
    check(&format!("https://example.com/{}", "a".repeat(MAX_URL_BYTES)), Err(Blocked::TooLong));
}

#[test]
fn only_the_allowed_origin_is_exempt() {
    let allow = Allow::parse("http://127.0.0.1:4100, https://hooks.internal:8443").unwrap();
    let read = |url: &str| Target::read(url, &allow);
    assert!(read("http://127.0.0.1:4100/hooks/a").is_ok());
    assert!(read("https://hooks.internal:8443/").unwrap().judge(&["10.0.0.1".parse().unwrap()]).is_ok());
    for url in
        ["http://127.0.0.1:4101/", "https://127.0.0.1:4100/", "http://127.0.0.1/", "https://hooks.internal/"]
    {
        assert!(read(url).is_err(), "{url}");
    }
    assert!(read("http://ann@127.0.0.1:4100/").is_err(), "user info is refused even there");
    assert_eq!(Allow::parse("localhost:1").unwrap_err(), "localhost:1");
    assert_eq!(Allow::parse(" , ").unwrap(), Allow::default());
}

#[test]
fn one_forbidden_address_blocks_the_name() {
    let target = Target::read("https://example.com/", &Allow::default()).unwrap();
    let judge = |addresses: &[&str]| {
        target.judge(&addresses.iter().map(|address| address.parse().unwrap()).collect::<Vec<IpAddr>>())
    };
    assert_eq!(judge(&["93.184.216.34"]), Ok(()));
    assert_eq!(judge(&["93.184.216.34", "127.0.0.1"]), Err(Blocked::Address));
    assert_eq!(judge(&["2606:4700::1111", "::1"]), Err(Blocked::Address));
    assert_eq!(judge(&[]), Err(Blocked::NoAddress));
}

#[test]
fn request_parts_equal_the_written_url() {
    let target = Target::read("https://Example.com:443/a/../b?x=1#part", &Allow::default()).unwrap();
    assert_eq!(
        (target.authority.as_str(), target.port, target.path.as_str()),
        ("example.com", 443, "/b?x=1")
    );
    assert_eq!(target.host, HostName::Name("example.com".into()));
    let literal = Target::read("https://[2606:4700::1111]/", &Allow::default()).unwrap();
    assert_eq!(literal.host, HostName::Address("2606:4700::1111".parse().unwrap()));
}

proptest! {
    #[test]
    fn ipv4_address_in_ipv6_is_forbidden(bits in any::<u32>()) {
        let plain = Ipv4Addr::from_bits(bits);
        let forbidden = is_forbidden(plain.into());
        let low = u128::from(bits);
        let mapped = Ipv6Addr::from_bits(0xffff_0000_0000 | low);
        let nat64 = Ipv6Addr::from_bits(0x0064_ff9b_u128 << 96 | low);
        prop_assert_eq!(is_forbidden(mapped.into()), forbidden);
        prop_assert_eq!(is_forbidden(nat64.into()), forbidden);
        // Other ranges that embed IPv4 addresses are forbidden entirely.
        for other in [low, 0xffff_0000_0000_0000 | low, 0x5efe_0000_0000 | low, 0x2002_u128 << 112 | low << 80] {
            prop_assert!(is_forbidden(Ipv6Addr::from_bits(other).into()));
        }
    }

    #[test]
    fn forbidden_literal_is_refused_in_every_spelling(bits in any::<u32>()) {
        let plain = Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = plain.octets();
        let spellings = [
            format!("https://{plain}/"),
            format!("https://{bits}/"),
            format!("https://0x{bits:x}/"),
            format!("https://0{a:o}.{b}.0x{c:x}.{d}/"),
            format!("https://{a}.{}/", bits & 0xff_ffff),
            format!("https://[::ffff:{plain}]/"),
            format!("https://[64:ff9b::{plain}]/"),
        ];
        for url in spellings {
            let read = Target::read(&url, &Allow::default());
            prop_assert_eq!(read.is_err(), is_forbidden(plain.into()), "{}", url);
        }
    }

    #[test]
    fn no_text_panics(text in "(https?://)?.{0,60}") {
        let _ = Target::read(&text, &Allow::default());
    }
}

#[track_caller]
fn check(url: &str, expected: Result<(), Blocked>) {
    assert_eq!(Target::read(url, &Allow::default()).map(drop), expected, "{url}");
}
