//! Where Redis is, as a URL says it.
//!
//! One server: `redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]`, `rediss://…` with TLS, or
//! `redis+unix:///PATH`. A server watched by Sentinel, whose service has a name:
//! `redis+sentinel://[[USER]:PASSWORD@]HOST[:PORT][,HOST[:PORT]…]/NAME[/DATABASE]`, or
//! `rediss+sentinel://…`; `?sentinel_username=…&sentinel_password=…` is for the sentinels.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, ProtocolVersion, RedisConnectionInfo,
};

use crate::error::UrlError;

const SENTINEL_PORT: u16 = 26379;

/// A server, or who knows where it is.
#[derive(Clone, Debug)]
pub(crate) enum Location {
    Single(ConnectionInfo),
    Sentinel(SentinelLocation),
}

/// A server that sentinels watch.
#[derive(Clone, Debug)]
pub(crate) struct SentinelLocation {
    pub(crate) sentinels: Vec<ConnectionInfo>,
    /// The name under which they know the server.
    pub(crate) service: String,
    /// Whether connections to the server itself, and to sentinels, use TLS.
    pub(crate) tls: bool,
    /// How to log in to the server.
    pub(crate) login: RedisConnectionInfo,
}

impl Location {
    pub(crate) fn parse(url: &str) -> Result<Self, UrlError> {
        let (scheme, rest) = url.split_once("://").ok_or(UrlError::Scheme)?;
        match scheme {
            "redis" | "rediss" | "redis+unix" | "valkey" | "valkeys" => single(url),
            "redis+sentinel" => sentinel(rest, false),
            "rediss+sentinel" => sentinel(rest, true),
            _ => Err(UrlError::Scheme),
        }
    }

    /// Whether any connection uses TLS.
    pub(crate) fn uses_tls(&self) -> bool {
        match self {
            Self::Single(info) => matches!(info.addr(), ConnectionAddr::TcpTls { .. }),
            Self::Sentinel(location) => location.tls,
        }
    }
}

/// An address of this kind. Names are checked against the certificate.
pub(crate) fn address(host: String, port: u16, tls: bool) -> ConnectionAddr {
    if tls {
        ConnectionAddr::TcpTls {
            host,
            port,
            insecure: false,
            tls_params: None,
        }
    } else {
        ConnectionAddr::Tcp(host, port)
    }
}

/// The same server with another login.
pub(crate) fn with_login(
    addr: ConnectionAddr,
    login: RedisConnectionInfo,
) -> Result<ConnectionInfo, redis::RedisError> {
    Ok(addr.into_connection_info()?.set_redis_settings(login))
}

fn single(url: &str) -> Result<Location, UrlError> {
    let info = url.into_connection_info().map_err(UrlError::Invalid)?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { insecure: true, .. }) {
        return Err(UrlError::Insecure);
    }
    let login = login_of(info.redis_settings().clone());
    Ok(Location::Single(info.set_redis_settings(login)))
}

fn sentinel(rest: &str, tls: bool) -> Result<Location, UrlError> {
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = rest.split_once('/').ok_or(UrlError::Part("service"))?;
    let (credentials, hosts) = match authority.rsplit_once('@') {
        Some((credentials, hosts)) => (Some(credentials), hosts),
        None => (None, authority),
    };
    let (service, database) = path.split_once('/').unwrap_or((path, "0"));
    if service.is_empty() {
        return Err(UrlError::Part("service"));
    }
    let mut login = login_of(RedisConnectionInfo::default());
    login = login.set_db(database.parse().map_err(|_| UrlError::Part("database"))?);
    if let Some(credentials) = credentials {
        let (user, password) = credentials
            .split_once(':')
            .ok_or(UrlError::Part("password"))?;
        login = with_credentials(login, user, password)?;
    }
    let sentinel_login = sentinel_login(query)?;
    let sentinels = hosts.split(',').map(|host| {
        let (host, port) = host_and_port(host)?;
        with_login(address(host, port, tls), sentinel_login.clone()).map_err(UrlError::Invalid)
    });
    Ok(Location::Sentinel(SentinelLocation {
        sentinels: sentinels.collect::<Result<_, _>>()?,
        service: decoded(service, "service")?,
        tls,
        login,
    }))
}

fn sentinel_login(query: &str) -> Result<RedisConnectionInfo, UrlError> {
    let (mut user, mut password) = ("", "");
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            Some(("sentinel_username", value)) => user = value,
            Some(("sentinel_password", value)) => password = value,
            _ => return Err(UrlError::Part("query")),
        }
    }
    // Sentinels speak the old protocol in all their versions.
    let login = RedisConnectionInfo::default().set_skip_set_lib_name();
    if password.is_empty() {
        return Ok(login);
    }
    with_credentials(login, user, password)
}

fn with_credentials(
    login: RedisConnectionInfo,
    user: &str,
    password: &str,
) -> Result<RedisConnectionInfo, UrlError> {
    let login = login.set_password(decoded(password, "password")?);
    Ok(if user.is_empty() {
        login
    } else {
        login.set_username(decoded(user, "user")?)
    })
}

/// Connections to the server speak RESP3, which delivers messages beside replies.
fn login_of(login: RedisConnectionInfo) -> RedisConnectionInfo {
    login
        .set_protocol(ProtocolVersion::RESP3)
        .set_skip_set_lib_name()
}

/// `host`, `host:port`, `[v6]` or `[v6]:port`.
fn host_and_port(text: &str) -> Result<(String, u16), UrlError> {
    let fault = || UrlError::Part("host");
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(fault)?;
            (host, rest.strip_prefix(':'))
        }
        None => match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        },
    };
    if host.is_empty() {
        return Err(fault());
    }
    let port = match port {
        Some(port) => port.parse().map_err(|_| UrlError::Part("port"))?,
        None => SENTINEL_PORT,
    };
    Ok((host.to_owned(), port))
}

fn decoded(text: &str, part: &'static str) -> Result<String, UrlError> {
    let decoded = percent_decode_str(text).decode_utf8();
    decoded
        .map(Cow::into_owned)
        .map_err(|_| UrlError::Part(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentinel_of(url: &str) -> SentinelLocation {
        match Location::parse(url).unwrap() {
            Location::Sentinel(location) => location,
            Location::Single(_) => panic!("{url} names a single server"),
        }
    }

    fn single_of(url: &str) -> ConnectionInfo {
        match Location::parse(url).unwrap() {
            Location::Single(info) => info,
            Location::Sentinel(_) => panic!("{url} names sentinels"),
        }
    }

    #[test]
    fn one_server() {
        let info = single_of("redis://:p%40ss@example.com:7000/3");
        assert_eq!(info.addr().to_string(), "example.com:7000");
        assert_eq!(info.redis_settings().password(), Some("p@ss"));
        assert_eq!(info.redis_settings().db(), 3);
        let info = single_of("rediss://user:pass@example.com");
        assert!(matches!(info.addr(), ConnectionAddr::TcpTls { .. }));
        assert_eq!(info.redis_settings().username(), Some("user"));
        let info = single_of("redis+unix:///run/redis.sock");
        assert_eq!(info.addr().to_string(), "/run/redis.sock");
    }

    #[test]
    fn sentinels_and_the_service_they_watch() {
        let location = sentinel_of("redis+sentinel://:secret@a,b:1,[::1]:2/main/5");
        let addresses = location
            .sentinels
            .iter()
            .map(|info| info.addr().to_string());
        assert_eq!(addresses.collect::<Vec<_>>(), ["a:26379", "b:1", "::1:2"]);
        assert_eq!(location.service, "main");
        assert_eq!(location.login.password(), Some("secret"));
        assert_eq!(location.login.db(), 5);
        let sentinel = location.sentinels[0].redis_settings();
        assert_eq!(sentinel.password(), None);

        let location = sentinel_of("rediss+sentinel://u:p@a/main?sentinel_password=x%26y");
        assert!(location.tls);
        assert_eq!(location.login.username(), Some("u"));
        let sentinel = location.sentinels[0].redis_settings();
        assert_eq!(sentinel.password(), Some("x&y"));
        assert_eq!(sentinel.username(), None);
    }

    #[test]
    fn what_names_no_redis_is_refused_without_being_repeated() {
        for url in [
            "",
            "localhost:6379",
            "http://secret@localhost",
            "redis://",
            "redis://:secret@localhost:port",
            "rediss://:secret@localhost/#insecure",
            "redis+sentinel://:secret@a",
            "redis+sentinel://:secret@a/",
            "redis+sentinel://:secret@/main",
            "redis+sentinel://:secret@a:x/main",
            "redis+sentinel://:secret@a/main/x",
            "redis+sentinel://secret@a/main",
            "redis+sentinel://a/main?secret=x",
        ] {
            let fault = Location::parse(url).map(drop).unwrap_err();
            assert!(
                !format!("{fault} {fault:?}").contains("secret"),
                "{fault:?}"
            );
        }
    }
}
