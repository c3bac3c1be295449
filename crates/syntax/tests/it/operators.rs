//! Filters and their operators.

use crate::request::{get, query_error};
use passerelle_syntax::{
    Field, Filter, FullTextOperator, IsValue, JsonOperand, JsonStep, Operation, QuantOperator,
    Quantifier, SimpleOperator,
};

fn filter(target: &str) -> (Vec<String>, Filter) {
    let mut filters = get(target).unwrap().filters;
    assert_eq!(filters.len(), 1, "{target}");
    filters.remove(0)
}

#[track_caller]
fn check(condition: &str, expected: &Operation) {
    for (written, negated) in [
        (condition.to_owned(), false),
        (format!("not.{condition}"), true),
    ] {
        let (path, filter) = filter(&format!("/t?a={written}"));
        assert_eq!(path, [""; 0]);
        assert_eq!(filter.negated, negated);
        assert_eq!(filter.operation, *expected, "{written}");
    }
}

#[test]
fn simple_operators() {
    for (name, operator) in [
        ("neq", SimpleOperator::NotEqual),
        ("cs", SimpleOperator::Contains),
        ("cd", SimpleOperator::Contained),
        ("ov", SimpleOperator::Overlap),
        ("sl", SimpleOperator::StrictlyLeft),
        ("sr", SimpleOperator::StrictlyRight),
        ("nxr", SimpleOperator::NotExtendsRight),
        ("nxl", SimpleOperator::NotExtendsLeft),
        ("adj", SimpleOperator::Adjacent),
    ] {
        check(
            &format!("{name}.{{1,2}}"),
            &Operation::Simple(operator, "{1,2}".to_owned()),
        );
        query_error(&format!("/t?a={name}(any).1"));
    }
}

#[test]
fn quantifiable_operators() {
    for (name, operator) in [
        ("eq", QuantOperator::Equal),
        ("gte", QuantOperator::GreaterThanEqual),
        ("gt", QuantOperator::GreaterThan),
        ("lte", QuantOperator::LessThanEqual),
        ("lt", QuantOperator::LessThan),
        ("like", QuantOperator::Like),
        ("ilike", QuantOperator::ILike),
        ("match", QuantOperator::Match),
        ("imatch", QuantOperator::IMatch),
    ] {
        for (suffix, quantifier) in [
            ("", None),
            ("(any)", Some(Quantifier::Any)),
            ("(all)", Some(Quantifier::All)),
        ] {
            check(
                &format!("{name}{suffix}.x*"),
                &Operation::Quantified(operator, quantifier, "x*".to_owned()),
            );
        }
        query_error(&format!("/t?a={name}(some).1"));
    }
}

#[test]
fn values_are_taken_as_they_are() {
    for (written, value) in [
        ("", ""),
        (" a ", " a "),
        ("a.b,c)", "a.b,c)"),
        ("\"a\"", "\"a\""),
        ("a+b%2Bc", "a b+c"),
        ("%", "%"),
        ("%zz%4", "%zz%4"),
        ("a=b", "a=b"),
        ("%C3%A9%0A", "\u{e9}\n"),
    ] {
        check(
            &format!("eq.{written}"),
            &Operation::Quantified(QuantOperator::Equal, None, value.to_owned()),
        );
    }
}

#[test]
fn lists() {
    for (written, members) in [
        ("()", vec![""]),
        ("(1)", vec!["1"]),
        (" ( 1,2 , 3 ) ", vec!["1", "2 ", " 3 "]),
        ("(\"a,b\",\"c)\",d\"e)", vec!["a,b", "c)", "d\"e"]),
        (r#"("a\"b\\c")"#, vec![r#"a"b\c"#]),
        ("(\"a\"b,\"c)", vec!["\"a\"b", "\"c"]),
        ("(,)", vec!["", ""]),
        ("(1)rest", vec!["1"]),
    ] {
        let members = members.into_iter().map(str::to_owned).collect();
        check(&format!("in.{written}"), &Operation::In(members));
    }
}

#[test]
fn is() {
    for (name, value) in [
        ("null", IsValue::Null),
        ("NULL", IsValue::Null),
        ("not_null", IsValue::NotNull),
        ("Not_Null", IsValue::NotNull),
        ("true", IsValue::True),
        ("false", IsValue::False),
        ("unKnown", IsValue::Unknown),
    ] {
        check(&format!("is.{name}"), &Operation::Is(value));
    }
}

#[test]
fn is_distinct_from() {
    check("isdistinct.a", &Operation::IsDistinctFrom("a".to_owned()));
}

#[test]
fn full_text_search() {
    for (name, operator) in [
        ("fts", FullTextOperator::Query),
        ("plfts", FullTextOperator::Plain),
        ("phfts", FullTextOperator::Phrase),
        ("wfts", FullTextOperator::Websearch),
    ] {
        for (suffix, language) in [("", None), ("(english)", Some("english".to_owned()))] {
            check(
                &format!("{name}{suffix}.fat%26cat"),
                &Operation::FullText(operator, language, "fat&cat".to_owned()),
            );
        }
    }
}

#[test]
fn fields_have_json_paths_and_embed_paths() {
    let (path, filter) = filter("/t?a.b.\"c.d\"->e->>0=eq.1");
    assert_eq!(path, ["a", "b"]);
    let steps = vec![
        JsonStep {
            as_text: false,
            operand: JsonOperand::Key("e".to_owned()),
        },
        JsonStep {
            as_text: true,
            operand: JsonOperand::Index("0".to_owned()),
        },
    ];
    assert_eq!(
        filter.field,
        Field {
            name: "c.d".to_owned(),
            json_path: steps
        }
    );
}
