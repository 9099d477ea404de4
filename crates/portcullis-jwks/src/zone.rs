//! [`Zone`]: the network of a host: this machine, a private network, or the Internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The network of a host, as far as its name or address shows. Ordered: later zones may be requested by documents from earlier ones.
///
/// A URL in a document must not lead closer to this process than the document's own place. Otherwise an issuer could make this process
/// send requests to services on its machine or in its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Zone {
    /// This machine itself.
    Machine,
    /// An address that is not in the public Internet.
    Private,
    /// A name that only a private network's DNS knows. Its documents may lead to the Internet and to other such names, but not to private addresses.
    PrivateName,
    Internet,
}

impl Zone {
    /// Returns the zone of a name. Only names of this machine and of private networks are known. DNS decides where any other name leads,
    /// but the server there then needs a certificate for that name.
    pub(crate) fn of_name(name: &str) -> Self {
        let name = name.trim_end_matches('.').to_ascii_lowercase();
        // RFC 6761 section 6.3, and names that Linux distributions write into /etc/hosts.
        let is_own = OWN_NAMES.contains(&name.as_str())
            || [".localhost", ".localdomain", ".localdomain4", ".localdomain6"].iter().any(|end| name.ends_with(end));
        let is_private = || !name.contains('.') || PRIVATE_ENDS.iter().any(|end| name.ends_with(end));
        match is_own {
            true => Self::Machine,
            false if is_private() => Self::PrivateName,
            false => Self::Internet,
        }
    }

    pub(crate) fn of_address(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::of_v4(address),
            IpAddr::V6(address) => Self::of_v6(address),
        }
    }

    /// Classifies by the registry of special addresses (RFC 6890 and the IANA list after it).
    fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [0 | 127, ..] => Self::Machine, // "this host", loopback
            // RFC 1918
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..]
            // RFC 6598 and link-local, where clouds keep their metadata; protocol assignments, relays of 6to4, benchmarks
            | [100, 64..=127, ..] | [169, 254, ..] | [192, 0, 0 | 2, _] | [192, 88, 99, _] | [198, 18 | 19, ..]
            // documentation, as 192.0.2 above
            | [198, 51, 100, _] | [203, 0, 113, _] => Self::Private,
            // multicast, reserved, broadcast
            _ if address >= Ipv4Addr::new(224, 0, 0, 0) => Self::Private,
            _ => Self::Internet,
        }
    }

    /// Only `2000::/3` is assigned for the Internet (RFC 4291 section 2.4), and parts of it have other uses.
    fn of_v6(address: Ipv6Addr) -> Self {
        let last_four = |[.., a, b, c, d]: [u8; 16]| Ipv4Addr::new(a, b, c, d);
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0 | 1] => Self::Machine,
            // An IPv4 address in another form: mapped, compatible (RFC 4291 section 2.5.5), translated by NAT64 (RFC 6052).
            [0, 0, 0, 0, 0, 0 | 0xffff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
                Self::of_v4(last_four(address.octets()))
            }
            // Protocol assignments with Teredo, documentation (twice), 6to4.
            [0x2001, 0..=0x1ff | 0x0db8, ..] | [0x2002, ..] | [0x3fff, 0..=0x0fff, ..] => Self::Private,
            [0x2000..=0x3fff, ..] => Self::Internet,
            _ => Self::Private,
        }
    }
}

/// Suffixes of names that are not in the Internet's DNS: of Kubernetes (`.svc`, and `.svc.cluster.local`), by ICANN's resolution on
/// `.internal`, and by RFC 6762 and RFC 8375. The machine's search list completes names with one label.
const PRIVATE_ENDS: [&str; 4] = [".svc", ".internal", ".local", ".home.arpa"];

const OWN_NAMES: [&str; 11] = [
    "localhost",
    "localdomain",
    "localhost4",
    "localhost6",
    "broadcasthost",
    "ip6-localhost",
    "ip6-loopback",
    "ip6-localnet",
    "ip6-mcastprefix",
    "ip6-allnodes",
    "ip6-allrouters",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(address: &str) -> Zone {
        Zone::of_address(address.parse().unwrap())
    }

    #[test]
    fn addresses_of_this_machine_are_its_own() {
        for address in ["0.0.0.0", "0.1.2.3", "127.0.0.1", "127.9.9.9", "::", "::1", "::ffff:127.0.0.1", "::7f00:1"] {
            assert_eq!(zone(address), Zone::Machine, "{address}");
        }
    }

    #[test]
    fn special_addresses_of_networks_are_private() {
        for address in [
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:a00:1::",
            "2002:808:808::1",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "feff::1",
            "ff02::1",
        ] {
            assert_eq!(zone(address), Zone::Private, "{address}");
        }
    }

    #[test]
    fn their_neighbours_are() {
        for address in [
            "1.0.0.1",
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.1",
            "100.63.255.255",
            "100.128.0.1",
            "126.1.1.1",
            "128.0.0.1",
            "169.253.1.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "192.88.98.1",
            "192.167.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.255",
            "::ffff:1.1.1.1",
            "64:ff9b::1.1.1.1",
            "2001:200::1",
            "2001:db7::1",
            "2003::1",
            "2606:4700::1111",
            "3ffe::1",
        ] {
            assert_eq!(zone(address), Zone::Internet, "{address}");
        }
    }

    #[test]
    fn this_machine_has_several_names() {
        for name in ["localhost", "LocalHost", "localhost.", "a.localhost", "localhost.localdomain", "ip6-localhost"] {
            assert_eq!(Zone::of_name(name), Zone::Machine, "{name}");
        }
        for name in ["localhost.example.com", "ip6-localhost.example.com", "a.test"] {
            assert_eq!(Zone::of_name(name), Zone::Internet, "{name}");
        }
    }

    #[test]
    fn private_networks_have_names_of_their_own() {
        for name in [
            "keycloak",
            "notlocalhost",
            "kubernetes.default.svc",
            "Kubernetes.Default.SVC.",
            "kubernetes.default.svc.cluster.local",
            "metadata.google.internal",
            "printer.local",
            "nas.home.arpa",
        ] {
            assert_eq!(Zone::of_name(name), Zone::PrivateName, "{name}");
        }
        for name in ["svc.example.com", "local.test", "a.notlocal", "a.arpa", "internal.a.test", "a.svc.test"] {
            assert_eq!(Zone::of_name(name), Zone::Internet, "{name}");
        }
    }
}
