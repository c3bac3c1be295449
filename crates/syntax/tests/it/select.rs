//! The `select` parameter.

use crate::request::{get, query_error};
use passerelle_syntax::{
    AggregateFunction, Field, JoinType, JsonOperand, JsonStep, SelectEmbed, SelectField, SelectItem,
};

fn select(value: &str) -> Vec<SelectItem> {
    get(&format!("/t?select={value}")).unwrap().select
}

fn column(name: &str) -> SelectField {
    SelectField {
        field: Field {
            name: name.to_owned(),
            json_path: Vec::new(),
        },
        aggregate: None,
        aggregate_cast: None,
        cast: None,
        alias: None,
    }
}

fn embed(relation: &str, select: Vec<SelectItem>) -> SelectEmbed {
    SelectEmbed {
        relation: relation.to_owned(),
        alias: None,
        hint: None,
        join: None,
        select,
    }
}

fn star() -> SelectItem {
    SelectItem::Field(column("*"))
}

fn key(as_text: bool, key: &str) -> JsonStep {
    JsonStep {
        as_text,
        operand: JsonOperand::Key(key.to_owned()),
    }
}

fn index(as_text: bool, index: &str) -> JsonStep {
    JsonStep {
        as_text,
        operand: JsonOperand::Index(index.to_owned()),
    }
}

fn json_path(path: &str) -> Vec<JsonStep> {
    match select(&format!("a{path}")).remove(0) {
        SelectItem::Field(item) => item.field.json_path,
        other => panic!("{other:?} is no field"),
    }
}

#[test]
fn absent_is_all_columns() {
    for target in ["/t", "/t?select", "/t?select=*", "/t?select&select=a"] {
        assert_eq!(get(target).unwrap().select, [star()], "{target}");
    }
}

#[test]
fn may_be_empty() {
    assert_eq!(select(""), []);
    assert_eq!(select("a()"), [SelectItem::Embed(embed("a", vec![]))]);
}

#[test]
fn columns_have_aliases_and_casts() {
    assert_eq!(
        select("id, full name ,a-b,x:id::text,y:data->a::double precision"),
        [
            SelectItem::Field(column("id")),
            SelectItem::Field(column("full name")),
            SelectItem::Field(column("a-b")),
            SelectItem::Field(SelectField {
                alias: Some("x".to_owned()),
                cast: Some("text".to_owned()),
                ..column("id")
            }),
            SelectItem::Field(SelectField {
                alias: Some("y".to_owned()),
                cast: Some("double precision".to_owned()),
                field: Field {
                    name: "data".to_owned(),
                    json_path: vec![key(false, "a")]
                },
                ..column("")
            }),
        ]
    );
}

#[test]
fn names_are_words_or_quoted() {
    for (written, name) in [
        ("identifier", "identifier"),
        ("identifier with spaces", "identifier with spaces"),
        ("identifier-with-dashes", "identifier-with-dashes"),
        ("123", "123"),
        ("_", "_"),
        ("$", "$"),
        ("%C3%A9t%C3%A9", "\u{e9}t\u{e9}"),
        ("\":\"", ":"),
        ("+no+leading+or+trailing+", "no leading or trailing"),
        ("\"+leading+and+trailing+\"", " leading and trailing "),
        (r#""a\"b\\c\d,(.)""#, "a\"b\\cd,(.)"),
        ("\"\"", ""),
    ] {
        assert_eq!(
            select(written),
            [SelectItem::Field(column(name))],
            "{written}"
        );
    }
}

#[test]
fn json_paths() {
    assert_eq!(json_path("->text"), [key(false, "text")]);
    assert_eq!(json_path("->>text"), [key(true, "text")]);
    assert_eq!(json_path("->!@$%25^%26*_a"), [key(false, "!@$%^&*_a")]);
    assert_eq!(json_path("->a-b->>c"), [key(false, "a-b"), key(true, "c")]);
    assert_eq!(
        json_path("->1->>-78"),
        [index(false, "1"), index(true, "-78")]
    );
    assert_eq!(
        json_path("->\"1\"->\"a.b\""),
        [key(false, "1"), key(false, "a.b")]
    );
    assert_eq!(json_path("->1a"), [key(false, "1a")]);
}

#[test]
fn an_index_before_a_parenthesis_is_a_key() {
    let found = select("e(a->0)");
    let [SelectItem::Embed(embed)] = &found[..] else {
        panic!("{found:?}")
    };
    let [SelectItem::Field(item)] = &embed.select[..] else {
        panic!("{embed:?}")
    };
    assert_eq!(item.field.json_path, [key(false, "0")]);
}

#[test]
fn aggregates() {
    for (name, function) in [
        ("sum", AggregateFunction::Sum),
        ("avg", AggregateFunction::Avg),
        ("max", AggregateFunction::Max),
        ("min", AggregateFunction::Min),
        ("count", AggregateFunction::Count),
    ] {
        assert_eq!(
            select(&format!("x:a::int.{name}()::text")),
            [SelectItem::Field(SelectField {
                alias: Some("x".to_owned()),
                cast: Some("int".to_owned()),
                aggregate: Some(function),
                aggregate_cast: Some("text".to_owned()),
                ..column("a")
            })]
        );
    }
    let count = SelectField {
        aggregate: Some(AggregateFunction::Count),
        ..column("*")
    };
    assert_eq!(select("count()"), [SelectItem::Field(count.clone())]);
    assert_eq!(
        select("n:count()::text"),
        [SelectItem::Field(SelectField {
            alias: Some("n".to_owned()),
            aggregate_cast: Some("text".to_owned()),
            ..count
        })]
    );
    assert_eq!(select("count"), [SelectItem::Field(column("count"))]);
    assert_eq!(
        select("count::text"),
        [SelectItem::Field(SelectField {
            cast: Some("text".to_owned()),
            ..column("count")
        })]
    );
}

#[test]
fn embeds_nest_and_spread() {
    assert_eq!(
        select("*,client(*,nested(id)),...other(*)"),
        [
            star(),
            SelectItem::Embed(embed(
                "client",
                vec![
                    star(),
                    SelectItem::Embed(embed("nested", vec![SelectItem::Field(column("id"))])),
                ]
            )),
            SelectItem::Spread(embed("other", vec![star()])),
        ]
    );
}

#[test]
fn embeds_have_aliases_hints_and_join_types() {
    let plain = embed("rel", vec![star()]);
    let hinted = SelectEmbed {
        hint: Some("hint".to_owned()),
        ..plain.clone()
    };
    let inner = SelectEmbed {
        join: Some(JoinType::Inner),
        ..hinted.clone()
    };
    for (written, expected) in [
        ("rel!hint(*)", hinted.clone()),
        ("rel!hint!inner(*)", inner.clone()),
        ("rel!inner!hint(*)", inner.clone()),
        (
            "rel!left(*)",
            SelectEmbed {
                join: Some(JoinType::Left),
                ..plain.clone()
            },
        ),
        ("rel!hint!other(*)", hinted),
        (
            "a:rel!inner!hint(*)",
            SelectEmbed {
                alias: Some("a".to_owned()),
                ..inner
            },
        ),
        (
            "rel!\"left\"(*)",
            SelectEmbed {
                hint: Some("left".to_owned()),
                ..plain
            },
        ),
    ] {
        assert_eq!(select(written), [SelectItem::Embed(expected)], "{written}");
    }
    let spread = SelectEmbed {
        hint: Some("hint".to_owned()),
        ..embed("rel", vec![star()])
    };
    assert_eq!(select("...rel!hint(*)"), [SelectItem::Spread(spread)]);
}

#[test]
fn what_follows_an_embed_is_ignored() {
    assert_eq!(
        select("a(*)rest"),
        [SelectItem::Embed(embed("a", vec![star()]))]
    );
}

/// As after an embed, nothing is demanded to follow: not even of no items at all.
#[test]
fn what_is_no_item_is_no_error_at_the_beginning() {
    for value in ["*!hint", ",a", "...a", "(", "%5B"] {
        assert_eq!(select(value), [], "{value}");
    }
}

#[test]
fn an_alias_cannot_spread() {
    query_error("/t?select=a:...rel(*)");
}
