//! The catalogue of `schema.sql`.

use std::sync::Arc;

use passerelle_catalog::{
    Catalog, Column, ComputedRelationship, MediaHandler, QualifiedName, RawCatalog, RawColumn,
    RawForeignKey, RawKey, RawRelation, Representation,
};

const CLIENTS: u32 = 1;
const PROJECTS: u32 = 2;
const TASKS: u32 = 3;
const USERS: u32 = 4;
const USERS_TASKS: u32 = 5;
const WIDGETS: u32 = 6;

fn name(name: &str) -> QualifiedName {
    QualifiedName::new("test", name)
}

fn add_table(
    raw: &mut RawCatalog,
    oid: u32,
    table: &str,
    columns: &[(&str, &str, &str)],
    key: &[i16],
) {
    raw.relations.push(RawRelation {
        oid,
        name: name(table),
        description: None,
        is_view: false,
        insertable: true,
        updatable: true,
        deletable: true,
    });
    raw.keys.push(RawKey {
        relation: oid,
        is_primary: true,
        columns: key.into(),
    });
    for (number, (column, base_type, nominal_type)) in (1..).zip(columns) {
        raw.columns.push(RawColumn {
            relation: oid,
            number,
            column: Column {
                name: Arc::from(*column),
                description: None,
                nullable: true,
                base_type: Arc::from(*base_type),
                nominal_type: Arc::from(*nominal_type),
                max_length: None,
                default: None,
                generated: false,
                enum_labels: Arc::from([]),
            },
        });
    }
}

fn add_foreign_key(raw: &mut RawCatalog, constraint: &str, from: (u32, i16), to: u32) {
    raw.foreign_keys.push(RawForeignKey {
        constraint: Arc::from(constraint),
        origin: from.0,
        target: to,
        origin_columns: [from.1].into(),
        target_columns: [1].into(),
    });
}

fn add_tables(raw: &mut RawCatalog) {
    let integer = |name| (name, "integer", "integer");
    let text = |name| (name, "text", "text");
    add_table(
        raw,
        CLIENTS,
        "clients",
        &[integer("id"), text("name")],
        &[1],
    );
    add_table(
        raw,
        PROJECTS,
        "projects",
        &[
            integer("id"),
            text("name"),
            integer("client_id"),
            ("data", "jsonb", "jsonb"),
            ("tags", "text[]", "text[]"),
            ("period", "daterange", "daterange"),
        ],
        &[1],
    );
    let task = [
        integer("id"),
        text("name"),
        integer("project_id"),
        integer("hours"),
    ];
    add_table(raw, TASKS, "tasks", &task, &[1]);
    add_table(raw, USERS, "users", &[integer("id"), text("name")], &[1]);
    add_table(
        raw,
        USERS_TASKS,
        "users_tasks",
        &[integer("user_id"), integer("task_id")],
        &[1, 2],
    );
    let widget = [
        integer("id"),
        ("color", "integer", "test.color"),
        text("od\"d"),
    ];
    add_table(raw, WIDGETS, "widgets", &widget, &[1]);
}

fn computed(function: &str, to_one: bool) -> ComputedRelationship {
    ComputedRelationship {
        function: name(function),
        origin: name("projects"),
        target: name("tasks"),
        to_one,
        is_self: false,
    }
}

pub(crate) fn catalog() -> Catalog {
    let mut raw = RawCatalog {
        version: 1,
        schemas: vec![Arc::from("test")],
        ..RawCatalog::default()
    };
    add_tables(&mut raw);
    add_foreign_key(&mut raw, "projects_client_id_fkey", (PROJECTS, 3), CLIENTS);
    add_foreign_key(&mut raw, "tasks_project_id_fkey", (TASKS, 3), PROJECTS);
    add_foreign_key(
        &mut raw,
        "users_tasks_user_id_fkey",
        (USERS_TASKS, 1),
        USERS,
    );
    add_foreign_key(
        &mut raw,
        "users_tasks_task_id_fkey",
        (USERS_TASKS, 2),
        TASKS,
    );
    raw.computed_relationships
        .push(computed("longest_task", true));
    raw.computed_relationships
        .push(computed("open_tasks", false));
    for (source, target, function) in [
        ("test.color", "json", "color_json"),
        ("text", "test.color", "color_from_text"),
    ] {
        raw.representations.push(Representation {
            source: Arc::from(source),
            target: Arc::from(target),
            function: Arc::from(format!("\"test\".\"{function}\"")),
        });
    }
    raw.media_handlers.push(MediaHandler {
        media_type: Arc::from("text/names"),
        function: name("names"),
        target: Some(name("projects")),
    });
    raw.media_handlers.push(MediaHandler {
        media_type: Arc::from("text/rows"),
        function: name("any_rows"),
        target: None,
    });
    Catalog::assemble(raw)
}
