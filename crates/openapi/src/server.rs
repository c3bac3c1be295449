//! Where the API is reached.

/// Scheme, host, port and path of the API, as clients see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerAddress {
    /// `http` or `https`.
    pub scheme: String,
    /// Name or address; IPv6 addresses in brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Path before the API's own, with a slash in front.
    pub base_path: String,
}

impl ServerAddress {
    /// The address that the server listens on. Names of PostgREST's configuration that stand for
    /// any address are written as one.
    pub fn listening(host: &str, port: u16) -> Self {
        let host = match host {
            "*" | "*4" | "!4" | "*6" | "!6" => "0.0.0.0".to_owned(),
            host if host.contains(':') && !host.starts_with('[') => format!("[{host}]"),
            host => host.to_owned(),
        };
        Self {
            scheme: "http".to_owned(),
            host,
            port,
            base_path: "/".to_owned(),
        }
    }

    /// The address that `openapi-server-proxy-uri` names; nothing unless it is an absolute URI of
    /// scheme http or https.
    pub fn from_proxy_uri(uri: &str) -> Option<Self> {
        let (scheme, rest) = uri.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return None,
        };
        let path_start = rest.find('/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at(path_start);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, "")) => (host, default_port),
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (authority, default_port),
        };
        (!host.is_empty()).then(|| Self {
            scheme,
            host: host.to_owned(),
            port,
            base_path: if path.is_empty() { "/" } else { path }.to_owned(),
        })
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// The whole address without a slash at its end, so that paths can follow.
    pub(crate) fn url(&self) -> String {
        let path = self.base_path.trim_end_matches('/');
        format!("{}://{}:{}{path}", self.scheme, self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_have_the_port_of_their_scheme() {
        let address = |uri| ServerAddress::from_proxy_uri(uri).unwrap();
        assert_eq!(
            address("HTTPS://api.example.com").authority(),
            "api.example.com:443"
        );
        assert_eq!(
            address("http://api.example.com:").authority(),
            "api.example.com:80"
        );
        assert_eq!(address("http://[::1]:8080/a/").url(), "http://[::1]:8080/a");
        assert_eq!(address("http://[::1]").url(), "http://[::1]:80");
        assert_eq!(address("https://example.com/openapi").base_path, "/openapi");
        assert_eq!(address("https://example.com").base_path, "/");
    }

    #[test]
    fn other_uris_are_refused() {
        for uri in [
            "",
            "example.com",
            "ftp://example.com",
            "http://",
            "http://a:b",
            "http://a:70000",
        ] {
            assert_eq!(ServerAddress::from_proxy_uri(uri), None, "{uri}");
        }
    }

    #[test]
    fn any_address_is_written_as_one() {
        assert_eq!(
            ServerAddress::listening("!4", 3000).authority(),
            "0.0.0.0:3000"
        );
        assert_eq!(
            ServerAddress::listening("::1", 3000).authority(),
            "[::1]:3000"
        );
        assert_eq!(
            ServerAddress::listening("localhost", 3000).url(),
            "http://localhost:3000"
        );
    }
}
