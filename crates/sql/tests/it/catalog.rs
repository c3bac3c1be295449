//! The catalogue of `schema.sql`.

use std::sync::Arc;

use passerelle_catalog::{
    Catalog, Column, ComputedRelationship, MediaHandler, Parameter, QualifiedName, RawCatalog,
    RawColumn, RawForeignKey, RawIndexKey, RawKey, RawRelation, RawUniqueIndex, Representation,
    Returns, Routine, Volatility,
};

const CLIENTS: u32 = 1;
const PROJECTS: u32 = 2;
const TASKS: u32 = 3;
const USERS: u32 = 4;
const USERS_TASKS: u32 = 5;
const WIDGETS: u32 = 6;
const STOCK: u32 = 7;
const PLACES: u32 = 8;
const HANDLES: u32 = 9;

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
                collation: None,
                comparable_elements: base_type.ends_with("[]"),
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
    add_written_tables(raw);
}

fn add_written_tables(raw: &mut RawCatalog) {
    let stock = [
        ("id", "integer", "integer"),
        ("name", "character varying", "character varying(8)"),
        ("amount", "numeric", "numeric(6,2)"),
        ("tags", "text[]", "text[]"),
        ("data", "json", "json"),
        ("color", "integer", "test.color"),
        ("project_id", "integer", "integer"),
    ];
    add_table(raw, STOCK, "stock", &stock, &[1]);
    let defaults = [
        ("id", "nextval('test.stock_ids'::regclass)"),
        ("name", "'none'::character varying"),
        ("amount", "1.5"),
        ("color", "0"),
    ];
    for raw in raw.columns.iter_mut().filter(|raw| raw.relation == STOCK) {
        let found = defaults.iter().find(|(name, _)| *name == &*raw.column.name);
        raw.column.default = found.map(|(_, default)| Box::from(*default));
    }
    let place = [
        ("note", "text", "text"),
        (
            "at",
            "timestamp without time zone",
            "timestamp without time zone",
        ),
        ("it's\\", "integer", "integer"),
    ];
    add_table(raw, PLACES, "places", &place, &[3, 2]);
    let handle = [
        ("id", "integer", "integer"),
        ("name", "text", "text"),
        ("region", "text", "text"),
        ("active", "boolean", "boolean"),
    ];
    add_table(raw, HANDLES, "handles", &handle, &[1]);
    add_unique_indexes(raw);
}

fn add_unique_indexes(raw: &mut RawCatalog) {
    let (name, region) = (|| RawIndexKey::Column(2), || RawIndexKey::Column(3));
    let expression = |sql: &str| RawIndexKey::Expression(Arc::from(sql));
    let lower = vec![
        expression("lower(name)"),
        expression("((region || '!'::text))"),
    ];
    for (index, keys, predicate) in [
        ("handles_active", vec![name()], Some("active")),
        ("handles_lower", lower, Some("(region IS NOT NULL)")),
        ("handles_name_region", vec![name(), region()], None),
        ("handles_region_off", vec![region()], Some("(NOT active)")),
        ("handles_region_on", vec![region()], Some("active")),
    ] {
        raw.unique_indexes.push(RawUniqueIndex {
            relation: HANDLES,
            name: Box::from(index),
            keys: keys.into_boxed_slice(),
            predicate: predicate.map(Arc::from),
            writers: Box::default(),
        });
    }
}

/// A parameter as `name type`; `=` before it: it has a default, `*`: it is variadic.
fn parameter(text: &str) -> Parameter {
    let bare = text.trim_start_matches(['=', '*']);
    let (name, type_name) = bare.split_once(' ').expect("a name and a type");
    let unbounded = match type_name {
        "character" => "character varying",
        other => other,
    };
    Parameter {
        name: Box::from(name),
        type_name: Box::from(type_name),
        unbounded_type: Box::from(unbounded),
        required: !text.starts_with('='),
        variadic: text.starts_with('*'),
    }
}

/// What is returned as `type`, a schema's type with its schema; `setof` and `row` may be before it.
fn returns(text: &str) -> Returns {
    let (set, rest) = text
        .strip_prefix("setof ")
        .map_or((false, text), |rest| (true, rest));
    let (composite, rest) = rest
        .strip_prefix("row ")
        .map_or((false, rest), |rest| (true, rest));
    let (schema, name) = rest.split_once('.').unwrap_or(("pg_catalog", rest));
    Returns {
        set,
        composite,
        composite_alias: false,
        type_name: QualifiedName::new(schema, name),
    }
}

fn add_routines(raw: &mut RawCatalog) {
    let routines: &[(&str, &[&str], &str)] = &[
        ("add_them", &["a integer", "=b integer"], "int4"),
        ("first_letters", &["word character"], "text"),
        ("sum_all", &["*numbers integer[]"], "int8"),
        ("join_all", &["separator text", "*words text[]"], "text"),
        ("nothing", &["=wanted text"], "void"),
        ("numbers", &["upto integer"], "setof int4"),
        ("null_text", &[], "text"),
        ("one_client", &["wanted integer"], "row test.clients"),
        (
            "clients_from",
            &["lowest integer"],
            "setof row test.clients",
        ),
        ("rename_clients", &["suffix text"], "setof row test.clients"),
        ("pair", &["a integer"], "row record"),
        ("echo_json", &[" json"], "json"),
        ("echo_jsonb", &[" jsonb"], "jsonb"),
        ("echo_text", &[" text"], "text"),
        ("echo_bytes", &[" bytea"], "text"),
        ("echo_xml", &[" xml"], "text"),
        ("reply", &[], "text"),
        ("page", &["title text"], "test.text/html"),
    ];
    for (routine, parameters, result) in routines {
        let parameters = parameters.iter().map(|text| parameter(text));
        let parameters = parameters.collect::<Box<[Parameter]>>();
        raw.routines.push(Routine {
            oid: 0,
            name: name(routine),
            description: None,
            variadic: parameters.iter().any(|parameter| parameter.variadic),
            parameters,
            returns: returns(result),
            volatility: Volatility::Volatile,
            settings: Box::default(),
            isolation: None,
        });
    }
    raw.media_handlers.push(MediaHandler {
        media_type: Arc::from("text/html"),
        function: name("text/html"),
        target: Some(name("page")),
    });
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
    add_routines(&mut raw);
    add_foreign_key(&mut raw, "stock_project_id_fkey", (STOCK, 7), PROJECTS);
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
        ("json", "test.color", "color_from_json"),
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
