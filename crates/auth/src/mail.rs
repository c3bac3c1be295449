//! From the record of a mail to the mail. Codes and links are computed here, when it is sent.

use passerelle_mail::{Language, Message, TemplateName, Templates, Values};
use serde::Deserialize;
use uuid::Uuid;

use crate::redirect::with_query;
use crate::state::AuthState;

/// What a job of mails holds (`sql/platform/0007_mail.sql`).
#[derive(Debug, Deserialize)]
struct Record {
    template: TemplateName,
    to: String,
    token: Uuid,
    #[serde(default)]
    redirect_to: Option<String>,
    #[serde(default)]
    language: Option<String>,
    #[serde(default)]
    email: String,
    #[serde(default)]
    new_email: String,
}

impl AuthState {
    /// Writes the mail that a job stands for.
    ///
    /// # Errors
    /// What is wrong with the record, as text for those who look after jobs.
    pub fn write_mail(&self, record: &str, templates: &Templates) -> Result<Message, String> {
        let record: Record = serde_json::from_str(record).map_err(|error| error.to_string())?;
        let ready = self.ready();
        let settings = &ready.settings;
        let kind = match record.template {
            TemplateName::Signup => "signup",
            TemplateName::Magiclink => "magiclink",
            TemplateName::Recovery => "recovery",
            TemplateName::Invite => "invite",
            TemplateName::EmailChange => "email_change",
            TemplateName::Reauthentication => "reauthentication",
        };
        let redirect_to = settings.redirects.target(record.redirect_to.as_deref());
        let link = ready.one_time.link(record.token);
        let values = Values {
            confirmation_url: with_query(
                &format!("{}/verify", settings.issuer),
                &[
                    ("token", link.as_str()),
                    ("type", kind),
                    ("redirect_to", &redirect_to),
                ],
            ),
            token: ready.one_time.code(record.token),
            token_hash: link,
            site_url: settings.redirects.site_url.clone(),
            redirect_to,
            email: record.email,
            new_email: record.new_email,
        };
        let language = Language::of(record.language.as_deref().unwrap_or_default());
        Ok(templates.write(record.template, language, &record.to, &values))
    }
}
