//! Messages to people: what they say, and how they get there.
//!
//! Who wants a mail sent records it as a job; the job composes a [`Message`] from [`Templates`] and hands it to a
//! [`Mailer`], which sends it by SMTP or, for development, puts it into an [`Inbox`].

mod inbox;
mod mailer;
mod template;

pub use inbox::{Inbox, Received};
pub use mailer::{MailError, Mailer, SmtpSettings, SmtpSettingsError};
pub use template::{Language, Message, TemplateError, TemplateName, Templates, Values};
