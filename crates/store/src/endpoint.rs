//! Opening connections to Redis, and finding out whether they still lead to the right server.

use std::time::Duration;

use redis::aio::{AsyncPushSender, MultiplexedConnection};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, ErrorKind, RedisError,
    TlsCertificates, cmd,
};
use tokio::time::timeout;

use crate::error::UrlError;
use crate::tls;
use crate::url::{Location, SentinelLocation, address, with_login};

/// Where Redis is and how long it may take.
#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    location: Location,
    /// Certificate authorities in the place of those that everybody trusts.
    authorities: Option<Vec<u8>>,
    pub(crate) timeout: Duration,
}

/// A connection, and the server it leads to.
pub(crate) struct Opened {
    pub(crate) connection: MultiplexedConnection,
    server: ConnectionAddr,
}

impl Endpoint {
    pub(crate) fn new(
        url: &str,
        authorities: Option<Vec<u8>>,
        timeout: Duration,
    ) -> Result<Self, UrlError> {
        let location = Location::parse(url)?;
        if location.uses_tls() {
            tls::settle_provider();
        }
        let endpoint = Self {
            location,
            authorities,
            timeout,
        };
        let sample = match &endpoint.location {
            Location::Single(info) => info.clone(),
            Location::Sentinel(location) => {
                let first = location.sentinels.first();
                first.ok_or(UrlError::Part("host"))?.clone()
            }
        };
        endpoint.client(sample).map_err(UrlError::Authority)?;
        Ok(endpoint)
    }

    /// Connects to the server, the one that sentinels name where there are any.
    pub(crate) async fn open(
        &self,
        pushes: Option<impl AsyncPushSender>,
    ) -> Result<Opened, RedisError> {
        let info = match &self.location {
            Location::Single(info) => info.clone(),
            Location::Sentinel(location) => {
                with_login(self.ask(location).await?, location.login.clone())?
            }
        };
        let server = info.addr().clone();
        let config = self.config();
        let config = match pushes {
            Some(pushes) => config.set_push_sender(pushes),
            None => config,
        };
        let client = self.client(info)?;
        let opening = client.get_multiplexed_async_connection_with_config(&config);
        let connection = self.within(opening).await?;
        let opened = Opened { connection, server };
        self.check_role(&opened).await?;
        Ok(opened)
    }

    /// Whether the server behind a connection answers, and may be written to.
    pub(crate) async fn check(&self, opened: &Opened) -> Result<(), RedisError> {
        match &self.location {
            Location::Single(_) => {
                let mut connection = opened.connection.clone();
                self.within(cmd("PING").query_async(&mut connection)).await
            }
            Location::Sentinel(_) => self.check_role(opened).await,
        }
    }

    /// Whether the sentinels still name the server behind a connection. One that is cut off from
    /// them thinks it is the master for as long as nobody tells it otherwise.
    pub(crate) async fn check_named(&self, opened: &Opened) -> Result<(), RedisError> {
        if let Location::Sentinel(location) = &self.location {
            // Sentinels that are away name no other server.
            if let Ok(named) = self.ask(location).await
                && named != opened.server
            {
                return Err(failure("the sentinels name another server"));
            }
        }
        Ok(())
    }

    async fn check_role(&self, opened: &Opened) -> Result<(), RedisError> {
        if matches!(self.location, Location::Single(_)) {
            return Ok(());
        }
        let mut connection = opened.connection.clone();
        let question = cmd("ROLE");
        let answer = question.query_async(&mut connection);
        let role: Vec<redis::Value> = self.within(answer).await?;
        let role = role.first().map(redis::from_redis_value_ref::<String>);
        match role {
            Some(Ok(role)) if role == "master" => Ok(()),
            _ => Err(failure("the server is a replica")),
        }
    }

    /// The server's address, as the first sentinel says that knows it.
    async fn ask(&self, location: &SentinelLocation) -> Result<ConnectionAddr, RedisError> {
        let mut last = failure("no sentinel knows the server");
        for sentinel in &location.sentinels {
            match self.ask_one(sentinel, location).await {
                Ok(Some(server)) => return Ok(server),
                Ok(None) => {}
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn ask_one(
        &self,
        sentinel: &ConnectionInfo,
        location: &SentinelLocation,
    ) -> Result<Option<ConnectionAddr>, RedisError> {
        let client = self.client(sentinel.clone())?;
        let config = self.config();
        let opening = client.get_multiplexed_async_connection_with_config(&config);
        let mut connection = self.within(opening).await?;
        let mut question = cmd("SENTINEL");
        question.arg("GET-MASTER-ADDR-BY-NAME");
        question.arg(&location.service);
        let answer = question.query_async(&mut connection);
        let server: Option<(String, u16)> = self.within(answer).await?;
        Ok(server.map(|(host, port)| address(host, port, location.tls)))
    }

    fn client(&self, info: ConnectionInfo) -> Result<Client, RedisError> {
        match &self.authorities {
            Some(authorities) if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) => {
                let certificates = TlsCertificates {
                    client_tls: None,
                    root_cert: Some(authorities.clone()),
                };
                Client::build_with_tls(info, certificates)
            }
            _ => Client::open(info),
        }
    }

    fn config(&self) -> AsyncConnectionConfig {
        AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.timeout))
            .set_response_timeout(Some(self.timeout))
    }

    /// The library's own timeouts leave out TLS and login.
    async fn within<T>(
        &self,
        work: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, RedisError> {
        match timeout(self.timeout, work).await {
            Ok(done) => done,
            Err(_) => Err(failure("no answer in time")),
        }
    }
}

/// A connection that is of no use.
pub(crate) fn failure(text: &'static str) -> RedisError {
    RedisError::from((ErrorKind::Io, text))
}
