//! `passerelle dev`: start, reuse, crash, end, and one sentence for everything that is in the way.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use crate::program::{Program, ask, get, run};

const APPLICATION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/hub-lib");

fn directory() -> TempDir {
    let dir = TempDir::new().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

fn start(dir: &Path) -> (Program, Value) {
    let program = Program::start(
        dir,
        &["dev", "--json", "--port", "0", "--app", APPLICATION],
        &[],
    );
    let ready = serde_json::from_str(&program.line()).unwrap();
    (program, ready)
}

fn text<'a>(ready: &'a Value, key: &str) -> &'a str {
    ready[key].as_str().unwrap()
}

/// The servers that work below a directory.
fn servers_of(dir: &Path) -> usize {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let homes = processes.filter_map(|process| fs::read_link(process.path().join("cwd")).ok());
    homes.filter(|home| home.starts_with(dir)).count()
}

#[test]
fn it_serves_comes_back_with_its_data_and_leaves_nothing_running() {
    let dir = directory();
    let (program, ready) = start(dir.path());
    let keys: Vec<&String> = ready.as_object().unwrap().keys().collect();
    let expected = [
        "anon_key",
        "db_url",
        "inbox_url",
        "jwt_secret",
        "redis_url",
        "service_role_key",
        "url",
    ];
    assert_eq!(keys, expected);
    let rows = format!(
        "{}/rest/v1/resources?select=id&limit=1",
        text(&ready, "url")
    );
    let (status, answer) = get(&rows, &[("apikey", text(&ready, "anon_key"))]);
    assert_eq!(status, 200, "{answer}");
    assert!(answer.contains("[{\"id\":"), "{answer}");
    let (_, methods) = ask("OPTIONS", &rows, &[("apikey", text(&ready, "anon_key"))]);
    assert!(methods.contains(",QUERY"), "extensions are on: {methods}");
    let redis = text(&ready, "redis_url").strip_prefix("redis://:").unwrap();
    let (password, address) = redis.split_once('@').unwrap();
    let commands = Command::new("redis-cli")
        .args(["-p", address.rsplit(':').next().unwrap()])
        .args(["info", "commandstats"])
        .env("REDISCLI_AUTH", password)
        .output();
    let commands = String::from_utf8(commands.unwrap().stdout).unwrap();
    assert!(commands.contains("cmdstat_evalsha:"), "{commands}");
    let secret = dir.path().join(".passerelle/jwt-secret");
    assert_eq!(
        fs::metadata(secret).unwrap().permissions().mode() & 0o777,
        0o600
    );
    let (status, more) = program.stop("TERM");
    assert!(status.success());
    assert_eq!(more, Vec::<String>::new());
    assert_eq!(servers_of(dir.path()), 0);

    // Killed at once, so that the servers are left for the start after it.
    let (program, again) = start(dir.path());
    for key in ["anon_key", "service_role_key", "jwt_secret", "db_url"] {
        assert_eq!(again[key], ready[key], "{key}");
    }
    program.stop("KILL");
    let (program, _) = start(dir.path());
    let (status, _) = program.stop("INT");
    assert!(status.success());
    assert_eq!(servers_of(dir.path()), 0);
}

#[test]
fn what_is_in_the_way_is_said_in_one_line() {
    let dir = directory();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let taken = taken
        .local_addr()
        .map(|address| (address.port(), taken))
        .unwrap();
    let data = dir.path().join("old/postgres/data");
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("PG_VERSION"), "9\n").unwrap();
    let port = taken.0.to_string();
    for (arguments, said) in [
        (["--port", &port], "in use by another program"),
        (["--pg-bin", "nowhere"], "install the package `postgresql`"),
        (["--dir", "old"], "holds data of PostgreSQL 9"),
        (["--app", "nowhere"], "no directory nowhere"),
    ] {
        let all = [
            &["dev", "--json", "--app", "none", "--port", "0"][..],
            &arguments[..],
        ]
        .concat();
        // The last of two equal options would be an error of the command line, not of ours.
        let all = without_overridden(&all, arguments[0]);
        let (code, out, errors) = run(dir.path(), &all, &[]);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
        assert!(errors.contains(said), "{errors}");
    }
    assert_eq!(servers_of(dir.path()), 0);
}

#[test]
fn a_directory_has_one_owner() {
    let dir = directory();
    let arguments = ["dev", "--json", "--port", "0", "--app", "none"];
    let program = Program::start(dir.path(), &arguments, &[]);
    program.line();
    let (code, _, errors) = run(dir.path(), &arguments, &[]);
    assert_eq!(code, Some(1));
    assert!(
        errors.contains(&format!("in use by process {}", program.pid())),
        "{errors}"
    );
}

fn without_overridden<'a>(arguments: &[&'a str], name: &str) -> Vec<&'a str> {
    let last = arguments.iter().rposition(|argument| *argument == name);
    let first = arguments.iter().position(|argument| *argument == name);
    let mut kept = arguments.to_vec();
    if let (Some(first), Some(last)) = (first, last)
        && first != last
    {
        kept.drain(first..first + 2);
    }
    kept
}
