//! A small library: relations of each kind, keys, types, defaults and functions.

use std::sync::Arc;

use passerelle_catalog::{
    AttributeNumber, Catalog, Column, Oid, Parameter, QualifiedName, RawCatalog, RawColumn,
    RawForeignKey, RawKey, RawRelation, Returns, Routine, ViewColumn, Volatility,
};

const AUTHORS: Oid = 1;
const BOOKS: Oid = 2;
const BOOK_LIST: Oid = 3;
const ODD: Oid = 4;
const SECRETS: Oid = 5;
const ELSEWHERE: Oid = 6;
const PASSPORTS: Oid = 7;

pub(crate) fn library() -> Catalog {
    let mut raw = RawCatalog {
        schemas: vec![Arc::from("library"), Arc::from("other")],
        relations: relations(),
        columns: columns(),
        keys: [AUTHORS, BOOKS].map(|oid| key(oid, true, 1)).into(),
        foreign_keys: vec![
            foreign_key("books_author_id_fkey", BOOKS, 2),
            foreign_key("passports_author_id_fkey", PASSPORTS, 1),
        ],
        routines: routines(),
        ..RawCatalog::default()
    };
    raw.keys.push(key(PASSPORTS, false, 1));
    for number in 1..=2 {
        raw.view_columns.push(ViewColumn {
            view: BOOK_LIST,
            column: number,
            source: BOOKS,
            source_column: number,
        });
    }
    Catalog::assemble(raw)
}

fn relations() -> Vec<RawRelation> {
    let relation = |oid, schema, name, description: Option<&str>| RawRelation {
        oid,
        name: QualifiedName::new(schema, name),
        description: description.map(Into::into),
        is_view: false,
        insertable: true,
        updatable: true,
        deletable: true,
    };
    let comment = "Authors\n\n\nThose who wrote\nsomething";
    vec![
        relation(AUTHORS, "library", "authors", Some(comment)),
        relation(BOOKS, "library", "books", Some("Books")),
        RawRelation {
            is_view: true,
            insertable: false,
            updatable: false,
            deletable: false,
            ..relation(BOOK_LIST, "library", "book_list", None)
        },
        relation(ODD, "library", "odd {name}.x", None),
        relation(SECRETS, "library", "secrets", None),
        relation(ELSEWHERE, "other", "elsewhere", None),
        relation(PASSPORTS, "library", "passports", None),
    ]
}

fn columns() -> Vec<RawColumn> {
    let plain = column;
    let mut columns = vec![
        with(AUTHORS, 1, "id", "integer", |column| {
            column.nullable = false;
            column.description = Some("Number".into());
            column.default = Some("nextval('library.authors_id_seq'::regclass)".into());
        }),
        with(AUTHORS, 2, "name", "character varying", |column| {
            column.nullable = false;
            column.max_length = Some(40);
        }),
        with(AUTHORS, 3, "mood", "library.mood", |column| {
            column.enum_labels = Arc::from(["calm".into(), "grim".into()]);
            column.default = Some("'calm'::library.mood".into());
        }),
        with(AUTHORS, 4, "born", "date", |column| {
            column.default = Some("'1900-01-01'::date".into());
        }),
        with(AUTHORS, 5, "rating", "numeric", |column| {
            column.nullable = false;
            column.default = Some("4.5".into());
        }),
        with(AUTHORS, 6, "seen", "timestamp with time zone", |column| {
            column.default = Some("now()".into());
        }),
        with(BOOKS, 1, "id", "bigint", |column| {
            column.nullable = false;
            column.generated = true;
        }),
        with(BOOKS, 2, "author_id", "integer", |column| {
            column.description = Some("Who wrote it".into());
        }),
    ];
    columns.extend([
        plain(AUTHORS, 7, "tags", "text[]"),
        plain(AUTHORS, 8, "meta", "jsonb"),
        plain(AUTHORS, 9, "order", "smallint"),
        plain(AUTHORS, 10, "alive", "boolean"),
        plain(BOOK_LIST, 1, "id", "bigint"),
        plain(BOOK_LIST, 2, "author", "integer"),
        plain(ODD, 1, "a b", "text"),
        plain(SECRETS, 1, "id", "integer"),
        plain(ELSEWHERE, 1, "id", "integer"),
        plain(PASSPORTS, 1, "author_id", "integer"),
    ]);
    columns
}

fn column(relation: Oid, number: AttributeNumber, name: &str, type_name: &str) -> RawColumn {
    with(relation, number, name, type_name, |_| {})
}

fn with(
    relation: Oid,
    number: AttributeNumber,
    name: &str,
    type_name: &str,
    change: impl FnOnce(&mut Column),
) -> RawColumn {
    let mut column = Column {
        name: Arc::from(name),
        description: None,
        nullable: true,
        base_type: Arc::from(type_name),
        nominal_type: Arc::from(type_name),
        collation: None,
        comparable_elements: false,
        max_length: None,
        default: None,
        generated: false,
        enum_labels: Arc::from([]),
    };
    change(&mut column);
    RawColumn {
        relation,
        number,
        column,
    }
}

fn key(relation: Oid, is_primary: bool, column: AttributeNumber) -> RawKey {
    RawKey {
        relation,
        is_primary,
        columns: [column].into(),
    }
}

fn foreign_key(constraint: &str, origin: Oid, column: AttributeNumber) -> RawForeignKey {
    RawForeignKey {
        constraint: Arc::from(constraint),
        origin,
        target: AUTHORS,
        origin_columns: [column].into(),
        target_columns: [1].into(),
    }
}

fn routines() -> Vec<Routine> {
    use Volatility::{Immutable, Stable, Volatile};
    let [a, b, c] = ["a", "b", "c"].map(|name| parameter(name, "integer"));
    let optional = Parameter {
        required: false,
        ..b.clone()
    };
    let variadic = Parameter {
        required: false,
        variadic: true,
        ..parameter("parts", "text[]")
    };
    let int4 = returns("pg_catalog", "int4");
    let text = returns("pg_catalog", "text");
    let books = Returns {
        set: true,
        composite: true,
        ..returns("library", "books")
    };
    let mood = parameter("mood", "library.mood");
    let ages = parameter("ages", "integer[]");
    let mut add = routine(
        101,
        "add",
        Immutable,
        vec![a.clone(), optional],
        int4.clone(),
    );
    add.description = Some("Sum\nof two".into());
    vec![
        add,
        routine(102, "add", Immutable, vec![a, b, c], text.clone()),
        routine(
            103,
            "reset",
            Volatile,
            vec![],
            returns("pg_catalog", "void"),
        ),
        routine(104, "books_of", Stable, vec![mood, ages], books),
        routine(105, "joined", Immutable, vec![variadic], text),
        routine(
            106,
            "store",
            Volatile,
            vec![parameter("", "bytea")],
            int4.clone(),
        ),
        routine(107, "hidden", Volatile, vec![], int4),
    ]
}

fn parameter(name: &str, type_name: &str) -> Parameter {
    Parameter {
        name: name.into(),
        type_name: type_name.into(),
        unbounded_type: type_name.into(),
        required: true,
        variadic: false,
    }
}

fn returns(schema: &str, name: &str) -> Returns {
    Returns {
        set: false,
        composite: false,
        composite_alias: false,
        type_name: QualifiedName::new(schema, name),
    }
}

fn routine(
    oid: Oid,
    name: &str,
    volatility: Volatility,
    parameters: Vec<Parameter>,
    returns: Returns,
) -> Routine {
    Routine {
        oid,
        name: QualifiedName::new("library", name),
        description: None,
        variadic: parameters.iter().any(|parameter| parameter.variadic),
        parameters: parameters.into_boxed_slice(),
        returns,
        volatility,
        settings: Box::default(),
        isolation: None,
    }
}
