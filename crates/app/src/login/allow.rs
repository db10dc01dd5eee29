//! The list of networks from which an account may call.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::IpAddr;

/// Bits of the prefix `::ffff:0:0/96`, in which IPv6 sockets show IPv4 callers.
const MAPPED_PREFIX_BITS: u8 = 96;

/// A list of networks; `None` inside is everywhere.
pub(super) struct AllowList(Option<Vec<IpNet>>);

impl AllowList {
    /// Reads an account's list. An entry that cannot be read allows nothing: a slip must not open
    /// the account to everybody.
    pub(super) fn read(entries: &[String]) -> Self {
        if entries.is_empty() {
            return Self(None);
        }
        Self(Some(
            entries.iter().filter_map(|entry| network(entry)).collect(),
        ))
    }

    /// Whether the list allows this address, which is in canonical form.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.0
            .as_ref()
            .is_none_or(|nets| nets.iter().any(|net| net.contains(&address)))
    }
}

/// Reads `192.0.2.0/24` or a plain address. A network of mapped IPv4 addresses becomes the IPv4
/// network, since callers are compared in that form.
pub(super) fn network(text: &str) -> Option<IpNet> {
    let text = text.trim();
    let net = match text.parse::<IpNet>() {
        Ok(net) => net,
        Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
    };
    Some(match net {
        IpNet::V6(v6) => mapped(v6).map_or(net, IpNet::V4),
        IpNet::V4(_) => net,
    })
}

fn mapped(net: Ipv6Net) -> Option<Ipv4Net> {
    let bits = net.prefix_len().checked_sub(MAPPED_PREFIX_BITS)?;
    Ipv4Net::new(net.addr().to_ipv4_mapped()?, bits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_plain_addresses_of_both_families_are_compared() {
        for (list, address, allowed) in [
            (&[][..], "203.0.113.9", true),
            (&["192.0.2.0/24"][..], "192.0.2.77", true),
            (&["192.0.2.0/24"][..], "192.0.3.1", false),
            (&["192.0.2.77/24"][..], "192.0.2.1", true),
            (&["192.0.2.7"][..], "192.0.2.7", true),
            (&["192.0.2.7"][..], "192.0.2.8", false),
            (&["192.0.2.7"][..], "::ffff:192.0.2.7", true),
            (&["::ffff:192.0.2.7"][..], "192.0.2.7", true),
            (&["::ffff:192.0.2.0/120"][..], "192.0.2.200", true),
            (&["::ffff:192.0.2.0/120"][..], "192.0.3.200", false),
            (&["2001:db8::1"][..], "2001:db8::1", true),
            (&["2001:db8::/32"][..], "2001:db8:ffff::1", true),
            (&["2001:db8::/32"][..], "2001:db9::1", false),
            (&["::/0"][..], "192.0.2.7", false),
            (&["x", " 192.0.2.7 "][..], "192.0.2.7", true),
            (&["everywhere"][..], "192.0.2.7", false),
        ] {
            let entries: Vec<String> = list.iter().map(|entry| (*entry).to_owned()).collect();
            let address: IpAddr = address.parse().unwrap();
            let found = AllowList::read(&entries).contains(address.to_canonical());
            assert_eq!(found, allowed, "{list:?} {address}");
        }
    }
}
