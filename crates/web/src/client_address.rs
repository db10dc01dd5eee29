//! From which address a request came, with reverse proxies in between or without.
//!
//! Accounts have allow-lists of addresses, so a client must not be able to choose its own:
//! `X-Forwarded-For` is read from the right, and only as long as each hop is a proxy that was named.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use axum::extract::ConnectInfo;
use axum::http::{Extensions, HeaderMap};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

const FORWARDED_FOR: &str = "x-forwarded-for";

/// A network in CIDR form, or a single address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let single = || text.parse::<IpAddr>().map(IpNet::from);
        text.parse::<IpNet>()
            .or_else(|_| single())
            .map(|network| Self(network.trunc()))
            .map_err(|_| format!("`{text}` is neither an address nor a network like 192.0.2.0/24"))
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        if network.0.prefix_len() == network.0.max_prefix_len() {
            network.0.addr().to_string()
        } else {
            network.0.to_string()
        }
    }
}

/// The peer of the connection. A router that is called without a socket has none; the unspecified
/// address then stands for it, which is on nobody's list.
pub(crate) fn peer(extensions: &Extensions) -> IpAddr {
    extensions
        .get::<ConnectInfo<SocketAddr>>()
        .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |info| {
            info.0.ip().to_canonical()
        })
}

/// Whether `peer` is a proxy whose word is taken.
pub(crate) fn is_trusted(peer: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.contains(peer))
}

/// The client behind `peer`: the first hop from the right that is no trusted proxy.
pub(crate) fn behind(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let is_trusted = |address| is_trusted(address, trusted);
    let mut client = peer;
    if !is_trusted(client) {
        return client;
    }
    for value in headers.get_all(FORWARDED_FOR).iter().rev() {
        for hop in value.to_str().unwrap_or_default().rsplit(',') {
            // What a trusted proxy wrote and we cannot read tells nothing about what stands left of it.
            let Some(address) = read_hop(hop.trim()) else {
                return client;
            };
            client = address;
            if !is_trusted(client) {
                return client;
            }
        }
    }
    client
}

/// An address, with a port (`192.0.2.1:80`, `[2001:db8::1]:80`) or without.
fn read_hop(hop: &str) -> Option<IpAddr> {
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    bare.parse::<IpAddr>()
        .ok()
        .or_else(|| hop.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen_from(peer: &str, forwarded: &[&'static str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "::1".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append(FORWARDED_FOR, value.parse().unwrap());
        }
        behind(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn a_stranger_cannot_choose_its_address() {
        assert_eq!(seen_from("203.0.113.9", &["192.0.2.1"]), "203.0.113.9");
    }

    #[test]
    fn the_first_hop_that_is_no_proxy_is_the_client() {
        assert_eq!(seen_from("10.0.0.1", &["192.0.2.1"]), "192.0.2.1");
        assert_eq!(
            seen_from("::1", &["6.6.6.6, 192.0.2.1", "10.0.0.2"]),
            "192.0.2.1"
        );
        assert_eq!(
            seen_from("10.0.0.1", &["192.0.2.1:4711, 10.9.9.9"]),
            "192.0.2.1"
        );
        assert_eq!(seen_from("10.0.0.1", &["[2001:db8::1]:80"]), "2001:db8::1");
    }

    #[test]
    fn without_a_readable_hop_the_proxy_itself_is_the_client() {
        assert_eq!(seen_from("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen_from("10.0.0.1", &["192.0.2.1, unknown"]), "10.0.0.1");
    }
}
