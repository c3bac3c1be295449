//! What holds for all values and names.

use passerelle_planner::{Condition, PlanField};
use passerelle_sql::render;
use passerelle_syntax::{
    FullTextOperator, JsonOperand, JsonStep, Operation, QuantOperator, Quantifier, RowRange,
    SimpleOperator,
};
use proptest::prelude::*;

use crate::plan_of;

/// The same kind of operation with any value.
fn operation() -> impl Strategy<Value = (Operation, Operation)> {
    let texts = (any::<String>(), any::<String>());
    let lists = (
        prop::collection::vec(any::<String>(), 1..9),
        prop::collection::vec(".*", 1..9),
    );
    prop_oneof![
        texts.prop_map(|(a, b)| {
            let make = |value| Operation::Simple(SimpleOperator::NotEqual, value);
            (make(a), make(b))
        }),
        texts.prop_map(|(a, b)| {
            let make = |value| Operation::Quantified(QuantOperator::Like, None, value);
            (make(a), make(b))
        }),
        texts.prop_map(|(a, b)| {
            let any = Some(Quantifier::Any);
            let make = |value| Operation::Quantified(QuantOperator::Equal, any, value);
            (make(a), make(b))
        }),
        texts.prop_map(|(a, b)| {
            let make = |text: String| {
                Operation::FullText(FullTextOperator::Plain, Some(text.clone()), text)
            };
            (make(a), make(b))
        }),
        texts.prop_map(|(a, b)| (Operation::IsDistinctFrom(a), Operation::IsDistinctFrom(b))),
        lists.prop_map(|(a, b)| (Operation::In(a), Operation::In(b))),
    ]
}

fn text_of(key: &str, operation: Operation, offset: u64) -> String {
    let mut plan = plan_of(("/projects?select=id,data->a&id=eq.1&limit=5", ""));
    let [Condition::Compare { field, .. }] = plan.root.filters.as_slice() else {
        panic!("one comparison")
    };
    let step = JsonStep {
        as_text: true,
        operand: JsonOperand::Key(key.to_owned()),
    };
    let field = PlanField {
        json_path: vec![step],
        ..field.clone()
    };
    plan.root.filters = vec![Condition::Compare {
        field,
        negated: false,
        operation,
    }];
    plan.root.range = RowRange {
        offset,
        limit: Some(5),
    };
    render(&plan).main.text
}

proptest! {
    #[test]
    fn the_text_is_the_same_for_all_values(
        (first, second) in operation(),
        (first_key, second_key) in any::<(String, String)>(),
        (first_offset, second_offset) in (1_u64..11, 1_u64..11),
    ) {
        prop_assert_eq!(
            text_of(&first_key, first, first_offset),
            text_of(&second_key, second, second_offset)
        );
    }

    #[test]
    fn a_name_never_leaves_its_quotes(name in any::<String>()) {
        let mut plan = plan_of(("/projects?select=id", ""));
        plan.root.select[0].alias = Some(name.clone());
        let text = render(&plan).main.text;
        let (_, quoted) = text.split_once("\"id\" AS \"").expect("the alias is there");
        let mut read = String::new();
        let mut rest = quoted.chars();
        while let Some(next) = rest.next() {
            if next == '"' && rest.next() != Some('"') {
                break;
            }
            read.push(next);
        }
        prop_assert_eq!(Some(read.as_str()), name.split('\0').next());
    }
}
