use super::*;

fn prelude() -> Prelude<'static> {
    Prelude {
        search_path: "\"public\"",
        role_settings: &[],
        role: "anon",
        claims: "{\"role\":\"anon\"}",
        method: "GET",
        path: "/items",
        headers: "{}",
        cookies: "{}",
        timezone: None,
        function_settings: &[],
        app_settings: &[],
        read_only: false,
        pre_request: None,
        leavings: None,
    }
}

fn values(statement: &Statement) -> Vec<&str> {
    statement
        .params
        .iter()
        .map(|param| std::str::from_utf8(param.as_ref().unwrap()).unwrap())
        .collect()
}

#[test]
fn text_depends_on_the_settings_and_not_on_their_values() {
    let one = prelude().statements();
    let other = Prelude {
        role: "o'hara",
        path: "/x');drop",
        ..prelude()
    }
    .statements();
    assert_eq!(one[0].text, other[0].text);
    assert_eq!(
        one[0].text,
        "select set_config('search_path',$1,true),set_config('role',$2,true),\
         set_config('request.jwt.claims',$3,true),set_config('request.method',$4,true),\
         set_config('request.path',$5,true),set_config('request.headers',$6,true),\
         set_config('request.cookies',$7,true)"
    );
    assert_eq!(
        values(&other[0]),
        [
            "\"public\"",
            "o'hara",
            "{\"role\":\"anon\"}",
            "GET",
            "/x');drop",
            "{}",
            "{}"
        ]
    );
}

#[test]
fn role_settings_precede_the_role() {
    let role_settings = [("statement_timeout".into(), "3s".into())];
    let app_settings = [("app.settings.x".into(), "y".into())];
    let statements = Prelude {
        role_settings: &role_settings,
        app_settings: &app_settings,
        timezone: Some("UTC"),
        read_only: true,
        ..prelude()
    }
    .statements();
    assert!(statements[0].text.starts_with(
        "select set_config('search_path',$1,true),set_config('transaction_read_only','on',true),\
         set_config($2,$3,true),set_config('role',$4,true)"
    ));
    assert!(
        statements[0]
            .text
            .ends_with("set_config('timezone',$10,true),set_config($11,$12,true)")
    );
    assert_eq!(
        values(&statements[0])[1..4],
        ["statement_timeout", "3s", "anon"]
    );
}

#[test]
fn pre_request_is_called_after_the_settings() {
    let function = QualifiedName::new("api", "che\"ck");
    let statements = Prelude {
        pre_request: Some(&function),
        ..prelude()
    }
    .statements();
    assert_eq!(statements[1].text, "select \"api\".\"che\"\"ck\"()");
}

#[test]
fn a_function_without_schema_is_found_by_the_search_path() {
    assert_eq!(call(&QualifiedName::new("", "check")), "select \"check\"()");
}

#[test]
fn values_end_at_nul() {
    let statements = Prelude {
        path: "/a\0b",
        ..prelude()
    }
    .statements();
    assert_eq!(values(&statements[0])[4], "/a");
}

#[test]
fn search_path_is_quoted() {
    assert_eq!(
        search_path(["api", "my \"x\""]),
        "\"api\", \"my \"\"x\"\"\""
    );
}

#[test]
fn json_is_escaped_and_the_last_value_counts() {
    let json = json_object([("a", "1"), ("b", "\"\\\n"), ("a", "2")]);
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value, serde_json::json!({"a": "2", "b": "\"\\\n"}));
}
