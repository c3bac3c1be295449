//! A small catalogue: clients and their projects, tasks and users in between, and what makes
//! relationships ambiguous.

use std::sync::Arc;

use passerelle_catalog::{
    Catalog, Column, Parameter, QualifiedName, RawCatalog, RawColumn, RawForeignKey, RawKey,
    RawRelation, ReadableColumns, Representation, Returns, Routine, Volatility,
};

struct Fixture {
    raw: RawCatalog,
}

impl Fixture {
    fn table(&mut self, oid: u32, name: &str, columns: &[(&str, &str)], key: &[i16]) {
        self.raw.relations.push(RawRelation {
            oid,
            name: QualifiedName::new("test", name),
            description: None,
            is_view: false,
            insertable: true,
            updatable: true,
            deletable: true,
        });
        for (number, (column, type_name)) in (1..).zip(columns) {
            self.raw.columns.push(RawColumn {
                relation: oid,
                number,
                column: Column {
                    name: Arc::from(*column),
                    description: None,
                    nullable: true,
                    base_type: Arc::from(if *type_name == "color" {
                        "integer"
                    } else {
                        *type_name
                    }),
                    nominal_type: Arc::from(*type_name),
                    collation: None,
                    comparable_elements: type_name.ends_with("[]"),
                    max_length: None,
                    default: None,
                    generated: false,
                    enum_labels: Arc::from([]),
                },
            });
        }
        if !key.is_empty() {
            self.raw.keys.push(RawKey {
                relation: oid,
                is_primary: true,
                columns: key.into(),
            });
        }
    }

    /// `returns`: the type, whether it has columns, whether a set comes.
    fn routine(
        &mut self,
        name: &str,
        parameters: &[(&str, bool)],
        volatility: Volatility,
        returns: (&str, bool, bool),
    ) {
        let parameters = parameters.iter().map(|(name, required)| Parameter {
            name: (*name).into(),
            type_name: if name.is_empty() {
                "json".into()
            } else {
                "integer".into()
            },
            unbounded_type: "integer".into(),
            required: *required,
            variadic: false,
        });
        let schema = if returns.1 { "test" } else { "pg_catalog" };
        self.raw.routines.push(Routine {
            oid: 0,
            name: QualifiedName::new("test", name),
            description: None,
            parameters: parameters.collect(),
            returns: Returns {
                set: returns.2,
                composite: returns.1,
                composite_alias: false,
                type_name: QualifiedName::new(schema, returns.0),
            },
            volatility,
            variadic: false,
            settings: Box::default(),
            isolation: None,
        });
    }

    fn routines(&mut self) {
        self.routine(
            "add",
            &[("a", true), ("b", false)],
            Volatility::Immutable,
            ("int4", false, false),
        );
        self.routine(
            "add",
            &[("a", true), ("b", false), ("c", true)],
            Volatility::Immutable,
            ("int4", false, false),
        );
        self.routine(
            "echo",
            &[("", true)],
            Volatility::Volatile,
            ("json", false, false),
        );
        self.routine(
            "all_projects",
            &[],
            Volatility::Stable,
            ("projects", true, true),
        );
        self.routine(
            "twice",
            &[("a", true)],
            Volatility::Stable,
            ("int4", false, false),
        );
        self.routine(
            "twice",
            &[("a", true)],
            Volatility::Volatile,
            ("int4", false, false),
        );
    }

    fn foreign_key(&mut self, constraint: &str, from: (u32, i16), to: (u32, i16)) {
        self.raw.foreign_keys.push(RawForeignKey {
            constraint: Arc::from(constraint),
            origin: from.0,
            target: to.0,
            origin_columns: [from.1].into(),
            target_columns: [to.1].into(),
        });
    }
}

/// `anon` may read `id` and `name` of `users` only; `widgets.color` is a domain shown as text.
pub(crate) fn catalog() -> Catalog {
    let mut fixture = Fixture {
        raw: RawCatalog {
            version: 1,
            schemas: vec![Arc::from("test")],
            ..RawCatalog::default()
        },
    };
    fixture.table(1, "clients", &[("id", "integer"), ("name", "text")], &[1]);
    fixture.table(
        2,
        "projects",
        &[
            ("id", "integer"),
            ("name", "text"),
            ("client_id", "integer"),
            ("data", "jsonb"),
        ],
        &[1],
    );
    fixture.table(
        3,
        "tasks",
        &[
            ("id", "integer"),
            ("project_id", "integer"),
            ("hours", "integer"),
        ],
        &[1],
    );
    fixture.table(
        4,
        "users",
        &[("id", "integer"), ("name", "text"), ("email", "text")],
        &[1],
    );
    fixture.table(
        5,
        "users_tasks",
        &[("user_id", "integer"), ("task_id", "integer")],
        &[1, 2],
    );
    fixture.table(
        6,
        "messages",
        &[
            ("id", "integer"),
            ("sender", "integer"),
            ("recipient", "integer"),
        ],
        &[1],
    );
    fixture.table(7, "widgets", &[("id", "integer"), ("color", "color")], &[1]);
    fixture.table(
        8,
        "people",
        &[("id", "integer"), ("manager", "integer")],
        &[1],
    );
    fixture.foreign_key("projects_client_id_fkey", (2, 3), (1, 1));
    fixture.foreign_key("tasks_project_id_fkey", (3, 2), (2, 1));
    fixture.foreign_key("users_tasks_user_id_fkey", (5, 1), (4, 1));
    fixture.foreign_key("users_tasks_task_id_fkey", (5, 2), (3, 1));
    fixture.foreign_key("messages_sender_fkey", (6, 2), (4, 1));
    fixture.foreign_key("messages_recipient_fkey", (6, 3), (4, 1));
    fixture.foreign_key("people_manager_fkey", (8, 2), (8, 1));
    fixture.raw.representations.push(Representation {
        source: Arc::from("color"),
        target: Arc::from("json"),
        function: Arc::from("\"test\".\"color_json\""),
    });
    fixture.routines();
    fixture.raw.readable_columns.push(ReadableColumns {
        relation: 4,
        role: Arc::from("anon"),
        columns: vec![1, 2],
    });
    Catalog::assemble(fixture.raw)
}
