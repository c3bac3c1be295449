//! Every golden SQL is run with its parameters: what PostgreSQL cannot prepare is found here, and
//! the bodies are those that clients see.

use std::error::Error;
use std::fmt::Write as _;

use bytes::BytesMut;
use passerelle_sql::{column, export_column, render, render_export, write_column};
use passerelle_statement::{Param, Statement};
use passerelle_testkit::{TestClient, TestDb};
use tokio_postgres::Row;
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::{Request, Sent, all_requests, calls, heading, plan_of, statement, statements, writes};

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

async fn try_run(
    client: &TestClient,
    statement: &Statement,
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let prepared = client.prepare(&statement.text).await?;
    let params = statement.params.iter().map(Untyped).collect::<Vec<_>>();
    let params = params
        .iter()
        .map(|param| param as &(dyn ToSql + Sync))
        .collect::<Vec<_>>();
    client.query(&prepared, &params).await
}

async fn run(client: &TestClient, statement: &Statement) -> Vec<Row> {
    try_run(client, statement)
        .await
        .unwrap_or_else(|error| panic!("{error:?}\n{}", statement.text))
}

/// A value as text, whatever its type.
fn cell(row: &Row, column: usize) -> String {
    let text = match *row.columns()[column].type_() {
        Type::INT8 => row
            .get::<_, Option<i64>>(column)
            .map(|value| value.to_string()),
        Type::INT4 => row
            .get::<_, Option<i32>>(column)
            .map(|value| value.to_string()),
        _ => row.get::<_, Option<Raw>>(column).map(|Raw(value)| value),
    };
    text.unwrap_or_else(|| "?".to_owned())
}

async fn told(client: &TestClient, request: Request) -> String {
    let statements = statements(request);
    let rows = run(client, &statements.main).await;
    let [row] = rows.as_slice() else {
        panic!("{request:?} has {} rows", rows.len())
    };
    let mut text = format!("-- {}  {}\n", request.0, request.1);
    writeln!(
        text,
        "{} of {}",
        cell(row, column::PAGE_COUNT),
        cell(row, column::TOTAL)
    )
    .unwrap();
    writeln!(text, "{}\n", cell(row, column::BODY)).unwrap();
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

/// A read as an export has the rows of the read as a body, and the total where that is counted.
#[tokio::test]
async fn every_golden_read_can_be_exported() {
    let db = TestDb::with_sql(include_str!("schema.sql")).await;
    let client = db.client().await;
    for &request in all_requests() {
        let plan = plan_of(request);
        let read = run(&client, &render(&plan).main).await;
        let export = render_export(&plan);
        let [head] = run(&client, &export.head).await.try_into().unwrap();
        let rows = run(&client, &export.rows).await;
        assert_eq!(
            rows.len().to_string(),
            cell(&read[0], column::PAGE_COUNT),
            "{request:?}"
        );
        let total = cell(&head, export_column::TOTAL);
        if export.total_counts_rows || plan.count.is_none() {
            assert_eq!(total, cell(&read[0], column::TOTAL), "{request:?}");
        }
        assert_eq!(run(&client, &export.tail).await.len(), 1);
        assert_eq!(export.explain, render(&plan).explain);
    }
    client.close().await;
}

/// Runs a write or a call in a transaction of its own, which is rolled back.
async fn run_once(client: &TestClient, sent: Sent) -> Result<Vec<Row>, tokio_postgres::Error> {
    client.execute("BEGIN", &[]).await.unwrap();
    client
        .execute("SET LOCAL search_path TO test", &[])
        .await
        .unwrap();
    let rows = try_run(client, &statement(sent)).await;
    client.execute("ROLLBACK", &[]).await.unwrap();
    rows
}

fn refusal(error: &tokio_postgres::Error) -> String {
    let error = error
        .as_db_error()
        .unwrap_or_else(|| panic!("PostgreSQL is asked and answers: {error:?}"));
    format!("{} {}", error.code().code(), error.message())
}

/// What is told of each request: all columns of its row, or its error.
async fn told_of(client: &TestClient, requests: &[Sent], columns: &[(&str, usize)]) -> String {
    let mut text = String::new();
    for &sent in requests {
        let (target, headers, body) = sent;
        writeln!(text, "-- {}", heading(target, headers)).unwrap();
        writeln!(text, "-- {}", body.escape_ascii()).unwrap();
        match run_once(client, sent).await {
            Err(error) => writeln!(text, "{}", refusal(&error)).unwrap(),
            Ok(rows) => {
                let [row] = rows.as_slice() else {
                    panic!("{target} has {} rows", rows.len())
                };
                let there = columns.iter().filter(|(_, column)| *column < row.len());
                for &(name, column) in there {
                    let value = cell(row, column);
                    if !matches!(&*value, "" | "?") {
                        writeln!(text, "{name}: {value}").unwrap();
                    }
                }
            }
        }
        text.push('\n');
    }
    text
}

#[tokio::test]
async fn every_golden_write_runs() {
    let db = TestDb::with_sql(include_str!("schema.sql")).await;
    let client = db.client().await;
    let columns = [
        ("rows", write_column::PAGE_COUNT),
        ("headers", write_column::RESPONSE_HEADERS),
        ("status", write_column::RESPONSE_STATUS),
        ("location", write_column::LOCATION),
        ("inserted", write_column::INSERTED),
        ("body", write_column::BODY),
    ];
    let key_columns = [
        columns.as_slice(),
        &[
            ("duplicates", write_column::DUPLICATE_KEYS),
            ("unmatched", write_column::UNMATCHED),
            ("unmatched keys", write_column::UNMATCHED_KEYS),
        ],
    ]
    .concat();
    let requests = [
        writes::INSERTS,
        writes::LOCATIONS,
        writes::UPSERTS,
        writes::CONFLICTS,
        writes::CHANGES,
    ];
    let text = told_of(&client, &requests.concat(), &columns).await;
    insta::assert_snapshot!("writes", text);
    let requests = [writes::BY_KEYS, writes::OPERATIONS].concat();
    let text = told_of(&client, &requests, &key_columns).await;
    client.close().await;
    insta::assert_snapshot!("updates", text);
}

#[tokio::test]
async fn every_golden_call_runs() {
    let db = TestDb::with_sql(include_str!("schema.sql")).await;
    let client = db.client().await;
    let columns = [
        ("rows", column::PAGE_COUNT),
        ("total", column::TOTAL),
        ("headers", column::RESPONSE_HEADERS),
        ("status", column::RESPONSE_STATUS),
        ("body", column::BODY),
    ];
    let requests = [calls::ARGUMENTS, calls::RESULTS].concat();
    let text = told_of(&client, &requests, &columns).await;
    client.close().await;
    insta::assert_snapshot!("calls", text);
}

#[tokio::test]
async fn plans_of_statements_are_told() {
    let db = TestDb::with_sql(include_str!("schema.sql")).await;
    let client = db.client().await;
    for &sent in writes::EXPLAINED {
        let rows = run_once(&client, sent).await.unwrap();
        let told = cell(&rows[0], 0);
        let is_json = sent.1.contains("+json");
        assert_eq!(is_json, told.starts_with("[\n"), "{told}");
        assert!(told.to_lowercase().contains("cost"), "{told}");
    }
    client.close().await;
}
