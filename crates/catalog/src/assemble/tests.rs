use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::*;

const NO_LABELS: [Box<str>; 0] = [];

fn column(relation: Oid, number: AttributeNumber, name: &str) -> RawColumn {
    RawColumn {
        relation,
        number,
        column: Column {
            name: Arc::from(name),
            description: None,
            nullable: true,
            base_type: Arc::from("integer"),
            nominal_type: Arc::from("integer"),
            collation: None,
            comparable_elements: false,
            max_length: None,
            default: None,
            generated: false,
            enum_labels: Arc::from(NO_LABELS),
        },
    }
}

fn relation(oid: Oid, name: &str) -> RawRelation {
    RawRelation {
        oid,
        name: QualifiedName::new("api", name),
        description: None,
        is_view: false,
        insertable: true,
        updatable: true,
        deletable: true,
    }
}

fn key(relation: Oid, is_primary: bool, columns: &[AttributeNumber]) -> RawKey {
    RawKey {
        relation,
        is_primary,
        columns: columns.into(),
    }
}

fn foreign_key(
    constraint: &str,
    (origin, origin_column): (Oid, AttributeNumber),
    (target, target_column): (Oid, AttributeNumber),
) -> RawForeignKey {
    RawForeignKey {
        constraint: Arc::from(constraint),
        origin,
        target,
        origin_columns: [origin_column].into(),
        target_columns: [target_column].into(),
    }
}

/// `films` and `actors` with the junction `roles`; each has `id`, the junction `film` and `actor`.
fn cinema() -> RawCatalog {
    RawCatalog {
        version: 3,
        schemas: vec![Arc::from("api")],
        relations: vec![
            relation(3, "roles"),
            relation(1, "films"),
            relation(2, "actors"),
        ],
        columns: vec![
            column(3, 4, "actor"),
            column(3, 2, "film"),
            column(1, 1, "id"),
            column(2, 1, "id"),
        ],
        keys: vec![
            key(1, true, &[1]),
            key(2, true, &[1]),
            key(3, true, &[2, 4]),
        ],
        foreign_keys: vec![
            foreign_key("film_fk", (3, 2), (1, 1)),
            foreign_key("actor_fk", (3, 4), (2, 1)),
        ],
        ..RawCatalog::default()
    }
}

fn targets(catalog: &Catalog, origin: &str) -> Vec<String> {
    catalog
        .relationships(&QualifiedName::new("api", origin), "api")
        .map(|relationship| relationship.target().name.to_string())
        .collect()
}

#[test]
fn rows_in_any_order_make_tables_in_order() {
    let catalog = Catalog::assemble(cinema());
    let roles = catalog.find_table("api", "roles").unwrap();
    let columns: Vec<&str> = roles.columns.iter().map(|column| &*column.name).collect();
    assert_eq!(columns, ["film", "actor"]);
    let key: Vec<&str> = roles.primary_key.iter().map(|column| &**column).collect();
    assert_eq!(key, ["actor", "film"]);
    assert_eq!(catalog.version(), 3);
    assert_eq!(
        catalog.size(),
        CatalogSize {
            relations: 3,
            relationships: 6,
            routines: 0
        }
    );
}

#[test]
fn junctions_relate_both_sides() {
    let catalog = Catalog::assemble(cinema());
    assert_eq!(targets(&catalog, "films"), ["actors", "roles"]);
    assert_eq!(targets(&catalog, "actors"), ["films", "roles"]);
}

#[test]
fn a_key_outside_the_primary_key_makes_no_junction() {
    let mut raw = cinema();
    raw.keys[2] = key(3, true, &[2]);
    let catalog = Catalog::assemble(raw);
    assert_eq!(targets(&catalog, "films"), ["roles"]);
}

#[test]
fn a_unique_key_makes_the_relationship_one_to_one() {
    let mut raw = cinema();
    raw.keys.push(key(3, false, &[2]));
    let catalog = Catalog::assemble(raw);
    let films = QualifiedName::new("api", "films");
    assert!(
        catalog
            .relationships(&films, "api")
            .all(|relationship| relationship.is_to_one())
    );
}

#[test]
fn readable_columns_are_positions() {
    let mut raw = cinema();
    raw.readable_columns.push(ReadableColumns {
        relation: 3,
        role: Arc::from("anon"),
        columns: vec![4],
    });
    let catalog = Catalog::assemble(raw);
    let roles = catalog.find_table("api", "roles").unwrap();
    let names: Vec<&str> = roles
        .readable_by("anon")
        .unwrap()
        .map(|column| &*column.name)
        .collect();
    assert_eq!(names, ["actor"]);
    assert!(roles.readable_by("owner").is_none());
}

#[test]
fn views_that_show_each_other_end() {
    let mut raw = cinema();
    for (view, source) in [(10, 11), (11, 10)] {
        raw.relations.push(RawRelation {
            is_view: true,
            ..relation(view, &format!("v{view}"))
        });
        raw.columns.push(column(view, 1, "id"));
        raw.view_columns.push(ViewColumn {
            view,
            column: 1,
            source,
            source_column: 1,
        });
    }
    assert_eq!(Catalog::assemble(raw).size().relations, 5);
}

#[test]
fn isolation_is_no_setting() {
    let mut raw = cinema();
    for (name, value) in [
        ("default_transaction_isolation", "serializable"),
        ("work_mem", "1MB"),
    ] {
        raw.role_settings.push(RoleSetting {
            role: Arc::from("anon"),
            name: name.into(),
            value: value.into(),
        });
    }
    let catalog = Catalog::assemble(raw);
    assert_eq!(catalog.role_isolation("anon"), Some("serializable"));
    assert_eq!(
        catalog.role_settings("anon"),
        [("work_mem".into(), "1MB".into())]
    );
}

#[test]
fn similar_names_are_offered() {
    let catalog = Catalog::assemble(cinema());
    assert_eq!(
        catalog.similar_table("api", "film").as_deref(),
        Some("films")
    );
    assert_eq!(catalog.similar_table("api", "elephants"), None);
    assert_eq!(
        catalog
            .similar_relation_target("films", "api", "role")
            .as_deref(),
        Some("roles")
    );
    assert_eq!(
        catalog.similar_relation_target("films", "api", "roles"),
        None
    );
    assert_eq!(
        catalog.similar_relation_target("film", "api", "roles"),
        None
    );
    assert_eq!(
        catalog.similar_origin("film", "api").as_deref(),
        Some("films")
    );
    assert_eq!(catalog.similar_origin("films", "api"), None);
}

fn routine(name: &str, parameters: &[&str]) -> Routine {
    Routine {
        oid: 0,
        name: QualifiedName::new("api", name),
        description: None,
        parameters: parameters
            .iter()
            .map(|name| Parameter {
                name: (*name).into(),
                type_name: "text".into(),
                unbounded_type: "text".into(),
                required: true,
                variadic: false,
            })
            .collect(),
        returns: Returns {
            set: false,
            composite: false,
            composite_alias: false,
            type_name: QualifiedName::new("pg_catalog", "text"),
        },
        volatility: Volatility::Stable,
        variadic: false,
        settings: Box::default(),
        isolation: None,
    }
}

#[test]
fn similar_functions_are_offered_by_name_or_by_parameters() {
    let mut raw = cinema();
    raw.routines = vec![
        routine("test", &["val", "param", "name"]),
        routine("test", &["id", "attr"]),
    ];
    let catalog = Catalog::assemble(raw);
    let similar = |name: &str, arguments: &[&str]| catalog.similar_routine("api", name, arguments);
    assert_eq!(similar("testt", &["val"]).as_deref(), Some("test"));
    assert_eq!(
        similar("test", &["vall", "pqaram", "nam"]).as_deref(),
        Some("test(name, param, val)")
    );
    assert_eq!(
        similar("test", &["id", "attrs"]).as_deref(),
        Some("test(attr, id)")
    );
    assert_eq!(similar("test", &["noclosealternative"]), None);
    assert_eq!(similar("noclosealternative", &[]), None);
}

/// A mistake in the order of growth would take minutes, so a generous limit tells it from a slow
/// machine.
#[test]
fn ten_thousand_tables_take_moments() {
    let count: Oid = 10_000;
    let mut raw = RawCatalog {
        schemas: vec![Arc::from("api")],
        ..RawCatalog::default()
    };
    for oid in 1..=count {
        raw.relations.push(relation(oid, &format!("t{oid}")));
        raw.columns
            .extend([column(oid, 1, "id"), column(oid, 2, "parent")]);
        raw.keys.push(key(oid, true, &[1]));
        // All point to one table, which is the worst case for its list.
        raw.foreign_keys
            .push(foreign_key(&format!("fk{oid}"), (oid, 2), (1, 1)));
    }
    let start = Instant::now();
    let catalog = Catalog::assemble(raw);
    assert!(catalog.similar_origin("t99999", "api").is_some());
    assert!(catalog.similar_table("api", "t99999").is_none());
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(catalog.size().relationships, 20_000);
}
