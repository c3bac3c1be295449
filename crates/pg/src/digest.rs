//! Notices changes of roles, memberships and role settings, of which PostgreSQL tells nobody.

use tokio_postgres::{Client, Error};

const DIGEST: &str = include_str!("digest.sql");

/// A short text that changes when roles, memberships, role settings or the server's version do.
pub async fn digest(client: &Client) -> Result<String, Error> {
    client.query_typed_one(DIGEST, &[]).await?.try_get(0)
}
