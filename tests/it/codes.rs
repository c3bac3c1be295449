//! No code of an error is known without a test that provokes it. `tests/behaviour/codes.json` has the codes of the
//! reference's documentation ("Errors") and of this server with their statuses; a `*` stands for the rest of a class. A
//! code without a `test` of its own is provoked by a case of the record.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use awc::Client;
use passerelle_testkit::TestDb;
use serde_json::{Map, Value};

use crate::behaviour::recorded_errors;
use crate::gateway::Gateway;

/// What is documented of a code.
struct Code {
    statuses: BTreeSet<u16>,
    proof: Proof,
}

/// How it is known that the code is sent.
enum Proof {
    Record,
    /// A test, as its file and its name.
    Test(String),
    /// There is no way to provoke it, for this reason.
    Never(String),
}

fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the workspace").to_owned()
}

fn codes() -> BTreeMap<String, Code> {
    let file = root().join("tests/behaviour/codes.json");
    let text = std::fs::read_to_string(file).expect("the codes");
    let codes: Map<String, Value> = serde_json::from_str(&text).expect("codes are JSON");
    codes
        .into_iter()
        .map(|(name, value)| {
            let code = Code::read(&value);
            let code = code.unwrap_or_else(|| panic!("{name}: {value}"));
            (name, code)
        })
        .collect()
}

impl Code {
    fn read(value: &Value) -> Option<Self> {
        let statuses = match &value["status"] {
            Value::Array(statuses) => statuses.iter().map(status).collect::<Option<_>>()?,
            one => BTreeSet::from([status(one)?]),
        };
        let proof = match (value.get("test"), value.get("never")) {
            (None, None) => Proof::Record,
            (Some(test), None) => Proof::Test(test.as_str()?.to_owned()),
            (None, Some(reason)) => Proof::Never(reason.as_str()?.to_owned()),
            (Some(_), Some(_)) => return None,
        };
        Some(Self { statuses, proof })
    }
}

fn status(value: &Value) -> Option<u16> {
    u16::try_from(value.as_u64()?).ok()
}

/// The name under which a code is documented: its own, that of its class, or that of all others. SQL may raise codes
/// that are neither of PostgreSQL's form nor of the server's; they are documented nowhere.
fn documented<'c>(codes: &'c BTreeMap<String, Code>, code: &str) -> Option<&'c str> {
    let own = codes.get_key_value(code);
    let of_the_server = code.starts_with("PGRST") || code.starts_with("PSR");
    let of_sql = code.len() == 5 && !of_the_server && !code.starts_with("PT");
    let class = || codes.get_key_value(&format!("{}*", code.get(..2)?));
    let found = if of_sql {
        own.or_else(class).or_else(|| codes.get_key_value("*"))
    } else {
        own
    };
    assert!(
        !of_the_server || found.is_some(),
        "{code} is not documented"
    );
    found.map(|(name, _)| name.as_str())
}

#[test]
fn every_code_is_provoked() {
    let codes = codes();
    let mut provoked: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
    for (code, status) in recorded_errors() {
        if let Some(name) = documented(&codes, &code) {
            let statuses = &codes[name].statuses;
            assert!(
                statuses.contains(&status),
                "{code} is recorded with {status}"
            );
            provoked.entry(name).or_default().insert(status);
        }
    }
    for (name, code) in &codes {
        match &code.proof {
            Proof::Record => assert_eq!(
                provoked.get(name.as_str()),
                Some(&code.statuses),
                "statuses of {name} in the record, and documented"
            ),
            Proof::Test(test) => assert_test(test, name),
            Proof::Never(reason) => {
                assert!(!reason.is_empty(), "{name} has no reason");
                assert!(!provoked.contains_key(name.as_str()), "{name} is provoked");
            }
        }
    }
}

fn assert_test(test: &str, code: &str) {
    let (file, name) = test.split_once(' ').expect("a file and a test");
    let source = std::fs::read_to_string(root().join(file)).expect("the file of a test");
    let found = source.contains(&format!("fn {name}("));
    assert!(found, "{code}: {file} has no test {name}");
}

#[test]
fn every_code_of_the_source_is_documented() {
    let codes = codes();
    let mut found = BTreeSet::new();
    collect(&root().join("crates"), &mut found);
    assert!(found.contains("PGRST205"), "the source was searched");
    let missing: Vec<_> = found
        .iter()
        .filter(|code| !codes.contains_key(*code))
        .collect();
    assert!(missing.is_empty(), "not in codes.json: {missing:?}");
}

/// Codes of the server that are texts of Rust files in folders called `src`.
fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            let in_source = path.components().any(|part| part.as_os_str() == "src");
            let text = std::fs::read_to_string(&path).expect("a file of Rust");
            let texts = text.split('"').filter(|_| in_source);
            let is_code = |text: &&str| {
                let number = text
                    .strip_prefix("PGRST")
                    .or_else(|| text.strip_prefix("PSR"));
                number.is_some_and(|number| {
                    number.len() == 3 && number.ends_with(|last: char| last.is_ascii_digit())
                })
            };
            found.extend(texts.filter(is_code).map(str::to_owned));
        }
    }
}

#[actix_web::test]
async fn a_surface_that_is_not_there() {
    let db = TestDb::platform().await;
    let gateway = Gateway::serve(&db, &[]).await;
    let request = Client::default().get(format!("{}/storage/v1/bucket", gateway.url));
    let mut response = request.send().await.expect("an answer");
    assert_eq!(response.status().as_u16(), 404);
    let body: Value = response.json().await.expect("JSON");
    assert_eq!(body["code"], "PSR404");
}
