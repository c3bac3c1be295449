//! The address of the client behind proxies that are trusted.
//!
//! A header is believed only as far as trusted proxies wrote it: from its end backwards, until the
//! first address that is no trusted proxy. Which header they write is configured, because the
//! other one passes through them as the client sent it.

use std::net::IpAddr;
use std::str::FromStr;

use actix_web::http::header::{FORWARDED, HeaderMap, HeaderName, X_FORWARDED_FOR};
use thiserror::Error;

/// Proxies in a row that are followed.
const HOPS: usize = 16;

/// The header that the proxies append to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239)
    Forwarded,
}

/// Proxies whose word on the client's address is taken.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    header: ForwardedHeader,
}

/// A range of addresses: `10.0.0.0/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix: u8,
}

/// What is no range of addresses.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0:?} is no address and no network like 10.0.0.0/8")]
pub struct AddressError(String);

impl FromStr for Network {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = || AddressError(text.to_owned());
        let (base, prefix) = match text.split_once('/') {
            Some((base, prefix)) => (base, Some(prefix.parse::<u8>().map_err(|_| fault())?)),
            None => (text, None),
        };
        let base: IpAddr = base.parse().map_err(|_| fault())?;
        let most = if base.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.unwrap_or(most);
        if prefix > most {
            return Err(fault());
        }
        Ok(Self { base, prefix })
    }
}

impl Network {
    /// Whether the address is one of the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address.to_canonical()) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let mask = u32::MAX
                    .checked_shl(32 - u32::from(self.prefix))
                    .unwrap_or(0);
                (base.to_bits() ^ address.to_bits()) & mask == 0
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let mask = u128::MAX
                    .checked_shl(128 - u32::from(self.prefix))
                    .unwrap_or(0);
                (base.to_bits() ^ address.to_bits()) & mask == 0
            }
            _ => false,
        }
    }
}

impl TrustedProxies {
    /// Trusts these networks to append to this header.
    pub fn new(networks: Vec<Network>, header: ForwardedHeader) -> Self {
        Self { networks, header }
    }

    /// The client's address, given that of the peer.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer.to_canonical();
        if !self.trusts(client) {
            return client;
        }
        // Lines of the same name form one list (RFC 9110, section 5.3).
        let lines: Vec<&str> = headers
            .get_all(self.name())
            .filter_map(|line| line.to_str().ok())
            .collect();
        for hop in lines
            .iter()
            .rev()
            .flat_map(|line| line.rsplit(','))
            .take(HOPS)
        {
            let Some(address) = self.address(hop.trim()) else {
                break;
            };
            client = address;
            if !self.trusts(client) {
                break;
            }
        }
        client
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }

    fn name(&self) -> HeaderName {
        match self.header {
            ForwardedHeader::XForwardedFor => X_FORWARDED_FOR,
            ForwardedHeader::Forwarded => FORWARDED,
        }
    }

    fn address(&self, hop: &str) -> Option<IpAddr> {
        let node = match self.header {
            ForwardedHeader::XForwardedFor => hop,
            ForwardedHeader::Forwarded => hop.split(';').find_map(|pair| {
                let (name, value) = pair.trim().split_once('=')?;
                name.eq_ignore_ascii_case("for")
                    .then(|| value.trim_matches('"'))
            })?,
        };
        without_port(node)
            .parse()
            .ok()
            .map(|address: IpAddr| address.to_canonical())
    }
}

/// The address of `address`, `[v6]`, `v4:port` or `[v6]:port`.
fn without_port(node: &str) -> &str {
    if let Some(rest) = node.strip_prefix('[') {
        return rest.split_once(']').map_or(rest, |(address, _)| address);
    }
    match node.split_once(':') {
        Some((address, port)) if !port.contains(':') => address,
        _ => node,
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn client(header: ForwardedHeader, peer: &str, line: &str) -> String {
        let networks = ["10.0.0.0/8", "::1"]
            .map(|network| network.parse().unwrap())
            .to_vec();
        let proxies = TrustedProxies::new(networks, header);
        let request = TestRequest::default()
            .insert_header((proxies.name(), line.to_owned()))
            .to_http_request();
        proxies
            .client(peer.parse().unwrap(), request.headers())
            .to_string()
    }

    #[test]
    fn networks_contain_their_addresses() {
        let network: Network = "10.1.0.0/16".parse().unwrap();
        assert!(network.contains("10.1.255.255".parse().unwrap()));
        assert!(network.contains("::ffff:10.1.2.3".parse().unwrap()));
        assert!(!network.contains("10.2.0.0".parse().unwrap()));
        let all: Network = "0.0.0.0/0".parse().unwrap();
        assert!(all.contains("203.0.113.9".parse().unwrap()));
        assert!(!all.contains("::1".parse().unwrap()));
        for fault in ["10.0.0.0/33", "::/129", "10.0.0", "x/8", "10.0.0.0/"] {
            assert!(fault.parse::<Network>().is_err(), "{fault}");
        }
    }

    #[test]
    fn a_peer_that_is_not_trusted_speaks_for_itself() {
        let header = ForwardedHeader::XForwardedFor;
        assert_eq!(client(header, "203.0.113.9", "198.51.100.1"), "203.0.113.9");
    }

    #[test]
    fn the_last_address_that_is_no_proxy_is_the_client() {
        let header = ForwardedHeader::XForwardedFor;
        assert_eq!(
            client(header, "10.0.0.1", "6.6.6.6, 198.51.100.1, 10.0.0.2"),
            "198.51.100.1"
        );
        assert_eq!(client(header, "::1", "2001:db8::7"), "2001:db8::7");
        assert_eq!(
            client(header, "10.0.0.1", "198.51.100.1:4711"),
            "198.51.100.1"
        );
        assert_eq!(client(header, "10.0.0.1", "nonsense, 10.0.0.2"), "10.0.0.2");
        assert_eq!(client(header, "10.0.0.1", ""), "10.0.0.1");
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        let header = ForwardedHeader::Forwarded;
        let line = "for=6.6.6.6, proto=https;For=\"[2001:db8::7]:4711\"; by=10.0.0.1";
        assert_eq!(client(header, "10.0.0.1", line), "2001:db8::7");
        assert_eq!(client(header, "10.0.0.1", "for=unknown"), "10.0.0.1");
    }

    #[test]
    fn a_chain_without_end_is_not_followed() {
        let line = vec!["10.0.0.2"; 10_000].join(",");
        assert_eq!(
            client(ForwardedHeader::XForwardedFor, "10.0.0.1", &line),
            "10.0.0.2"
        );
    }
}
