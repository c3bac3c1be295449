//! Roles that sign in with a password: the database is told the one they come with.

use passerelle_wire::ClientError;
use thiserror::Error;
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use crate::control::ControlEndpoint;

/// A statement that sets a password, for a role that may not do everything anyway.
const STATEMENT: &str = "select pg_catalog.format('alter role %I with login password %L', r.rolname, $2) \
     from pg_catalog.pg_roles r where r.rolname = $1 and not r.rolsuper and r.rolname <> session_user";

/// Why a role cannot sign in.
#[derive(Debug, Error)]
pub enum AdmitError {
    /// The server was not asked, or refused for another reason than the password.
    #[error("the role {role} cannot sign in")]
    SignIn {
        /// The role.
        role: String,
        /// The server's word.
        #[source]
        source: ClientError,
    },
    /// It has no password to be given.
    #[error(
        "the role {role} cannot sign in, and its connection URI holds no password that it could be given"
    )]
    NoPassword {
        /// The role.
        role: String,
    },
    /// It is no role whose password is set here.
    #[error(
        "the role {role} cannot sign in: it does not exist, or is a superuser whose password is not changed from here"
    )]
    NotOurs {
        /// The role.
        role: String,
    },
    /// The password cannot be set.
    #[error("the password of the role {role} cannot be set")]
    Set {
        /// The role.
        role: String,
        /// The server's word.
        #[source]
        source: tokio_postgres::Error,
    },
}

/// Sees to it that the role of `login` can sign in with its password where `owner`, who has the connection `client`, does.
/// A role that can is left alone. Whether its password was set.
pub async fn admit(
    owner: &ControlEndpoint,
    client: &Client,
    login: &ControlEndpoint,
) -> Result<bool, AdmitError> {
    let role = login.user().to_owned();
    match owner.signed_in_as(login).connect().await {
        Ok(_) => return Ok(false),
        Err(error) if is_refused(&error) => {}
        Err(source) => return Err(AdmitError::SignIn { role, source }),
    }
    let Some(verifier) = login.password_verifier() else {
        return Err(AdmitError::NoPassword { role });
    };
    let failed = |source| AdmitError::Set {
        role: role.clone(),
        source,
    };
    let parameters: [(&(dyn tokio_postgres::types::ToSql + Sync), Type); 2] =
        [(&role, Type::TEXT), (&verifier, Type::TEXT)];
    let statement = client.query_typed_opt(STATEMENT, &parameters).await;
    let Some(row) = statement.map_err(failed)? else {
        return Err(AdmitError::NotOurs { role });
    };
    let statement: String = row.try_get(0).map_err(failed)?;
    client.execute(&statement, &[]).await.map_err(failed)?;
    Ok(true)
}

fn is_refused(error: &ClientError) -> bool {
    let ClientError::SignIn(error) = error else {
        return false;
    };
    let refusals = [
        SqlState::INVALID_PASSWORD,
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
    ];
    error.code().is_some_and(|code| refusals.contains(code))
}
