//! What mails say: in English and French, or as files of a folder say it.
//!
//! Placeholders are those of Supabase's templates: `{{ .ConfirmationURL }}`, `{{ .Token }}`, `{{ .TokenHash }}`, `{{ .SiteURL }}`,
//! `{{ .RedirectTo }}`, `{{ .Email }}`, `{{ .NewEmail }}`; and `{{ .Code }}` in those for SMS. What they stand for is escaped in HTML.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The mails there are.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TemplateName {
    /// An address is to be confirmed.
    Signup,
    /// A link to sign in with.
    Magiclink,
    /// A password was forgotten.
    Recovery,
    /// Somebody is invited.
    Invite,
    /// Another address is to be confirmed.
    EmailChange,
    /// A change is to be confirmed by a code.
    Reauthentication,
    /// A code by SMS, of whose template only the text counts.
    Sms,
}

/// A language that there are texts in.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// French.
    Fr,
}

/// A mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The address of the recipient.
    pub to: String,
    /// The subject.
    pub subject: String,
    /// The body for most programs.
    pub html: String,
    /// The body for the others.
    pub text: String,
}

/// What placeholders stand for.
#[derive(Clone, Debug, Default)]
pub struct Values {
    /// `{{ .ConfirmationURL }}`: the link.
    pub confirmation_url: String,
    /// `{{ .Token }}`: the code.
    pub token: String,
    /// `{{ .TokenHash }}`: what `verifyOtp({ token_hash })` takes.
    pub token_hash: String,
    /// `{{ .SiteURL }}`
    pub site_url: String,
    /// `{{ .RedirectTo }}`
    pub redirect_to: String,
    /// `{{ .Email }}`
    pub email: String,
    /// `{{ .NewEmail }}`
    pub new_email: String,
}

/// A folder of templates that cannot be used.
#[derive(Debug, Error)]
#[error("the template {} cannot be read", .path.display())]
pub struct TemplateError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

/// The texts of all mails.
#[derive(Clone, Debug, Default)]
pub struct Templates {
    /// Of files, by name and language.
    own: HashMap<(TemplateName, Language), Parts>,
}

/// Subject, HTML and text, each with placeholders.
#[derive(Clone, Debug, Default)]
struct Parts {
    subject: Option<String>,
    html: Option<String>,
    text: Option<String>,
}

impl TemplateName {
    const ALL: [Self; 7] = [
        Self::Signup,
        Self::Magiclink,
        Self::Recovery,
        Self::Invite,
        Self::EmailChange,
        Self::Reauthentication,
        Self::Sms,
    ];

    /// The name of its files, without ending.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Signup => "signup",
            Self::Magiclink => "magiclink",
            Self::Recovery => "recovery",
            Self::Invite => "invite",
            Self::EmailChange => "email_change",
            Self::Reauthentication => "reauthentication",
            Self::Sms => "sms",
        }
    }

    /// Subject, sentence, and what the link says; the code is all there is without.
    fn words(self, language: Language) -> (&'static str, &'static str, Option<&'static str>) {
        match (self, language) {
            (Self::Signup, Language::En) => (
                "Confirm your address",
                "Confirm this address to finish signing up.",
                Some("Confirm"),
            ),
            (Self::Signup, Language::Fr) => (
                "Confirmez votre adresse",
                "Confirmez cette adresse pour terminer votre inscription.",
                Some("Confirmer"),
            ),
            (Self::Magiclink, Language::En) => (
                "Your link to sign in",
                "Follow this link to sign in. If you did not ask for it, ignore this message.",
                Some("Sign in"),
            ),
            (Self::Magiclink, Language::Fr) => (
                "Votre lien de connexion",
                "Suivez ce lien pour vous connecter. Si vous ne l'avez pas demandé, ignorez ce message.",
                Some("Se connecter"),
            ),
            (Self::Recovery, Language::En) => (
                "Choose a new password",
                "Follow this link to choose a new password. If you did not ask for it, ignore this message.",
                Some("Choose a password"),
            ),
            (Self::Recovery, Language::Fr) => (
                "Choisissez un nouveau mot de passe",
                "Suivez ce lien pour choisir un nouveau mot de passe. Si vous ne l'avez pas demandé, ignorez ce message.",
                Some("Choisir un mot de passe"),
            ),
            (Self::Invite, Language::En) => (
                "You have been invited",
                "You have been invited to create an account.",
                Some("Accept"),
            ),
            (Self::Invite, Language::Fr) => (
                "Vous êtes invité",
                "Vous êtes invité à créer un compte.",
                Some("Accepter"),
            ),
            (Self::EmailChange, Language::En) => (
                "Confirm the change of your address",
                "Confirm that the address of your account changes from {{ .Email }} to {{ .NewEmail }}.",
                Some("Confirm"),
            ),
            (Self::EmailChange, Language::Fr) => (
                "Confirmez le changement de votre adresse",
                "Confirmez que l'adresse de votre compte passe de {{ .Email }} à {{ .NewEmail }}.",
                Some("Confirmer"),
            ),
            (Self::Reauthentication, Language::En) => {
                ("Confirm that it is you", "Enter this code:", None)
            }
            (Self::Reauthentication, Language::Fr) => {
                ("Confirmez que c'est vous", "Saisissez ce code :", None)
            }
            (Self::Sms, Language::En) => ("SMS", "Your code is", None),
            (Self::Sms, Language::Fr) => ("Message", "Votre code est", None),
        }
    }

    /// The template that there is without files.
    fn parts(self, language: Language) -> (String, String, String) {
        let (subject, sentence, link) = self.words(language);
        let or = match language {
            Language::En => "Or enter the code",
            Language::Fr => "Ou saisissez le code",
        };
        let (html, text) = match link {
            None => (
                format!("<p>{sentence} <strong>{{{{ .Token }}}}</strong></p>"),
                format!("{sentence} {{{{ .Token }}}}\n"),
            ),
            Some(link) => (
                format!(
                    "<p>{sentence}</p>\n<p><a href=\"{{{{ .ConfirmationURL }}}}\">{link}</a></p>\n\
                     <p>{or} <strong>{{{{ .Token }}}}</strong></p>"
                ),
                format!("{sentence}\n\n{{{{ .ConfirmationURL }}}}\n\n{or} {{{{ .Token }}}}\n"),
            ),
        };
        let name = match language {
            Language::En => "en",
            Language::Fr => "fr",
        };
        let html = format!(
            "<!doctype html>\n<html lang=\"{name}\">\n<meta charset=\"utf-8\">\n<title>{subject}</title>\n\
             <body style=\"font-family: sans-serif\">\n{html}\n</body>\n</html>\n"
        );
        (subject.to_owned(), html, text)
    }
}

impl Language {
    /// The first that is known of a list as in `Accept-Language`, or English.
    pub fn of(text: &str) -> Self {
        let mut names = text.split(',').map(|name| name.trim().to_ascii_lowercase());
        let known = names.find_map(|name| match name.get(..2) {
            Some("fr") => Some(Self::Fr),
            Some("en") => Some(Self::En),
            _ => None,
        });
        known.unwrap_or_default()
    }

    /// Its code (ISO 639-1).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Fr => "fr",
        }
    }
}

impl Templates {
    /// Takes what there is in a folder: `en/signup.subject.txt`, `en/signup.html`, `en/signup.txt`, and so on. What is
    /// missing stays as it is.
    ///
    /// # Errors
    /// [`TemplateError`] for a file that is there and cannot be read.
    pub fn of_folder(folder: &Path) -> Result<Self, TemplateError> {
        let mut own = HashMap::new();
        for language in [Language::En, Language::Fr] {
            for name in TemplateName::ALL {
                let file = |ending: &str| {
                    let file = format!("{}.{ending}", name.as_str());
                    read(folder.join(language.as_str()).join(file))
                };
                let parts = Parts {
                    subject: file("subject.txt")?.map(|subject| subject.trim().to_owned()),
                    html: file("html")?,
                    text: file("txt")?,
                };
                own.insert((name, language), parts);
            }
        }
        Ok(Self { own })
    }

    /// Writes a mail.
    pub fn write(
        &self,
        name: TemplateName,
        language: Language,
        to: &str,
        values: &Values,
    ) -> Message {
        let (subject, html, text) = name.parts(language);
        let own = self.own.get(&(name, language)).cloned().unwrap_or_default();
        // A line of a header is one line.
        let subject = fill(&own.subject.unwrap_or(subject), values, str::to_owned);
        Message {
            to: to.to_owned(),
            subject: subject.replace(['\r', '\n'], " "),
            html: fill(&own.html.unwrap_or(html), values, escape),
            text: fill(&own.text.unwrap_or(text), values, str::to_owned),
        }
    }
}

fn read(path: PathBuf) -> Result<Option<String>, TemplateError> {
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(TemplateError { path, source }),
    }
}

/// Puts values into the places of their names, once: what they hold is not looked at again.
fn fill(template: &str, values: &Values, write: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(template.len() + 256);
    let mut rest = template;
    while let Some(start) = rest.find("{{") {
        out.push_str(&rest[..start]);
        let Some(end) = rest[start..].find("}}") else {
            break;
        };
        let value = match rest[start + 2..start + end].trim() {
            ".ConfirmationURL" => &values.confirmation_url,
            ".Token" | ".Code" => &values.token,
            ".TokenHash" => &values.token_hash,
            ".SiteURL" => &values.site_url,
            ".RedirectTo" => &values.redirect_to,
            ".Email" => &values.email,
            ".NewEmail" => &values.new_email,
            _ => "",
        };
        out.push_str(&write(value));
        rest = &rest[start + end + 2..];
    }
    out.push_str(rest);
    out
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        Values {
            confirmation_url: "https://example.org/verify?token=a&type=signup".to_owned(),
            token: "123456".to_owned(),
            email: "<b>{{ .Token }}@example.org".to_owned(),
            new_email: "new@example.org".to_owned(),
            ..Values::default()
        }
    }

    #[test]
    fn values_are_escaped_and_not_looked_at_again() {
        let templates = Templates::default();
        let mail = templates.write(TemplateName::EmailChange, Language::En, "a@b.c", &values());
        assert!(
            mail.html
                .contains("href=\"https://example.org/verify?token=a&amp;type=signup\"")
        );
        assert!(mail.html.contains("&lt;b&gt;{{ .Token }}@example.org"));
        assert!(
            mail.text
                .contains("https://example.org/verify?token=a&type=signup")
        );
        assert!(mail.text.contains("123456"));
    }

    #[test]
    fn all_mails_are_there_in_both_languages() {
        for name in TemplateName::ALL {
            let [en, fr] = [Language::En, Language::Fr]
                .map(|language| Templates::default().write(name, language, "a@b.c", &values()));
            assert_ne!(en.subject, fr.subject);
            for mail in [en, fr] {
                assert!(mail.text.contains("123456"), "{name:?}");
                assert!(!mail.html.contains("{{ .Conf"), "{name:?}");
            }
        }
        assert_eq!(Language::of("de-DE, fr-FR;q=0.9, en;q=0.8"), Language::Fr);
        assert_eq!(Language::of(""), Language::En);
    }

    #[test]
    fn files_take_the_place_of_single_parts() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("en")).unwrap();
        let file = folder.path().join("en/signup.subject.txt");
        fs::write(file, "Welcome {{ .NewEmail }}\n").unwrap();
        let templates = Templates::of_folder(folder.path()).unwrap();
        let mail = templates.write(TemplateName::Signup, Language::En, "a@b.c", &values());
        assert_eq!(mail.subject, "Welcome new@example.org");
        assert!(mail.text.contains("123456"));
    }
}
