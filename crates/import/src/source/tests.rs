use serde_json::json;

use super::*;

/// What was told, in its order.
#[derive(Default)]
struct Told(Vec<String>);

impl Sink for Told {
    fn row(&mut self, of: &Rowset, json: &str) {
        self.0.push(format!("{} {json}", name(of)));
    }

    fn damaged(&mut self, of: &Rowset) {
        self.0.push(format!("{} is damaged", name(of)));
    }

    fn session(&mut self, json: &str) {
        self.0.push(format!("session {json}"));
    }

    fn metadata(&mut self, json: &str) {
        self.0.push(format!("metadata {json}"));
    }

    fn file(&mut self, key: &str, json: &str) {
        self.0.push(format!("{key} {json}"));
    }

    fn left_out(&mut self, key: &str, _: &'static str) {
        self.0.push(format!("{key} is left out"));
    }
}

fn name(of: &Rowset) -> String {
    match of {
        Rowset::Table(table) => table.name().to_owned(),
        Rowset::Credentials => "credentials".to_owned(),
        Rowset::Unknown(name) => format!("unknown {name}"),
    }
}

fn told(json: &str) -> (Option<Shape>, Vec<String>) {
    let mut told = Told::default();
    let shape = read(json.as_bytes(), &mut told).unwrap();
    (shape, told.0)
}

#[test]
fn an_export_of_the_script() {
    let (shape, told) = told(
        r#"{"metadata": {"exportDate": "x"}, "tables": {"groups": [{"a": 1}, 2], "likes": [3], "resources": "no",
        "admin_config": [4], "saved_resources": null}, "auth": null, "authData": null, "analytics": [{"b": 1}]}"#,
    );
    assert_eq!(shape, Some(Shape::Export));
    let expected = [
        r#"metadata {"exportDate": "x"}"#,
        r#"groups {"a": 1}"#,
        "groups 2",
        "unknown likes 3",
        "resources is damaged",
        "admin_configs 4",
        "session null",
        r#"analytics_events {"b": 1}"#,
    ];
    assert_eq!(told, expected);
}

#[test]
fn an_export_of_the_page() {
    let (shape, told) = told(r#"{"profiles": [{}], "comments": [1], "settings": {"a": [1]}}"#);
    assert_eq!(shape, Some(Shape::Tables));
    let expected = ["profiles {}", "resource_comments 1", "settings is left out"];
    assert_eq!(told, expected);
}

#[test]
fn a_dump() {
    let dump = json!({
        "theme": "dark",
        "hub-lib-auth-data": "[{\"userId\":\"u\"}]",
        "hub-lib-db-profiles": "[{\"id\":\"\\ud83d\"}]",
        "hub-lib-db-groups": "[1,2,{\"id\"",
        "hub-lib-db-likes": "[1]",
        "hub-lib-db-resources": [3],
        "hub-lib-file-1-a": "{}",
        "hub-lib-api-tokens": "[]",
        "hub-lib-category-filters": "[4]",
        "hub-lib-theme": "x",
    });
    let (shape, told) = told(&dump.to_string());
    assert_eq!(shape, Some(Shape::Dump));
    let expected = [
        "hub-lib-api-tokens is left out",
        r#"credentials {"userId":"u"}"#,
        "category_filters 4",
        "groups 1",
        "groups 2",
        "groups is damaged",
        "unknown likes 1",
        r#"profiles {"id":"\ud83d"}"#,
        "resources 3",
        "hub-lib-file-1-a {}",
        "hub-lib-theme is left out",
        "theme is left out",
    ];
    assert_eq!(told, expected);
}

#[test]
fn nothing_of_the_application() {
    assert_eq!(told("{}").0, None);
    assert_eq!(told(r#"{"name": "x", "dependencies": {}}"#).0, None);
}
