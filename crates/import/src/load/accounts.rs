//! People: their profiles, and the accounts that they sign in with.

use std::collections::HashSet;

use serde_json::json;

use super::Load;
use crate::ImportError;
use crate::collect::{Collected, Fate};
use crate::copy::{Line, copy, line};
use crate::credentials::Password;
use crate::ids::derived;
use crate::outcome::Reason;
use crate::people::{People, Person};
use crate::spool::Cell;
use crate::table::{Kind, Table};

const USERS: &str = "auth.users (instance_id, id, aud, role, email, encrypted_password, email_confirmed_at, \
    last_sign_in_at, raw_app_meta_data, raw_user_meta_data, created_at, updated_at, confirmation_token, \
    recovery_token, email_change, email_change_token_new)";
const IDENTITIES: &str =
    "auth.identities (id, provider_id, user_id, identity_data, provider, created_at, updated_at)";
const NO_INSTANCE: &str = "00000000-0000-0000-0000-000000000000";
/// The longest address of a picture that becomes part of every token.
const LONGEST_PICTURE: usize = 2_000;

impl Load<'_, '_> {
    /// Writes those who are new. Who is there already stays as they are.
    pub(super) async fn people(
        &mut self,
        all: &mut Collected,
        people: &People,
    ) -> Result<(), ImportError> {
        let mut refused: HashSet<usize> = HashSet::new();
        let mut lines = Vec::new();
        for (at, person) in people.all.iter().enumerate() {
            if !person.has_profile {
                let text = line(&self.profile(all, person)?);
                lines.push(Line { row: at, text });
            }
        }
        let columns = Table::Profiles.columns().iter().map(|column| column.name);
        let columns: Vec<&str> = ["id", "user_id", "email"]
            .into_iter()
            .chain(columns)
            .collect();
        let into = format!("public.profiles ({})", columns.join(", "));
        for no in copy(self.transaction, &into, &lines).await? {
            refused.insert(no.row);
            if let Some((row, _)) = people.all[no.row].profile {
                all.rows[row].fate = Fate::Kept(Reason::Refused(no.why));
            }
        }
        self.written += lines.len() as u64;
        let new = people.all.iter().enumerate();
        let new = new.filter(|(at, person)| !person.has_account && !refused.contains(at));
        let (mut users, mut identities) = (Vec::new(), Vec::new());
        for (row, person) in new {
            let [user, identity] = self.account(all, person);
            users.push(Line {
                row,
                text: line(&user),
            });
            identities.push(Line {
                row,
                text: line(&identity),
            });
        }
        for (into, lines) in [(USERS, users), (IDENTITIES, identities)] {
            if let Some(no) = copy(self.transaction, into, &lines)
                .await?
                .into_iter()
                .next()
            {
                let email = people.all[no.row].email.clone();
                return Err(ImportError::Account { email, why: no.why });
            }
        }
        Ok(())
    }

    fn profile(&self, all: &Collected, person: &Person) -> Result<Vec<Cell>, ImportError> {
        let id = person.id.to_string();
        let mut cells = vec![
            Cell::Text(id.clone()),
            Cell::Text(id),
            Cell::Text(person.email.clone()),
        ];
        let mut read = match person.profile {
            Some((row, _)) => {
                let row = &all.rows[row];
                let mut cells = self.spooled.read(row.span)?;
                self.embed(all, row, &mut cells)?;
                cells
            }
            None => Table::Profiles
                .columns()
                .iter()
                .map(|_| Cell::Null)
                .collect(),
        };
        if person.profile.is_none() {
            let local = person.email.split('@').next().unwrap_or_default();
            read[1] = Cell::Text(local.to_owned());
        }
        for (column, cell) in Table::Profiles.columns().iter().zip(read) {
            cells.push(match column.kind {
                Kind::Created => self.time(all, person.place, person.created),
                Kind::Updated => self.time(all, person.place, person.updated.or(person.created)),
                _ if column.name == "username" => Cell::Text(person.username.clone()),
                _ => cell,
            });
        }
        Ok(cells)
    }

    /// An account and its identity.
    fn account(&self, all: &Collected, person: &Person) -> [Vec<Cell>; 2] {
        let text = |text: &str| Cell::Text(text.to_owned());
        let id = person.id.to_string();
        let created = self.time(all, person.place, person.created);
        let used = person
            .used
            .map_or(Cell::Null, |used| Cell::Text(used.text()));
        let password = person.password.as_ref().map(Password::phc);
        let profile = person.profile.map(|(_, at)| &all.profiles[at]);
        let mut said = serde_json::Map::new();
        if let Some(name) = profile.and_then(|profile| profile.full_name.as_deref()) {
            said.insert("full_name".to_owned(), name.into());
        }
        let picture = profile.and_then(|profile| profile.avatar_url.as_deref());
        if let Some(url) = picture.filter(|url| url.len() <= LONGEST_PICTURE && url.contains("://"))
        {
            said.insert("avatar_url".to_owned(), url.into());
        }
        let account = vec![
            text(NO_INSTANCE),
            text(&id),
            text("authenticated"),
            text("authenticated"),
            text(&person.email),
            Cell::Text(password.unwrap_or_default()),
            created.clone(),
            used,
            Cell::Text(json!({ "provider": "email", "providers": ["email"] }).to_string()),
            Cell::Text(serde_json::Value::Object(said).to_string()),
            created.clone(),
            created.clone(),
            text(""),
            text(""),
            text(""),
            text(""),
        ];
        let data = json!({
            "sub": id, "email": person.email, "email_verified": true, "phone_verified": false,
        });
        let identity = vec![
            Cell::Text(derived("identity", &id).to_string()),
            text(&id),
            text(&id),
            Cell::Text(data.to_string()),
            text("email"),
            created.clone(),
            created,
        ];
        [account, identity]
    }
}
