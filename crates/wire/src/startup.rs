//! The start of a session: start-up parameters and authentication.
//! It never logs what it sends.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::endpoint::Endpoint;
use crate::error::{Origin, ServerError, WireError};
use crate::inbound;
use crate::stream::Stream;

/// More than a start-up ever needs, in bytes.
const LIMIT: usize = 1024 * 1024;

/// What the server says about the session it has begun.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Session {
    pub(crate) process_id: i32,
    pub(crate) secret_key: i32,
    /// Whether the server is a standby, as far as it says.
    pub(crate) in_hot_standby: bool,
    /// Whether transactions are read only unless they say otherwise.
    pub(crate) default_read_only: bool,
}

/// Signs in, with start-up parameters beside those of the endpoint, and reads up to the first
/// `ReadyForQuery`.
pub(crate) async fn start(
    endpoint: &Endpoint,
    further: &[(&str, &str)],
    stream: &mut Stream,
    inbound: &mut BytesMut,
) -> Result<Session, WireError> {
    let mut exchange = Exchange {
        endpoint,
        stream,
        inbound,
    };
    exchange
        .send(|out| {
            let parameters = endpoint.startup_parameters();
            frontend::startup_message(parameters.chain(further.iter().copied()), out)
        })
        .await?;
    exchange.authenticate().await?;
    exchange.session().await
}

struct Exchange<'a> {
    endpoint: &'a Endpoint,
    stream: &'a mut Stream,
    inbound: &'a mut BytesMut,
}

impl Exchange<'_> {
    async fn send(
        &mut self,
        write: impl FnOnce(&mut BytesMut) -> std::io::Result<()>,
    ) -> Result<(), WireError> {
        let mut out = BytesMut::new();
        write(&mut out).map_err(WireError::Encode)?;
        self.stream.write_all(&out).await?;
        self.stream.flush().await?;
        Ok(())
    }

    /// The next message that is not a notice; an error of the server is returned as such.
    async fn receive(&mut self) -> Result<Message, WireError> {
        loop {
            match Message::parse(self.inbound)? {
                Some(Message::ErrorResponse(body)) => {
                    let error = ServerError::read(&body, Origin::Startup)?;
                    return Err(WireError::Server(Box::new(error)));
                }
                Some(Message::NoticeResponse(body)) => {
                    inbound::trace_notice(&ServerError::read_notice(&body)?);
                }
                Some(message) => return Ok(message),
                None => {
                    inbound::check_limit(self.inbound.len(), 1, LIMIT)?;
                    if self.stream.read_buf(self.inbound).await? == 0 {
                        return Err(inbound::closed());
                    }
                }
            }
        }
    }

    fn password(&self) -> Result<&[u8], WireError> {
        self.endpoint
            .config
            .get_password()
            .ok_or(WireError::Auth("a password is needed"))
    }

    async fn authenticate(&mut self) -> Result<(), WireError> {
        let request = self.receive().await?;
        let scram = matches!(request, Message::AuthenticationSasl(_));
        if self.endpoint.requires_channel_binding() && !scram {
            return Err(WireError::Auth("channel binding is not supported"));
        }
        match request {
            Message::AuthenticationOk => return Ok(()),
            Message::AuthenticationCleartextPassword => {
                let password = self.password()?.to_vec();
                self.send(|out| frontend::password_message(&password, out))
                    .await?;
            }
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(self.endpoint.user.as_bytes(), self.password()?, body.salt());
                self.send(|out| frontend::password_message(hash.as_bytes(), out))
                    .await?;
            }
            Message::AuthenticationSasl(body) => self.scram(&body).await?,
            _ => return Err(WireError::Auth("the server asks for an unsupported method")),
        }
        match self.receive().await? {
            Message::AuthenticationOk => Ok(()),
            _ => Err(WireError::Protocol(
                "an unexpected message during authentication",
            )),
        }
    }

    /// SCRAM-SHA-256 (RFC 7677) without channel binding.
    async fn scram(&mut self, offer: &AuthenticationSaslBody) -> Result<(), WireError> {
        if self.endpoint.requires_channel_binding() {
            return Err(WireError::Auth("channel binding is not supported"));
        }
        if !offer
            .mechanisms()
            .any(|mechanism| Ok(mechanism == SCRAM_SHA_256))?
        {
            return Err(WireError::Auth("the server offers no supported mechanism"));
        }
        let mut scram = ScramSha256::new(self.password()?, ChannelBinding::unsupported());
        self.send(|out| frontend::sasl_initial_response(SCRAM_SHA_256, scram.message(), out))
            .await?;
        let Message::AuthenticationSaslContinue(body) = self.receive().await? else {
            return Err(WireError::Protocol(
                "an unexpected message during authentication",
            ));
        };
        let unproven = |_| WireError::Auth("the server does not know the password");
        scram.update(body.data()).map_err(unproven)?;
        self.send(|out| frontend::sasl_response(scram.message(), out))
            .await?;
        let Message::AuthenticationSaslFinal(body) = self.receive().await? else {
            return Err(WireError::Protocol(
                "an unexpected message during authentication",
            ));
        };
        scram.finish(body.data()).map_err(unproven)
    }

    async fn session(&mut self) -> Result<Session, WireError> {
        let mut session = Session::default();
        loop {
            match self.receive().await? {
                Message::BackendKeyData(body) => {
                    session.process_id = body.process_id();
                    session.secret_key = body.secret_key();
                }
                Message::ParameterStatus(body) => match body.name()? {
                    "in_hot_standby" => session.in_hot_standby = body.value()? == "on",
                    "default_transaction_read_only" => {
                        session.default_read_only = body.value()? == "on";
                    }
                    _ => {}
                },
                Message::ReadyForQuery(_) => return Ok(session),
                _ => return Err(WireError::Protocol("an unexpected message during start-up")),
            }
        }
    }
}
