//! What holds for all values and names.

use bytes::Bytes;
use passerelle_planner::{Arguments, Condition, Plan, PlanField, TextArgument, Write};
use passerelle_sql::{render, render_call, render_mutate};
use passerelle_statement::Statement;
use passerelle_syntax::{
    FullTextOperator, JsonOperand, JsonStep, Operation, QuantOperator, Quantifier, RowRange,
    SimpleOperator,
};
use proptest::prelude::*;

use crate::{Sent, plan_of, plan_of_sent};

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

const WRITES: &[Sent] = &[
    ("POST /stock", "", br#"{"id": 1, "color": 2}"#),
    ("POST /stock", "prefer: missing=default", br#"[{"id": 1}]"#),
    (
        "POST /stock",
        "prefer: resolution=merge-duplicates",
        b"[{}]",
    ),
    ("PUT /stock?id=eq.1", "", br#"{"id": 1, "name": "a"}"#),
    ("PATCH /stock?id=eq.1", "", br#"{"name": "a"}"#),
    (
        "PATCH /stock",
        "prefer: update=by-key, values=operations",
        br#"[{"id": 1, "amount": {"$inc": 1}, "tags": {"$remove": []}}]"#,
    ),
];

/// The statement of a write with this body.
fn write_with(sent: Sent, bytes: &Bytes) -> Statement {
    let Plan::Mutate(mut plan) = plan_of_sent(sent) else {
        panic!("{sent:?} is not a write")
    };
    if let Write::Insert { body, .. } | Write::Update { body, .. } = &mut plan.write {
        body.bytes = bytes.clone();
    }
    render_mutate(&plan)
}

const CALLS: &[Sent] = &[
    ("GET /rpc/add_them?a=1&b=2", "", b""),
    ("GET /rpc/join_all?separator=-&words=a", "", b""),
    ("POST /rpc/echo_text", "content-type: text/plain", b"text"),
    (
        "POST /rpc/echo_bytes",
        "content-type: application/octet-stream",
        b"text",
    ),
];

/// The statement of a call with these values.
fn call_with(sent: Sent, value: &str, values: &[String]) -> Statement {
    let Plan::Call(mut plan) = plan_of_sent(sent) else {
        panic!("{sent:?} is not a call")
    };
    match &mut plan.arguments {
        Arguments::Text(arguments) => {
            for (_, argument) in arguments {
                match argument {
                    TextArgument::One(given) => value.clone_into(given),
                    TextArgument::Many(given) => *given = values.to_vec(),
                }
            }
        }
        Arguments::Body { bytes, .. } => *bytes = Some(Bytes::copy_from_slice(value.as_bytes())),
        Arguments::None | Arguments::Json { .. } => panic!("{sent:?} has no values"),
    }
    render_call(&plan).main
}

proptest! {
    #[test]
    fn bodies_are_parameters_as_they_are(body in any::<Vec<u8>>()) {
        let body = Bytes::from(body);
        for &sent in WRITES {
            let statement = write_with(sent, &body);
            prop_assert_eq!(&statement.text, &write_with(sent, &Bytes::new()).text);
            prop_assert_eq!(statement.params[0].as_ref(), Some(&body));
        }
    }

    #[test]
    fn arguments_are_parameters(
        value in any::<String>(),
        values in prop::collection::vec(any::<String>(), 0..5),
    ) {
        for &sent in CALLS {
            prop_assert_eq!(call_with(sent, &value, &values).text, call_with(sent, "", &[]).text);
        }
    }

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
