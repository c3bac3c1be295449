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
    insta::assert_snapshot!(text, @r##"
    -- /projects  
    4 of ?
    [{"id":1,"name":"alpha","client_id":1,"data":{"a": {"b": [1, 2]}, "n": 7},"tags":["x","y"],"period":"[2024-01-01,2024-02-01)"}, 
     {"id":2,"name":"beta, or so","client_id":1,"data":null,"tags":[],"period":null}, 
     {"id":3,"name":"gamma","client_id":2,"data":{"n": 5},"tags":null,"period":"[2024-03-01,)"}, 
     {"id":4,"name":null,"client_id":null,"data":null,"tags":null,"period":null}]

    -- /projects?id=eq.1  
    1 of ?
    [{"id":1,"name":"alpha","client_id":1,"data":{"a": {"b": [1, 2]}, "n": 7},"tags":["x","y"],"period":"[2024-01-01,2024-02-01)"}]

    -- /projects?select=id,title:name,client_id::text  
    4 of ?
    [{"id":1,"title":"alpha","client_id":"1"}, 
     {"id":2,"title":"beta, or so","client_id":"1"}, 
     {"id":3,"title":"gamma","client_id":"2"}, 
     {"id":4,"title":null,"client_id":null}]

    -- /projects?select=data->a->b->>0,n:data->n,tags->0  
    4 of ?
    [{"b":"1","n":7,"tags":"x"}, 
     {"b":null,"n":null,"tags":null}, 
     {"b":null,"n":5,"tags":null}, 
     {"b":null,"n":null,"tags":null}]

    -- /projects?select=data->>n::int  
    4 of ?
    [{"n":7}, 
     {"n":null}, 
     {"n":5}, 
     {"n":null}]

    -- /widgets?select=*  
    2 of ?
    [{"id":1,"color":"#0000ff","od\"d":"q\"uote"}, 
     {"id":2,"color":"#00ff00","od\"d":"*"}]

    -- /widgets?select=color,%22od%5C%22d%22&order=%22od%5C%22d%22  
    2 of ?
    [{"color":"#00ff00","od\"d":"*"}, 
     {"color":"#0000ff","od\"d":"q\"uote"}]

    -- /projects?order=client_id.desc.nullslast,data->>n.asc,name.nullsfirst  
    4 of ?
    [{"id":3,"name":"gamma","client_id":2,"data":{"n": 5},"tags":null,"period":"[2024-03-01,)"}, 
     {"id":1,"name":"alpha","client_id":1,"data":{"a": {"b": [1, 2]}, "n": 7},"tags":["x","y"],"period":"[2024-01-01,2024-02-01)"}, 
     {"id":2,"name":"beta, or so","client_id":1,"data":null,"tags":[],"period":null}, 
     {"id":4,"name":null,"client_id":null,"data":null,"tags":null,"period":null}]

    -- /projects?limit=25  
    4 of ?
    [{"id":1,"name":"alpha","client_id":1,"data":{"a": {"b": [1, 2]}, "n": 7},"tags":["x","y"],"period":"[2024-01-01,2024-02-01)"}, 
     {"id":2,"name":"beta, or so","client_id":1,"data":null,"tags":[],"period":null}, 
     {"id":3,"name":"gamma","client_id":2,"data":{"n": 5},"tags":null,"period":"[2024-03-01,)"}, 
     {"id":4,"name":null,"client_id":null,"data":null,"tags":null,"period":null}]

    -- /projects?limit=25&offset=50&order=id  
    0 of ?
    []

    -- /projects?offset=2  
    2 of ?
    [{"id":3,"name":"gamma","client_id":2,"data":{"n": 5},"tags":null,"period":"[2024-03-01,)"}, 
     {"id":4,"name":null,"client_id":null,"data":null,"tags":null,"period":null}]

    -- /projects?limit=0  
    0 of ?
    []

    -- /projects?limit=100000  
    4 of ?
    [{"id":1,"name":"alpha","client_id":1,"data":{"a": {"b": [1, 2]}, "n": 7},"tags":["x","y"],"period":"[2024-01-01,2024-02-01)"}, 
     {"id":2,"name":"beta, or so","client_id":1,"data":null,"tags":[],"period":null}, 
     {"id":3,"name":"gamma","client_id":2,"data":{"n": 5},"tags":null,"period":"[2024-03-01,)"}, 
     {"id":4,"name":null,"client_id":null,"data":null,"tags":null,"period":null}]

    -- /projects?select=client_id,count(),id.max()::text,total:id::numeric.sum()&order=client_id  
    3 of ?
    [{"client_id":1,"count":2,"max":"2","total":3}, 
     {"client_id":2,"count":1,"max":"3","total":3}, 
     {"client_id":null,"count":1,"max":"4","total":4}]

    -- /projects?select=client_id.count()  
    1 of ?
    [{"count":3}]

    -- /projects?select=kind:data->>n,id.avg()&id=eq.1  
    1 of ?
    [{"kind":"7","avg":1.00000000000000000000}]

    -- /projects?id=gt.1  prefer: count=exact
    3 of 3
    [{"id":2,"name":"beta, or so","client_id":1,"data":null,"tags":[],"period":null}, 
     {"id":3,"name":"gamma","client_id":2,"data":{"n": 5},"tags":null,"period":"[2024-03-01,)"}, 
     {"id":4,"name":null,"client_id":null,"data":null,"tags":null,"period":null}]

    -- /projects?id=gt.1&limit=2  prefer: count=exact
    2 of 3
    [{"id":2,"name":"beta, or so","client_id":1,"data":null,"tags":[],"period":null}, 
     {"id":3,"name":"gamma","client_id":2,"data":{"n": 5},"tags":null,"period":"[2024-03-01,)"}]

    -- /projects?id=gt.1&limit=2  prefer: count=planned
    2 of ?
    [{"id":2,"name":"beta, or so","client_id":1,"data":null,"tags":[],"period":null}, 
     {"id":3,"name":"gamma","client_id":2,"data":{"n": 5},"tags":null,"period":"[2024-03-01,)"}]

    -- /projects?id=gt.1  prefer: count=estimated; x: max-rows
    3 of 3
    [{"id":2,"name":"beta, or so","client_id":1,"data":null,"tags":[],"period":null}, 
     {"id":3,"name":"gamma","client_id":2,"data":{"n": 5},"tags":null,"period":"[2024-03-01,)"}, 
     {"id":4,"name":null,"client_id":null,"data":null,"tags":null,"period":null}]

    -- /projects?select=id,clients!inner(name)&clients.name=eq.Ada&limit=1  prefer: count=exact
    1 of 2
    [{"id":2,"clients":{"name": "Ada"}}]

    -- /projects?select=id,tasks()&tasks=is.null&limit=1  prefer: count=exact
    1 of 1
    [{"id":4}]

    -- /projects?select=id,clients()&clients=not.is.null&limit=1  prefer: count=exact
    1 of 3
    [{"id":1}]

    -- /projects?select=id&id=eq.1&name=neq.x&id=gt.0&id=gte.1&id=lt.9&id=lte.8  
    1 of ?
    [{"id":1}]

    -- /projects?select=id&name=like.a*&name=ilike.*A*&name=match.^a&name=imatch.^A  
    1 of ?
    [{"id":1}]

    -- /projects?select=id&id=eq(any).{1,2}&name=like(all).{a*,*a}&id=lt(all).{7,8}  
    1 of ?
    [{"id":1}]

    -- /projects?select=id&id=in.(1,2,3)  
    3 of ?
    [{"id":1}, 
     {"id":2}, 
     {"id":3}]

    -- /projects?select=id&name=in.(%22a,b%22,%22c\%22d%22,e)  
    0 of ?
    []

    -- /projects?select=id&id=in.()  
    0 of ?
    []

    -- /projects?select=id&name=is.null&name=is.not_null&name=isdistinct.x  
    0 of ?
    []

    -- /projects?select=id&name=not.is.null&id=not.in.(1,2)&name=not.eq.x  
    1 of ?
    [{"id":3}]

    -- /projects?select=id&tags=cs.{x}&tags=cd.{x,y}&tags=ov.{x}  
    1 of ?
    [{"id":1}]

    -- /projects?select=id&period=sl.[2024-01-01,2025-01-01)&period=sr.(,2020-01-01]  
    0 of ?
    []

    -- /projects?select=id&period=nxr.[2024-01-01,)&period=nxl.(,)&period=adj.[2024-02-01,)  
    1 of ?
    [{"id":1}]

    -- /projects?select=id&name=fts.alpha&name=plfts(english).or%20so&name=not.wfts.x  
    0 of ?
    []

    -- /projects?select=id&name=phfts(simple).or%20so&data=cs.{%22n%22:7}  
    0 of ?
    []

    -- /projects?select=id&data->>n=eq.7&data->a->b->0=eq.1&tags->>0=eq.x  
    1 of ?
    [{"id":1}]

    -- /widgets?select=id&color=eq.%230000ff&color=in.(%230000ff,%2300ff00)&color=in.()  
    0 of ?
    []

    -- /projects?select=id&or=(id.eq.1,and(name.like.g*,not.or(id.lt.2,id.gt.9)))  
    2 of ?
    [{"id":1}, 
     {"id":3}]

    -- /projects?select=id&not.and=(id.eq.1,name.in.(a,b))&id=lt.9  
    4 of ?
    [{"id":1}, 
     {"id":2}, 
     {"id":3}, 
     {"id":4}]

    -- /projects?select=id,clients(name)  
    4 of ?
    [{"id":1,"clients":{"name": "Ada"}}, 
     {"id":2,"clients":{"name": "Ada"}}, 
     {"id":3,"clients":{"name": "Bob \"B\""}}, 
     {"id":4,"clients":null}]

    -- /clients?select=name,projects(id,tasks(name))&order=id  
    3 of ?
    [{"name":"Ada","projects":[{"id": 1, "tasks": [{"name": "plan"}, {"name": "build"}]}, {"id": 2, "tasks": [{"name": "ship"}]}]}, 
     {"name":"Bob \"B\"","projects":[{"id": 3, "tasks": [{"name": null}]}]}, 
     {"name":null,"projects":[]}]

    -- /clients?select=*,projects(*)&projects.order=id.desc&projects.limit=1&limit=2  
    2 of ?
    [{"id":1,"name":"Ada","projects":[{"id": 2, "data": null, "name": "beta, or so", "tags": [], "period": null, "client_id": 1}]}, 
     {"id":2,"name":"Bob \"B\"","projects":[{"id": 3, "data": {"n": 5}, "name": "gamma", "tags": null, "period": "[2024-03-01,)", "client_id": 2}]}]

    -- /projects?select=id,clients!inner(name)&clients.name=eq.Ada  
    2 of ?
    [{"id":1,"clients":{"name": "Ada"}}, 
     {"id":2,"clients":{"name": "Ada"}}]

    -- /clients?select=id,projects!inner(id)&projects.id=gt.2  
    1 of ?
    [{"id":2,"projects":[{"id": 3}]}]

    -- /clients?select=id,projects!inner()&projects.id=lt.3  
    1 of ?
    [{"id":1}]

    -- /clients?select=id,projects()&projects=is.null  
    1 of ?
    [{"id":3}]

    -- /clients?select=id,projects(id)&or=(projects.not.is.null,id.eq.3)  
    3 of ?
    [{"id":1,"projects":[{"id": 1}, {"id": 2}]}, 
     {"id":2,"projects":[{"id": 3}]}, 
     {"id":3,"projects":[]}]

    -- /projects?select=id,clients()&clients=not.is.null  
    3 of ?
    [{"id":1}, 
     {"id":2}, 
     {"id":3}]

    -- /projects?select=id,clients(name)&order=clients(name).desc.nullslast,id  
    4 of ?
    [{"id":3,"clients":{"name": "Bob \"B\""}}, 
     {"id":1,"clients":{"name": "Ada"}}, 
     {"id":2,"clients":{"name": "Ada"}}, 
     {"id":4,"clients":null}]

    -- /users?select=name,tasks(name)&tasks.order=id  
    2 of ?
    [{"name":"Eve","tasks":[{"name": "plan"}, {"name": "build"}]}, 
     {"name":"Dan","tasks":[{"name": "build"}, {"name": "ship"}]}]

    -- /users?select=name,tasks!inner(name,projects(name))&tasks.hours=gt.4  
    2 of ?
    [{"name":"Eve","tasks":[{"name": "build", "projects": {"name": "alpha"}}]}, 
     {"name":"Dan","tasks":[{"name": "build", "projects": {"name": "alpha"}}]}]

    -- /projects?select=id,longest_task(name),open_tasks(id)&open_tasks.order=id  
    4 of ?
    [{"id":1,"longest_task":{"name": "build"},"open_tasks":[{"id": 1}, {"id": 2}]}, 
     {"id":2,"longest_task":{"name": "ship"},"open_tasks":[]}, 
     {"id":3,"longest_task":{"name": null},"open_tasks":[]}, 
     {"id":4,"longest_task":null,"open_tasks":[]}]

    -- /tasks?select=id,projects(id,longest_task(id))&order=id  
    4 of ?
    [{"id":1,"projects":{"id": 1, "longest_task": {"id": 2}}}, 
     {"id":2,"projects":{"id": 1, "longest_task": {"id": 2}}}, 
     {"id":3,"projects":{"id": 2, "longest_task": {"id": 3}}}, 
     {"id":4,"projects":{"id": 3, "longest_task": {"id": 4}}}]

    -- /projects?select=id,...clients(client:name)  
    4 of ?
    [{"id":1,"client":"Ada"}, 
     {"id":2,"client":"Ada"}, 
     {"id":3,"client":"Bob \"B\""}, 
     {"id":4,"client":null}]

    -- /projects?select=id,...clients(*)  
    4 of ?
    [{"id":1,"id":1,"name":"Ada"}, 
     {"id":2,"id":1,"name":"Ada"}, 
     {"id":3,"id":2,"name":"Bob \"B\""}, 
     {"id":4,"id":null,"name":null}]

    -- /clients?select=id,...projects(project_ids:id,names:name)&projects.order=name.desc  
    3 of ?
    [{"id":1,"project_ids":[2, 1],"names":["beta, or so", "alpha"]}, 
     {"id":2,"project_ids":[3],"names":["gamma"]}, 
     {"id":3,"project_ids":[],"names":[]}]

    -- /clients?select=id,...projects!inner(id2:id,tasks(name))&order=id  
    2 of ?
    [{"id":1,"id2":[1, 2],"tasks":[[{"name": "plan"}, {"name": "build"}], [{"name": "ship"}]]}, 
     {"id":2,"id2":[3],"tasks":[[{"name": null}]]}]

    -- /users?select=name,...tasks(tasks:name,...projects(projects:name))&tasks.order=id  
    2 of ?
    [{"name":"Eve","tasks":["plan", "build"],"projects":["alpha", "alpha"]}, 
     {"name":"Dan","tasks":["build", "ship"],"projects":["alpha", "beta, or so"]}]

    -- /projects?select=...clients(client:name),id.count()&id=eq.1  
    1 of ?
    [{"count":1,"client":"Ada"}]

    -- /tasks?select=...projects(name,...clients(client_id:id.max()))&project_id=eq.1  
    1 of ?
    [{"name":"alpha","client_id":1}]

    -- /projects?select=clients(name),tasks(name),id.sum()&id=eq.1  
    1 of ?
    [{"sum":1,"clients":{"name": "Ada"},"tasks":[{"name": "plan"}, {"name": "build"}]}]

    -- /projects?select=id,name&id=lt.3  
    2 of ?
    [{"id":1,"name":"alpha"}, 
     {"id":2,"name":"beta, or so"}]

    -- /projects?select=id,name  accept: application/vnd.pgrst.array+json;nulls=stripped
    4 of ?
    [{"id":1,"name":"alpha"},{"id":2,"name":"beta, or so"},{"id":3,"name":"gamma"},{"id":4}]

    -- /projects?select=id,name&id=eq.1  accept: application/vnd.pgrst.object+json
    1 of ?
    {"id":1,"name":"alpha"}

    -- /projects?select=id,name&id=eq.4  accept: application/vnd.pgrst.object+json;nulls=stripped
    1 of ?
    {"id":4}

    -- /projects?select=id,name,tags,client_id  accept: text/csv
    4 of ?
    id,name,tags,client_id
    1,alpha,"{x,y}",1
    2,"beta, or so",{},1
    3,gamma,,2
    4,,,

    -- /projects?select=id&id=gt.100  accept: text/csv
    0 of ?



    -- /projects?select=id,name  accept: application/geo+json
    4 of ?
    {"type" : "FeatureCollection", "features" : [{"type" : "Feature", "properties" : {"id":1,"name":"alpha"}}, {"type" : "Feature", "properties" : {"id":2,"name":"beta, or so"}}, {"type" : "Feature", "properties" : {"id":3,"name":"gamma"}}, {"type" : "Feature", "properties" : {"id":4,"name":null}}]}

    -- /projects?order=id  accept: text/names
    4 of ?
    alpha;beta, or so;gamma;;

    -- /clients?select=id,name  accept: text/rows
    3 of ?
    (1,Ada);(2,"Bob ""B""");(3,);

    -- HEAD /projects?limit=2  
    2 of ?
    "##);
}
