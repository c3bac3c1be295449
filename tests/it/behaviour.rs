//! The record of the reference's behaviour: requests with the answers that PostgREST 16 gives, as data below
//! `tests/behaviour`, asked of the real binary. Expectations come from the reference's documentation and specification,
//! never from what this server answers.

mod case;
mod exchange;
mod server;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use awc::Client;
use passerelle_testkit::TestDb;

use case::Case;
use server::{Configurations, Server};

/// The scripts that make the database: what is read, written and called.
const SCHEMA: [&str; 3] = ["schema.sql", "writing.sql", "calling.sql"];

/// The login role of the schema, and its password.
const AUTHENTICATOR: (&str, &str) = ("behaviour_authenticator", "behaviour");

/// Runs all cases of a file and reports all differences together.
async fn agrees_with(file: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("behaviour");
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let cases = cases(file, &read(file));
    let db = TestDb::with_sql(&SCHEMA.map(read).concat()).await;
    let uri = db.url_of(AUTHENTICATOR.0, AUTHENTICATOR.1);
    let configurations = Configurations::read(&folder);
    let client = Client::builder().disable_redirects().finish();

    let mut servers = BTreeMap::new();
    let mut report = String::new();
    let mut differing = 0;
    for case in &cases {
        let name = &case.configuration;
        if !servers.contains_key(name) {
            let server = Server::start(&uri, &configurations, name).await;
            servers.insert(name.clone(), server);
        }
        let url = &servers[name].url;
        let mut differs = false;
        for exchange in &case.exchanges {
            let differences = exchange.ask(&client, url).await;
            if !differences.is_empty() {
                differs = true;
                let (method, path) = (&exchange.method, &exchange.path);
                let differences = differences.join("\n    ");
                // Writing to a string cannot fail.
                let _ = writeln!(
                    report,
                    "\n{}\n  {method} {path}\n    {differences}",
                    case.name
                );
            }
        }
        differing += usize::from(differs);
    }
    println!("{file}: {} cases", cases.len());
    assert!(
        report.is_empty(),
        "{file}: {differing} of {} cases differ\n{report}",
        cases.len()
    );
}

/// The cases of a file; names are unique, and a file without a case is a mistake.
fn cases(file: &str, text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.is_empty() {
            continue;
        }
        let case = Case::read(line);
        let case = case.unwrap_or_else(|fault| panic!("{file}:{}: {fault}", index + 1));
        let twice = cases.iter().any(|other| other.name == case.name);
        assert!(!twice, "{file}:{}: {} is there twice", index + 1, case.name);
        cases.push(case);
    }
    assert!(!cases.is_empty(), "{file} has no case");
    cases
}

/// Codes of all errors that the record expects, with their statuses.
pub(crate) fn recorded_errors() -> Vec<(String, u16)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("behaviour");
    let mut errors = Vec::new();
    for file in FILES {
        let text = std::fs::read_to_string(folder.join(file)).expect("a file of cases");
        for case in cases(file, &text) {
            let expected = case.exchanges.iter().map(|exchange| &exchange.expected);
            let refused = expected.filter(|expected| expected.status >= 300);
            errors.extend(refused.filter_map(|refused| Some((refused.code()?, refused.status))));
        }
    }
    errors
}

/// Every file of cases has its test.
macro_rules! files {
    ($($test:ident $file:literal)*) => {
        $(
            #[actix_web::test]
            async fn $test() {
                agrees_with($file).await;
            }
        )*

        /// All files of cases.
        const FILES: &[&str] = &[$($file),*];

        #[test]
        fn no_file_of_cases_is_forgotten() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("behaviour");
            let mut files: Vec<String> = std::fs::read_dir(folder)
                .expect("the folder of cases")
                .flatten()
                .filter_map(|entry| entry.file_name().into_string().ok())
                .filter(|name| name.ends_with(".jsonl"))
                .collect();
            files.sort();
            let mut known = FILES.to_vec();
            known.sort_unstable();
            assert_eq!(files, known);
        }
    };
}

files! {
    aggregates "aggregates.jsonl"
    bodies "bodies.jsonl"
    call_results "call-results.jsonl"
    call_settings "call-settings.jsonl"
    calls "calls.jsonl"
    deletes "deletes.jsonl"
    embed_filters "embed-filters.jsonl"
    embeds "embeds.jsonl"
    errors "errors.jsonl"
    filters "filters.jsonl"
    full_text "full-text.jsonl"
    handlers "handlers.jsonl"
    inserts "inserts.jsonl"
    json "json.jsonl"
    logic "logic.jsonl"
    media "media.jsonl"
    names "names.jsonl"
    order "order.jsonl"
    pages "pages.jsonl"
    preferences "preferences.jsonl"
    representations "representations.jsonl"
    select "select.jsonl"
    settings "settings.jsonl"
    spreads "spreads.jsonl"
    sqlstates "sqlstates.jsonl"
    transactions "transactions.jsonl"
    updates "updates.jsonl"
    upserts "upserts.jsonl"
    views "views.jsonl"
}

#[test]
fn what_a_case_may_not_say_is_refused() {
    let fault = |line: &str| Case::read(line).err().unwrap_or_default();
    let valid = r#"{"name": "n", "source": "docs: x", "path": "/", "status": 200}"#;
    assert_eq!(fault(valid), "");
    let unknown = valid.replace("\"path\"", "\"paths\": 1, \"path\"");
    assert_eq!(fault(&unknown), "nobody knows the key paths");
    assert_eq!(
        fault(&valid.replace("docs: x", "seen")),
        "a case says its source, as docs: …, spec: … or source: …"
    );
}

#[test]
#[should_panic(expected = "empty.jsonl has no case")]
fn an_empty_file_is_refused() {
    cases("empty.jsonl", "\n");
}
