//! OpenAPI 3.1: the rules of the specification, and what the document says beyond Swagger 2.0.

use passerelle_openapi::{Description, ServerAddress, openapi31};
use serde_json::{Value, json};

use crate::structure::{self, References};
use crate::{described, parse, pretty};

fn document() -> Value {
    parse(&described(openapi31))
}

#[test]
fn the_whole_document() {
    insta::assert_snapshot!(pretty(&document()));
}

#[test]
fn references_lead_somewhere() {
    let document = document();
    let references = References::of(&document);
    assert!(references.count() > 20);
    assert_eq!(references.dangling(), Vec::<String>::new());
}

#[test]
fn the_structure_is_that_of_the_specification() {
    assert_eq!(structure::faults(&document()), Vec::<String>::new());
}

#[test]
fn inserts_require_columns_without_a_default() {
    let document = document();
    let required = |table: &str| {
        let content = &document["components"]["requestBodies"][format!("insert.{table}")];
        content["content"]["application/json"]["schema"]["anyOf"][0]["required"].clone()
    };
    assert_eq!(required("authors"), json!(["name"]));
    assert_eq!(required("books"), Value::Null);
    let rows = &document["components"]["schemas"];
    assert_eq!(rows["authors"]["required"], json!(["id", "name", "rating"]));
    assert_eq!(rows["books"]["properties"]["id"]["readOnly"], true);
    assert_eq!(rows["authors.values"].get("required"), None);
}

#[test]
fn null_is_a_type() {
    let document = document();
    let property =
        |column: &str| document["components"]["schemas"]["authors"]["properties"][column].clone();
    assert_eq!(property("born")["type"], json!(["string", "null"]));
    assert_eq!(property("name")["type"], "string");
    assert_eq!(property("mood")["enum"], json!(["calm", "grim", null]));
    assert_eq!(property("meta"), json!({ "format": "jsonb" }));
}

#[test]
fn only_constants_are_defaults() {
    let document = document();
    let property = |column: &str| {
        document["components"]["schemas"]["authors"]["properties"][column]["default"].clone()
    };
    assert_eq!(property("mood"), "calm");
    assert_eq!(property("rating"), 4.5);
    assert_eq!(property("seen"), Value::Null);
}

#[test]
fn a_column_named_like_a_parameter_is_no_filter() {
    let document = document();
    let parameters = document["paths"]["/authors"]["get"]["parameters"].to_string();
    assert!(parameters.contains("rowFilter.authors.born"));
    assert!(!parameters.contains("rowFilter.authors.order"));
}

#[test]
fn overloads_are_joined() {
    let document = document();
    let add = &document["paths"]["/rpc/add"];
    let body = &add["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(body["anyOf"].as_array().map(Vec::len), Some(2));
    let required: Vec<_> = add["get"]["parameters"]
        .as_array()
        .unwrap()
        .iter()
        .map(|parameter| {
            (
                parameter["name"].as_str().unwrap(),
                parameter["required"] == true,
            )
        })
        .collect();
    assert_eq!(required, [("a", true), ("b", false), ("c", false)]);
    assert_eq!(
        add["get"]["responses"]["200"]["content"]["application/json"]["schema"],
        json!({ "anyOf": [{ "type": ["integer", "null"] }, { "type": ["string", "null"] }] })
    );
}

#[test]
fn results_and_bodies_follow_the_functions_types() {
    let document = document();
    let paths = &document["paths"];
    assert_eq!(
        paths["/rpc/books_of"]["get"]["responses"]["200"]["content"]["application/json"]["schema"],
        json!({ "type": "array", "items": { "$ref": "#/components/schemas/books" } })
    );
    let reset = &paths["/rpc/reset"]["post"];
    assert!(reset["responses"].get("204").is_some() && reset["responses"].get("200").is_none());
    assert_eq!(reset.get("requestBody"), None);
    let store = &paths["/rpc/store"]["post"]["requestBody"]["content"];
    assert_eq!(
        *store,
        json!({ "application/octet-stream": { "schema": {} } })
    );
}

#[test]
fn names_are_fit_for_keys_and_paths() {
    let document = document();
    assert!(document["paths"].get("/odd%20%7Bname%7D.x").is_some());
    let key = "-odd-20.-7b.name-7d.-2e.x";
    assert!(document["components"]["schemas"].get(key).is_some());
}

#[test]
fn servers_and_security_are_told() {
    let proxy = ServerAddress::from_proxy_uri("https://example.com/api/").unwrap();
    let document = described(|description| {
        let description = Description {
            server: &proxy,
            security_active: true,
            ..description.clone()
        };
        parse(&openapi31(&description))
    });
    assert_eq!(
        document["servers"],
        json!([{ "url": "https://example.com:443/api" }])
    );
    assert_eq!(document["security"], json!([{ "JWT": [] }]));
    let scheme = &document["components"]["securitySchemes"]["JWT"];
    assert_eq!(scheme["scheme"], "bearer");
    assert_eq!(structure::faults(&document), Vec::<String>::new());
}
