//! Which crate may depend on which, and that every dependency is used.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What each crate of ours may depend on, of ours. Development dependencies may add [`FOR_TESTS`].
const LAYERS: &[(&str, &[&str])] = &[
    // 0, pure
    ("syntax", &[]),
    ("catalog", &[]),
    ("identity", &[]),
    ("statement", &[]),
    // 1, pure
    ("planner", &["syntax", "catalog"]),
    ("openapi", &["catalog"]),
    // 2, pure
    ("sql", &["planner", "catalog", "statement", "syntax"]),
    ("cache", &[]),
    // 2, effects
    ("wire", &["statement"]),
    ("pg", &["catalog", "identity", "statement", "wire"]),
    ("store", &["catalog"]),
    ("cluster", &[]),
    // 3
    (
        "surface",
        &["identity", "statement", "cache", "pg", "store", "wire"],
    ),
    ("mail", &[]),
    ("webhook", &[]),
    // 4, services
    (
        "rest",
        &[
            "syntax",
            "catalog",
            "identity",
            "statement",
            "planner",
            "openapi",
            "sql",
            "cache",
            "wire",
            "pg",
            "store",
            "surface",
        ],
    ),
    (
        "auth",
        &[
            "identity",
            "statement",
            "wire",
            "pg",
            "store",
            "surface",
            "mail",
            "webhook",
        ],
    ),
    (
        "realtime",
        &[
            "syntax",
            "catalog",
            "identity",
            "statement",
            "wire",
            "pg",
            "store",
            "surface",
        ],
    ),
    (
        "jobs",
        &["catalog", "statement", "wire", "pg", "store", "webhook"],
    ),
    (
        "storage",
        &["identity", "statement", "wire", "pg", "surface"],
    ),
    ("import", &["pg"]),
    // 5
    (
        "gateway",
        &[
            "syntax",
            "catalog",
            "identity",
            "statement",
            "planner",
            "openapi",
            "sql",
            "cache",
            "wire",
            "pg",
            "store",
            "cluster",
            "surface",
            "mail",
            "webhook",
            "rest",
            "auth",
            "realtime",
            "jobs",
            "storage",
            "import",
        ],
    ),
    // tests
    ("testkit", &["cluster"]),
    ("e2e", &["gateway", "identity"]),
];

/// Development dependencies that any crate may have.
const FOR_TESTS: &[&str] = &["testkit"];

/// Further development dependencies, where a test needs what the crate's code may not.
const FURTHER_FOR_TESTS: &[(&str, &[&str])] = &[
    ("sql", &["wire", "pg"]),
    ("planner", &["sql"]),
    ("wire", &["cluster"]),
    ("pg", &["cluster"]),
];

/// Libraries with few homes; development dependencies are free.
const HOMES: &[(&str, &[&str])] = &[
    (
        "actix-web",
        &["surface", "rest", "auth", "realtime", "storage", "gateway"],
    ),
    ("postgres-protocol", &["wire"]),
    ("tokio-postgres", &["wire", "pg", "cluster", "testkit"]),
    ("sea-query", &["sql"]),
    ("redis", &["store"]),
    ("jsonwebtoken", &["identity"]),
    ("tracing-subscriber", &["gateway"]),
    ("clap", &["gateway"]),
    ("nix", &["cluster", "testkit", "gateway"]),
];

/// Crates that do nothing but compute: no runtime, no sockets, no HTTP.
const PURE: &[&str] = &[
    "syntax",
    "catalog",
    "identity",
    "statement",
    "planner",
    "openapi",
    "sql",
];
const EFFECTS: &[&str] = &[
    "tokio",
    "actix-web",
    "hyper",
    "reqwest",
    "tokio-postgres",
    "redis",
    "nix",
];

struct Package {
    name: String,
    manifest: String,
    /// Name, rename, and whether for development only.
    dependencies: Vec<(String, Option<String>, bool)>,
}

#[test]
fn crates_depend_on_lower_layers_only() {
    let layers: BTreeMap<&str, &[&str]> = LAYERS.iter().copied().collect();
    let further: BTreeMap<&str, &[&str]> = FURTHER_FOR_TESTS.iter().copied().collect();
    let mut faults = Vec::new();
    for package in packages() {
        let name = package.name.as_str();
        let Some(allowed) = layers.get(name) else {
            faults.push(format!("{name} has no place in the table of layers"));
            continue;
        };
        for (dependency, _, for_tests) in &package.dependencies {
            let Some(dependency) = dependency.strip_prefix("passerelle-") else {
                continue;
            };
            let mut allowed = allowed.contains(&dependency);
            if *for_tests {
                allowed |= FOR_TESTS.contains(&dependency);
                allowed |= further
                    .get(name)
                    .is_some_and(|more| more.contains(&dependency));
            }
            if !allowed {
                faults.push(format!("{name} may not depend on {dependency}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn libraries_stay_in_their_homes() {
    let mut faults = Vec::new();
    for package in packages() {
        let name = package.name.as_str();
        for (dependency, _, for_tests) in &package.dependencies {
            let dependency = dependency.as_str();
            if *for_tests {
                continue;
            }
            let home = HOMES.iter().find(|(library, _)| *library == dependency);
            if home.is_some_and(|(_, homes)| !homes.contains(&name)) {
                faults.push(format!("{name} may not depend on {dependency}"));
            }
            if PURE.contains(&name) && EFFECTS.contains(&dependency) {
                faults.push(format!("{name} is pure and may not depend on {dependency}"));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_dependency_is_used() {
    let mut faults = Vec::new();
    for package in packages() {
        let folder = Path::new(&package.manifest).parent().unwrap();
        let mut source = String::new();
        read_sources(folder, &mut source);
        let words: BTreeSet<&str> = source
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .collect();
        for (dependency, rename, _) in &package.dependencies {
            let ident = rename.as_ref().unwrap_or(dependency).replace('-', "_");
            if !words.contains(ident.as_str()) {
                faults.push(format!("{} does not use {dependency}", package.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The packages of this workspace, without the prefix that ours have.
fn packages() -> Vec<Package> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(package)
        .collect()
}

fn package(value: &Value) -> Package {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let dependencies = value["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dependency| {
            let for_tests = dependency["kind"] == "dev";
            (
                text(&dependency["name"]).unwrap(),
                text(&dependency["rename"]),
                for_tests,
            )
        });
    let name = text(&value["name"]).unwrap();
    Package {
        name: name.strip_prefix("passerelle-").unwrap_or(&name).to_owned(),
        manifest: text(&value["manifest_path"]).unwrap(),
        dependencies: dependencies.collect(),
    }
}

fn read_sources(folder: &Path, source: &mut String) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if !path.ends_with("node_modules") && !path.ends_with("target") {
                read_sources(&path, source);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            source.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}
