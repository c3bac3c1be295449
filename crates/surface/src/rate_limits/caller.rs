//! Whose requests are counted together.

use std::net::{IpAddr, Ipv4Addr};

use actix_web::HttpRequest;
use passerelle_identity::Principal;
use passerelle_store::LimitKey;

use super::{RateLimitSettings, RouteClass};

/// Who is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateCaller<'a> {
    /// A user, by the id that a token proves.
    User(&'a str),
    /// Whoever holds a key, or a token that names nobody.
    Key(&'a [u8]),
    /// Whoever comes from an address, or from its /64 network if it is one of IPv6.
    Address(IpAddr),
}

impl RateLimitSettings {
    /// Who a request is counted for; nobody when its role is exempt. Without a principal, which
    /// means with a credential that proves nothing, it is the address.
    pub fn caller<'a>(
        &self,
        request: &HttpRequest,
        principal: Option<&'a Principal>,
        credential: Option<&'a [u8]>,
    ) -> Option<RateCaller<'a>> {
        if let Some(principal) = principal {
            if self
                .exempt_roles
                .iter()
                .any(|role| **role == **principal.role())
            {
                return None;
            }
            if let Some(user) = principal.subject().filter(|user| !user.is_empty()) {
                return Some(RateCaller::User(user));
            }
            // Everybody has the key of the anonymous role.
            if let Some(credential) = credential.filter(|_| !principal.is_anonymous()) {
                return Some(RateCaller::Key(credential));
            }
        }
        // A Unix socket has no addresses; what comes through it has one limit.
        let peer = request.peer_addr().map(|peer| peer.ip());
        let client = peer.map(|peer| self.trusted_proxies.client(peer, request.headers()));
        let unknown = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        Some(RateCaller::Address(client.unwrap_or(unknown)))
    }
}

impl RateCaller<'_> {
    pub(super) fn key(&self, class: RouteClass) -> LimitKey {
        let class = class.as_str();
        match self {
            Self::User(user) => LimitKey::of(class, "user", user.as_bytes()),
            Self::Key(key) => LimitKey::of(class, "key", key),
            Self::Address(address) => match address.to_canonical() {
                IpAddr::V4(address) => LimitKey::of(class, "address", &address.octets()),
                IpAddr::V6(address) => LimitKey::of(class, "address", &address.octets()[..8]),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::test::TestRequest;
    use passerelle_identity::{ApiKey, IdentitySettings, Secret, UnixTime, Verifier};
    use passerelle_store::RatePolicy;

    use super::*;
    use crate::client_address::{ForwardedHeader, TrustedProxies};

    fn settings() -> RateLimitSettings {
        let policy = RatePolicy::new(1, Duration::from_secs(1), 1).unwrap();
        let proxies = vec!["10.0.0.0/8".parse().unwrap()];
        let proxies = TrustedProxies::new(proxies, ForwardedHeader::XForwardedFor);
        RateLimitSettings::new(|_| policy, vec!["service_role".to_owned()], proxies)
    }

    fn request(peer: &str) -> HttpRequest {
        TestRequest::default()
            .peer_addr(format!("{peer}:4711").parse().unwrap())
            .insert_header(("x-forwarded-for", "203.0.113.9"))
            .to_http_request()
    }

    fn verifier() -> Verifier {
        let key = |key: &str, role: &str| ApiKey {
            key: Secret::from(key.to_owned()),
            role: role.into(),
        };
        let settings = IdentitySettings {
            anon_role: Some("anon".into()),
            api_keys: vec![
                key("sb_publishable_1", "anon"),
                key("sb_secret_1", "service_role"),
                key("sb_secret_2", "reporting"),
            ],
            ..IdentitySettings::default()
        };
        Verifier::new(&settings).unwrap()
    }

    #[test]
    fn a_key_that_is_not_everybodys_is_a_caller_and_an_exempt_role_is_none() {
        let (settings, verifier) = (settings(), verifier());
        let address = RateCaller::Address("203.0.113.9".parse().unwrap());
        for (key, expected) in [
            ("sb_secret_2", Some(RateCaller::Key(b"sb_secret_2"))),
            ("sb_secret_1", None),
            ("sb_publishable_1", Some(address)),
        ] {
            let key = key.as_bytes();
            let principal = verifier.authenticate(Some(key), None, UnixTime(0)).unwrap();
            let request = request("10.0.0.1");
            let caller = settings.caller(&request, Some(&principal), Some(key));
            assert_eq!(caller, expected);
        }
    }

    #[test]
    fn without_proof_the_address_is_the_caller_and_headers_are_believed_of_proxies_alone() {
        let caller = |peer: &str| {
            let request = request(peer);
            settings().caller(&request, None, Some(b"eyJ.forged.token"))
        };
        let address = |text: &str| Some(RateCaller::Address(text.parse().unwrap()));
        assert_eq!(caller("10.0.0.1"), address("203.0.113.9"));
        assert_eq!(caller("198.51.100.1"), address("198.51.100.1"));
    }

    #[test]
    fn a_network_of_ipv6_is_one_caller() {
        let key = |text: &str| RateCaller::Address(text.parse().unwrap()).key(RouteClass::Read);
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff::"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
