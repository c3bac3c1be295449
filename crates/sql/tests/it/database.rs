//! Every golden SQL is run with its parameters: what PostgreSQL cannot prepare is found here, and
//! the bodies are those that clients see.

use std::error::Error;
use std::fmt::Write as _;

use bytes::BytesMut;
use passerelle_sql::column;
use passerelle_statement::{Param, Statement};
use passerelle_testkit::{TestClient, TestDb};
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::{Request, all_requests, statements};

/// A parameter sent as text, whatever type PostgreSQL has found for it.
#[derive(Debug)]
struct Untyped<'a>(&'a Param);

impl ToSql for Untyped<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        let Some(value) = self.0 else {
            return Ok(IsNull::Yes);
        };
        out.extend_from_slice(value);
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// A value as PostgreSQL sends it. Types of bodies read the same in both formats.
struct Raw(String);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Self(std::str::from_utf8(raw)?.to_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

async fn run(client: &TestClient, statement: &Statement) -> Vec<tokio_postgres::Row> {
    let prepared = client
        .prepare(&statement.text)
        .await
        .unwrap_or_else(|error| panic!("{error:?}\n{}", statement.text));
    let params = statement.params.iter().map(Untyped).collect::<Vec<_>>();
    let params = params
        .iter()
        .map(|param| param as &(dyn ToSql + Sync))
        .collect::<Vec<_>>();
    client
        .query(&prepared, &params)
        .await
        .unwrap_or_else(|error| panic!("{error:?}\n{}", statement.text))
}

async fn told(client: &TestClient, request: Request) -> String {
    let statements = statements(request);
    let rows = run(client, &statements.main).await;
    let [row] = rows.as_slice() else {
        panic!("{request:?} has {} rows", rows.len())
    };
    let total = match row.columns()[column::TOTAL].type_() {
        &Type::INT8 => row
            .get::<_, Option<i64>>(column::TOTAL)
            .map(|total| total.to_string()),
        _ => row.get::<_, Option<String>>(column::TOTAL),
    };
    let count = row.get::<_, i64>(column::PAGE_COUNT);
    let body = row.get::<_, Raw>(column::BODY).0;
    let mut text = format!("-- {}  {}\n", request.0, request.1);
    writeln!(text, "{count} of {}", total.as_deref().unwrap_or("?")).unwrap();
    writeln!(text, "{body}\n").unwrap();
    if let Some(explain) = &statements.explain {
        assert_eq!(run(client, explain).await.len(), 1);
    }
    text
}

#[tokio::test]
async fn every_golden_sql_runs() {
    let db = TestDb::with_sql(include_str!("schema.sql")).await;
    let client = db.client().await;
    let mut text = String::new();
    for &request in all_requests() {
        text.push_str(&told(&client, request).await);
    }
    client.close().await;
    insta::assert_snapshot!("bodies", text);
}
