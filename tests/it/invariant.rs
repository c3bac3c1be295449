//! No statement reaches a table without the caller's role and claims, whatever the requests before
//! it on the same connection did.

use std::cell::Cell;

use awc::Client;
use awc::http::header::AUTHORIZATION;
use futures_util::StreamExt;
use futures_util::stream::iter;
use passerelle_testkit::TestDb;
use serde_json::{Value, json};

use crate::callers::token;
use crate::gateway::{Gateway, SECRET};

const REQUESTS: usize = 10_000;
const USERS: usize = 37;
const AT_ONCE: usize = 64;

/// A table whose policy refuses to be evaluated for anyone but a role that was taken in the same
/// transaction as claims that name it.
const PROBE: &str = r"
    create function public.checked() returns boolean language plpgsql stable as $$
    declare claims jsonb := nullif(current_setting('request.jwt.claims', true), '')::jsonb;
    begin
      if current_user = session_user or claims is null or claims ->> 'role' <> current_user then
        raise exception 'a statement ran as % (session %) with claims %', current_user, session_user, claims;
      end if;
      return true;
    end $$;
    create table public.probe (id int primary key, owner text);
    insert into public.probe select n, 'user-' || (n % 37) from generate_series(1, 370) n;
    alter table public.probe enable row level security;
    create policy checked on public.probe for select
      using (public.checked() and (owner = current_setting('request.jwt.claims')::jsonb ->> 'sub'));
    create view public.whoami as
      select current_user::text as role, session_user::text as session,
             current_setting('request.jwt.claims', true)::jsonb ->> 'sub' as sub;
    grant select on public.probe, public.whoami to anon, authenticated, service_role;
";

/// What one request asks, and how it is told that the answer is the caller's.
#[derive(Clone, Copy)]
enum Question {
    Own,
    WhoAmI,
    FailsInTheDatabase,
    FailsBefore,
}

impl Question {
    fn of(turn: usize) -> Self {
        match turn % 7 {
            0 | 3 | 5 => Self::Own,
            1 | 4 => Self::WhoAmI,
            2 => Self::FailsInTheDatabase,
            _ => Self::FailsBefore,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Own => "/rest/v1/probe?select=id,owner&order=id",
            Self::WhoAmI => "/rest/v1/whoami",
            Self::FailsInTheDatabase => "/rest/v1/probe?select=id,nothing",
            Self::FailsBefore => "/rest/v1/probe?id=nonsense",
        }
    }
}

#[actix_web::test]
async fn every_statement_runs_under_the_role_and_claims_of_its_request() {
    let db = TestDb::platform().await;
    db.run(PROBE).await;
    let gateway = Gateway::serve(&db, &[("PASSERELLE_DATABASE_POOL_SIZE", "5")]).await;
    let callers = callers();
    let client = Client::default();
    let (own_rows, refused) = (Cell::new(0_usize), Cell::new(0_usize));

    iter(0..REQUESTS)
        .for_each_concurrent(AT_ONCE, |turn| {
            // Two strides without a common factor: every caller follows every other.
            let (role, sub, token) = &callers[turn * 11 % callers.len()];
            let question = Question::of(turn);
            let mut request = client.get(format!("{}{}", gateway.url, question.path()));
            if let Some(token) = token {
                request = request.insert_header((AUTHORIZATION, format!("Bearer {token}")));
            }
            let (own_rows, refused) = (&own_rows, &refused);
            async move {
                let mut response = request.send().await.expect("an answer");
                let body: Value = response.json().limit(1 << 20).await.expect("JSON");
                let status = response.status().as_u16();
                match question {
                    Question::Own => {
                        assert_eq!(status, 200, "{role} {sub:?}: {body}");
                        let rows = body.as_array().expect("rows");
                        assert!(
                            rows.iter()
                                .all(|row| row["owner"].as_str() == sub.as_deref())
                        );
                        assert_eq!(rows.is_empty(), *role != "authenticated", "{role}: {body}");
                        own_rows.set(own_rows.get() + rows.len());
                    }
                    Question::WhoAmI => assert_eq!(
                        body,
                        json!([{ "role": role, "session": "authenticator", "sub": sub }])
                    ),
                    Question::FailsInTheDatabase | Question::FailsBefore => {
                        assert_eq!(status, 400, "{body}");
                        refused.set(refused.get() + 1);
                    }
                }
            }
        })
        .await;

    assert!(
        own_rows.get() > REQUESTS,
        "the policy let rows through: {}",
        own_rows.get()
    );
    assert!(
        refused.get() > REQUESTS / 5,
        "failures were part of it: {}",
        refused.get()
    );
    connections_are_clean(&db).await;
}

/// The login role by itself has no way to a table, and no connection was left inside a transaction.
async fn connections_are_clean(db: &TestDb) {
    let client = db.client().await;
    let row = client
        .query_one(
            "select count(*) filter (where state <> 'idle'), count(*) from pg_stat_activity \
             where usename = 'authenticator' and datname = current_database()",
            &[],
        )
        .await
        .expect("pg_stat_activity");
    assert_eq!(row.get::<_, i64>(0), 0, "connections inside a transaction");
    assert!(row.get::<_, i64>(1) > 0, "the pool is there");
    let row = client
        .query_one(
            "select has_table_privilege('authenticator', 'public.probe', 'select')",
            &[],
        )
        .await
        .expect("privileges");
    assert!(
        !row.get::<_, bool>(0),
        "authenticator reads tables without taking a role"
    );
}

/// Role, subject and token: many users, the service and nobody.
fn callers() -> Vec<(&'static str, Option<String>, Option<String>)> {
    let mut callers = vec![("anon", None, None)];
    for user in 0..USERS {
        let sub = format!("user-{user}");
        let token = token(SECRET, json!({ "role": "authenticated", "sub": sub }));
        callers.push(("authenticated", Some(sub), Some(token)));
    }
    let mut callers: Vec<_> = callers.into_iter().collect();
    callers.push(("anon", None, Some(token(SECRET, json!({ "role": "anon" })))));
    callers
}
