//! Asking the database, always as `supabase_auth_admin` and in a transaction of its own.

use std::sync::LazyLock;

use bytes::Bytes;
use passerelle_pg::Prelude;
use passerelle_statement::{Param, Statement};
use passerelle_surface::{Closing, Noted, Writes};
use passerelle_wire::{Flight, ResultSet, Scope};

use crate::error::AuthError;
use crate::state::AuthState;

const ROLE: &str = "supabase_auth_admin";
const CLAIMS: &str = r#"{"role":"supabase_auth_admin"}"#;

/// Whose statements these are: names are written with their schemas.
static SCOPE: LazyLock<Scope> = LazyLock::new(|| Scope::new(ROLE, ""));

static READ: LazyLock<Vec<Statement>> = LazyLock::new(|| prelude(true));
static WRITE: LazyLock<Vec<Statement>> = LazyLock::new(|| prelude(false));

fn prelude(read_only: bool) -> Vec<Statement> {
    let prelude = Prelude {
        search_path: "",
        role_settings: &[],
        role: ROLE,
        claims: CLAIMS,
        method: "",
        path: "",
        headers: "",
        cookies: "",
        timezone: None,
        function_settings: &[],
        app_settings: &[],
        read_only,
        pre_request: None,
        leavings: None,
    };
    prelude.statements()
}

/// A parameter.
#[expect(clippy::unnecessary_wraps, reason = "parameters may be null")]
pub(crate) fn text(value: impl AsRef<str>) -> Param {
    // PostgreSQL's text has no NUL.
    let value = value.as_ref().split('\0').next().unwrap_or_default();
    Some(Bytes::copy_from_slice(value.as_bytes()))
}

/// A parameter that is true or false.
pub(crate) fn flag(value: bool) -> Param {
    text(if value { "true" } else { "false" })
}

/// A parameter that may be absent.
pub(crate) fn optional(value: Option<impl AsRef<str>>) -> Param {
    value.and_then(text)
}

impl AuthState {
    /// Asks without changing anything.
    pub(crate) async fn read(
        &self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<ResultSet, AuthError> {
        let statement = statement(sql, params);
        let mut connection = self.pool.acquire(ROLE).await?;
        let flight = Flight::new(&statement, &SCOPE).prelude(&READ);
        Ok(connection.fly(&flight).await?)
    }

    /// Runs a statement that is not one of ours. When this returns, nobody is answered from before.
    pub(crate) async fn call(
        &self,
        text: String,
        params: Vec<Param>,
    ) -> Result<ResultSet, AuthError> {
        self.change(Statement { text, params }).await
    }

    /// Changes something. When this returns, nobody is answered from before.
    pub(crate) async fn write(
        &self,
        sql: &'static str,
        params: Vec<Param>,
    ) -> Result<ResultSet, AuthError> {
        self.change(statement(sql, params)).await
    }

    async fn change(&self, statement: Statement) -> Result<ResultSet, AuthError> {
        let fence = self.shared.fence.as_deref();
        let writes = fence.map(|fence| Writes::new(fence, Closing::Checked));
        let closing = writes.map_or(&[][..], |writes| writes.closing().statements());
        let result = {
            let mut connection = self.pool.acquire(ROLE).await?;
            let flight = Flight::new(&statement, &SCOPE).prelude(&WRITE);
            connection.fly(&flight.closing(closing)).await?
        };
        if let Some(writes) = writes {
            writes.pass(Noted::read(&result)).await;
        }
        Ok(result)
    }
}

fn statement(sql: &'static str, params: Vec<Param>) -> Statement {
    Statement {
        text: sql.to_owned(),
        params,
    }
}
