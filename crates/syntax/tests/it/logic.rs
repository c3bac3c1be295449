//! Trees of conditions.

use crate::request::get;
use passerelle_syntax::{
    Field, Filter, IsValue, LogicOperator, LogicTree, Operation, QuantOperator,
};

fn logic(target: &str) -> Vec<(Vec<String>, LogicTree)> {
    get(target).unwrap().logic
}

fn leaf(name: &str, value: &str) -> LogicTree {
    LogicTree::Leaf(Filter {
        field: Field {
            name: name.to_owned(),
            json_path: Vec::new(),
        },
        negated: false,
        operation: Operation::Quantified(QuantOperator::Equal, None, value.to_owned()),
    })
}

fn branch(negated: bool, operator: LogicOperator, members: Vec<LogicTree>) -> LogicTree {
    LogicTree::Branch {
        negated,
        operator,
        members,
    }
}

#[test]
fn operators_and_negation_are_named_by_the_parameter() {
    let members = vec![leaf("a", "1"), leaf("b", "2")];
    for (name, negated, operator) in [
        ("and", false, LogicOperator::And),
        ("or", false, LogicOperator::Or),
        ("not.and", true, LogicOperator::And),
        ("not.or", true, LogicOperator::Or),
    ] {
        let expected = branch(negated, operator, members.clone());
        assert_eq!(
            logic(&format!("/t?{name}=(a.eq.1,b.eq.2)")),
            [(vec![], expected.clone())]
        );
        assert_eq!(
            logic(&format!("/t?x.y.{name}=( a.eq.1, b.eq.2)rest")),
            [(vec!["x".to_owned(), "y".to_owned()], expected)]
        );
    }
}

#[test]
fn trees_nest() {
    assert_eq!(
        logic("/t?or=(a.eq.1,not.and(b.eq.2,or( c.eq.3 ,and.eq.4)))"),
        [(
            vec![],
            branch(
                false,
                LogicOperator::Or,
                vec![
                    leaf("a", "1"),
                    branch(
                        true,
                        LogicOperator::And,
                        vec![
                            leaf("b", "2"),
                            branch(
                                false,
                                LogicOperator::Or,
                                vec![leaf("c", "3 "), leaf("and", "4")]
                            ),
                        ]
                    ),
                ]
            )
        )]
    );
}

#[test]
fn values_end_at_commas_and_parentheses_unless_quoted_or_in_braces() {
    for (written, value) in [
        ("", ""),
        ("x y", "x y"),
        ("\"a,b)\"", "a,b)"),
        (r#""a\"b""#, "a\"b"),
        ("\"a\"b", "\"a\"b"),
        ("{a,b}", "{a,b}"),
        ("{}", "{}"),
        ("{a", "{a"),
        ("(x", "(x"),
    ] {
        let expected = branch(false, LogicOperator::And, vec![leaf("a", value)]);
        assert_eq!(
            logic(&format!("/t?and=(a.eq.{written})")),
            [(vec![], expected)],
            "{written}"
        );
    }
}

#[test]
fn members_may_be_any_filter() {
    let [(_, LogicTree::Branch { members, .. })] =
        &logic("/t?and=(a.not.is.null,b.in.(1,\"2,3\"),c.fts(english).x)")[..]
    else {
        panic!("one branch is expected")
    };
    let operations: Vec<_> = members
        .iter()
        .map(|member| match member {
            LogicTree::Leaf(filter) => (filter.negated, filter.operation.clone()),
            LogicTree::Branch { .. } => panic!("{member:?} is no leaf"),
        })
        .collect();
    assert_eq!(operations[0], (true, Operation::Is(IsValue::Null)));
    assert_eq!(
        operations[1].1,
        Operation::In(vec!["1".to_owned(), "2,3".to_owned()])
    );
    assert!(
        matches!(&operations[2].1, Operation::FullText(_, Some(language), value)
        if language == "english" && value == "x")
    );
}

#[test]
fn a_condition_may_stand_alone() {
    assert_eq!(logic("/t?or=.eq.1"), [(vec![], leaf("or", "1"))]);
}
