//! From the record of a mail or an SMS to the message. Codes and links are computed here, when it is sent.

use passerelle_mail::{Language, Mailer, Message, TemplateName, Templates, Values};
use passerelle_pg::chain;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::database::text;
use crate::error::AuthError;
use crate::redirect::with_query;
use crate::state::AuthState;

const BY_TOKEN: &str = "select passerelle.account(u) from auth.users u \
    join auth.one_time_tokens o on o.user_id = u.id where o.id = $1::uuid";
const BY_ID: &str = "select passerelle.account(u) from auth.users u where u.id = $1::uuid";

/// Where messages go that no hook takes.
#[derive(Clone, Debug)]
pub struct Outbox {
    /// Sends mails; its inbox takes SMS, too.
    pub mailer: Mailer,
    /// What messages say.
    pub templates: Templates,
}

/// What a job of mails holds (`sql/platform/0007_mail.sql`).
#[derive(Debug, Deserialize)]
struct MailRecord {
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

/// What a job of SMS holds (`sql/platform/0011_phones_and_hooks.sql`).
#[derive(Debug, Deserialize)]
struct SmsRecord {
    to: String,
    account: Uuid,
    token: Uuid,
    #[serde(default)]
    channel: Option<String>,
    /// `mfa` for a second factor.
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    language: Option<String>,
}

impl AuthState {
    /// Sends the mail that a job stands for.
    ///
    /// # Errors
    /// Why it cannot be sent, as text for those who look after jobs.
    pub async fn send_mail(&self, record: &str, outbox: &Outbox) -> Result<(), String> {
        let record: MailRecord = serde_json::from_str(record).map_err(|error| error.to_string())?;
        let values = self.values_of(&record);
        if let Some(hook) = &self.ready().settings.hooks.send_email {
            // A token that was redeemed or replaced has no mail.
            let Some(user) = self.account(BY_TOKEN, record.token).await? else {
                return Ok(());
            };
            let event = mail_event(&record, &values, user);
            let sent = self
                .ask_hook(hook, ("send-email", record.token), None, event)
                .await;
            return sent.map(drop).map_err(|error| chain(&error));
        }
        let language = Language::of(record.language.as_deref().unwrap_or_default());
        let message = outbox
            .templates
            .write(record.template, language, &record.to, &values);
        let sent = outbox.mailer.send(message).await;
        sent.map_err(|error| chain(&error))
    }

    fn values_of(&self, record: &MailRecord) -> Values {
        let ready = self.ready();
        let settings = &ready.settings;
        let redirect_to = settings.redirects.target(record.redirect_to.as_deref());
        let link = ready.one_time.link(record.token);
        Values {
            confirmation_url: with_query(
                &format!("{}/verify", settings.issuer),
                &[
                    ("token", link.as_str()),
                    ("type", record.template.as_str()),
                    ("redirect_to", &redirect_to),
                ],
            ),
            token: ready.one_time.code(record.token),
            token_hash: link,
            site_url: settings.redirects.site_url.clone(),
            redirect_to,
            email: record.email.clone(),
            new_email: record.new_email.clone(),
        }
    }

    /// Sends the SMS that a job stands for.
    ///
    /// # Errors
    /// Why it cannot be sent, as text for those who look after jobs.
    pub async fn send_sms(&self, record: &str, outbox: &Outbox) -> Result<(), String> {
        let record: SmsRecord = serde_json::from_str(record).map_err(|error| error.to_string())?;
        let ready = self.ready();
        let values = Values {
            token: ready.one_time.code(record.token),
            ..Values::default()
        };
        let language = Language::of(record.language.as_deref().unwrap_or_default());
        let message = outbox
            .templates
            .write(TemplateName::Sms, language, &record.to, &values);
        if let Some(hook) = &ready.settings.hooks.send_sms {
            let Some(user) = self.account(BY_ID, record.account).await? else {
                return Ok(());
            };
            let event = sms_event(&record, &values, &message, user);
            let sent = self
                .ask_hook(hook, ("send-sms", record.token), None, event)
                .await;
            return sent.map(drop).map_err(|error| chain(&error));
        }
        match &outbox.mailer {
            Mailer::Inbox(inbox) => {
                inbox.put(message);
                Ok(())
            }
            _ => Err("nobody sends SMS (auth.send_sms)".to_owned()),
        }
    }

    async fn account(&self, sql: &'static str, id: Uuid) -> Result<Option<Value>, String> {
        let found = self.read(sql, vec![text(id.to_string())]).await;
        let found = found.map_err(|error: AuthError| chain(&error))?;
        let account = found.text(0, 0).map(serde_json::from_str).transpose();
        account.map_err(|error| error.to_string())
    }
}

/// The event of Supabase Auth. The two mails that change an address are two events here: that to the address so far has `token`
/// and `token_hash_new`, that to the new one `token_new` and `token_hash`, as their names are there.
fn mail_event(record: &MailRecord, values: &Values, user: Value) -> Map<String, Value> {
    let is_to_new = record.template == TemplateName::EmailChange && record.to == record.new_email;
    let is_to_current = record.template == TemplateName::EmailChange && !is_to_new;
    let only = |is: bool, value: &str| if is { value.to_owned() } else { String::new() };
    let mut event = Map::new();
    event.insert("user".to_owned(), user);
    event.insert(
        "email_data".to_owned(),
        json!({
            "token": only(!is_to_new, &values.token),
            "token_hash": only(!is_to_current, &values.token_hash),
            "token_new": only(is_to_new, &values.token),
            "token_hash_new": only(is_to_current, &values.token_hash),
            "redirect_to": values.redirect_to, "site_url": values.site_url,
            "email_action_type": record.template.as_str(),
            "old_email": if record.template == TemplateName::EmailChange { &record.email } else { "" },
        }),
    );
    event
}

fn sms_event(
    record: &SmsRecord,
    values: &Values,
    message: &Message,
    user: Value,
) -> Map<String, Value> {
    let mut sms = json!({
        "otp": values.token, "phone": record.to, "message": message.text.trim(),
        "channel": record.channel.as_deref().unwrap_or("sms"),
    });
    if let Some(kind) = &record.kind {
        sms["sms_type"] = kind.as_str().into();
    }
    let mut event = Map::new();
    event.insert("user".to_owned(), user);
    event.insert("sms".to_owned(), sms);
    event
}
