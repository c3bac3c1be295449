//! How mails get to people.

use std::sync::Arc;
use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use thiserror::Error;

use crate::inbox::Inbox;
use crate::template::Message;

/// How long a server may take for one step.
const PATIENCE: Duration = Duration::from_secs(15);

/// Where mails are handed in.
#[derive(Clone)]
pub struct SmtpSettings {
    /// `smtp://user:password@host:587` (STARTTLS required), `smtps://…:465`, or `smtp://host:25?tls=none` for a server of
    /// one's own on the same machine.
    pub url: String,
    /// Who mails come from: an address, or a name and an address in angle brackets.
    pub from: String,
}

impl std::fmt::Debug for SmtpSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpSettings")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// Settings that name no server or no sender.
#[derive(Debug, Error)]
pub enum SmtpSettingsError {
    /// The URL is none.
    #[error(
        "mail.smtp_url should be smtp://user:password@host:587 or smtps://user:password@host:465"
    )]
    Url,
    /// The sender is none.
    #[error("mail.from should be an address, such as \"Hub-Lib <no-reply@example.org>\"")]
    From,
}

/// Why a mail could not be sent.
#[derive(Debug, Error)]
pub enum MailError {
    /// No server is configured.
    #[error("no mail server is configured (mail.smtp_url)")]
    NotConfigured,
    /// An address is none.
    #[error("the address of the recipient is none")]
    Address(#[source] lettre::address::AddressError),
    /// The message cannot be written.
    #[error("the mail cannot be written")]
    Message(#[source] lettre::error::Error),
    /// The server refused it, or could not be reached.
    #[error("the mail server did not take it")]
    Server(#[source] lettre::transport::smtp::Error),
}

/// Sends mails.
#[derive(Clone, Debug)]
pub enum Mailer {
    /// By SMTP.
    Smtp(Box<Smtp>),
    /// Into an inbox that people and tests look at.
    Inbox(Arc<Inbox>),
    /// Nowhere: each mail is an error.
    Nowhere,
}

/// A server, and who mails come from.
#[derive(Clone, Debug)]
pub struct Smtp {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
    /// A mailer that hands mails in at a server. Connections are opened when they are needed.
    ///
    /// # Errors
    /// [`SmtpSettingsError`]
    pub fn smtp(settings: &SmtpSettings) -> Result<Self, SmtpSettingsError> {
        let is_encrypted = !settings.url.ends_with("?tls=none");
        let url = settings.url.trim_end_matches("?tls=none");
        // Without being told, a server that offers no encryption is not spoken to.
        let url = if is_encrypted && url.starts_with("smtp://") {
            format!("{url}?tls=required")
        } else {
            url.to_owned()
        };
        let builder = AsyncSmtpTransport::<Tokio1Executor>::from_url(&url)
            .map_err(|_| SmtpSettingsError::Url)?;
        Ok(Self::Smtp(Box::new(Smtp {
            transport: builder.timeout(Some(PATIENCE)).build(),
            from: settings.from.parse().map_err(|_| SmtpSettingsError::From)?,
        })))
    }

    /// Whether mails get anywhere.
    pub fn is_configured(&self) -> bool {
        !matches!(self, Self::Nowhere)
    }

    /// Sends a mail.
    ///
    /// # Errors
    /// [`MailError`]; the mail may then be sent again.
    pub async fn send(&self, message: Message) -> Result<(), MailError> {
        match self {
            Self::Nowhere => Err(MailError::NotConfigured),
            Self::Inbox(inbox) => {
                inbox.put(message);
                Ok(())
            }
            Self::Smtp(smtp) => {
                let to = message.to.parse().map_err(MailError::Address)?;
                let mail = lettre::Message::builder()
                    .from(smtp.from.clone())
                    .to(Mailbox::new(None, to))
                    .subject(message.subject)
                    // Nobody answers on somebody's behalf (RFC 3834).
                    .header(AutoSubmitted)
                    .multipart(MultiPart::alternative_plain_html(
                        message.text,
                        message.html,
                    ))
                    .map_err(MailError::Message)?;
                smtp.transport.send(mail).await.map_err(MailError::Server)?;
                Ok(())
            }
        }
    }
}

/// `Auto-Submitted: auto-generated`
#[derive(Clone)]
struct AutoSubmitted;

impl lettre::message::header::Header for AutoSubmitted {
    fn name() -> lettre::message::header::HeaderName {
        lettre::message::header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> lettre::message::header::HeaderValue {
        lettre::message::header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}
