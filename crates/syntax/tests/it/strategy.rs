//! Arbitrary requests, as parsing could have made them.

use passerelle_syntax::{
    Action, AggregateFunction, ApiRequest, Count, Field, Filter, FullTextOperator, Invocation,
    IsValue, JoinType, JsonOperand, JsonStep, LogicOperator, LogicTree, MediaType, Mutation,
    Operation, OrderDirection, OrderNulls, OrderTerm, PlanOption, Preferences, QuantOperator,
    Quantifier, Representation, Resolution, RowRange, SelectEmbed, SelectField, SelectItem,
    SimpleOperator, UpdateMatch, ValueForm,
};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;
use proptest::sample::select;

/// Plain words, reserved ones, and any text.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-z_][a-z0-9_]{0,6}",
        1 => select(vec![
            "order", "limit", "select", "and", "or", "left", "inner", "in", "is", "eq", "a-b",
            "-", "a--b", " a", "*", "1", "",
        ])
        .prop_map(str::to_owned),
        1 => any::<String>(),
    ]
}

/// Names that have a meaning of their own where this one stands.
fn name_but(reserved: &'static str) -> impl Strategy<Value = String> {
    name().prop_filter("reserved", move |name| name != reserved)
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![3 => "[a-z0-9 ,.(){}\"\\\\]{0,8}", 1 => any::<String>()]
}

/// With `closed`, no index ends the path: before a parenthesis it would be a key.
fn field(closed: bool) -> impl Strategy<Value = Field> {
    let step = (
        any::<bool>(),
        prop_oneof![
            name().prop_map(JsonOperand::Key),
            "-?[0-9]{1,3}".prop_map(JsonOperand::Index),
        ],
    )
        .prop_map(|(as_text, operand)| JsonStep { as_text, operand });
    let path = prop_oneof![3 => Just(Vec::new()), 1 => vec(step, 1..3)];
    (name(), path).prop_map(move |(name, mut json_path)| {
        if closed
            && matches!(
                json_path.last(),
                Some(JsonStep {
                    operand: JsonOperand::Index(_),
                    ..
                })
            )
        {
            json_path.pop();
            if matches!(
                json_path.last(),
                Some(JsonStep {
                    operand: JsonOperand::Index(_),
                    ..
                })
            ) {
                json_path.clear();
            }
        }
        Field { name, json_path }
    })
}

fn operation() -> impl Strategy<Value = Operation> {
    let simple = select(vec![
        SimpleOperator::NotEqual,
        SimpleOperator::Contains,
        SimpleOperator::Contained,
        SimpleOperator::Overlap,
        SimpleOperator::StrictlyLeft,
        SimpleOperator::StrictlyRight,
        SimpleOperator::NotExtendsRight,
        SimpleOperator::NotExtendsLeft,
        SimpleOperator::Adjacent,
    ]);
    let quantifiable = select(vec![
        QuantOperator::Equal,
        QuantOperator::GreaterThanEqual,
        QuantOperator::GreaterThan,
        QuantOperator::LessThanEqual,
        QuantOperator::LessThan,
        QuantOperator::Like,
        QuantOperator::ILike,
        QuantOperator::Match,
        QuantOperator::IMatch,
    ]);
    let quantifier = of(select(vec![Quantifier::Any, Quantifier::All]));
    let is = select(vec![
        IsValue::Null,
        IsValue::NotNull,
        IsValue::True,
        IsValue::False,
        IsValue::Unknown,
    ]);
    let full_text = select(vec![
        FullTextOperator::Query,
        FullTextOperator::Plain,
        FullTextOperator::Phrase,
        FullTextOperator::Websearch,
    ]);
    prop_oneof![
        (simple, value()).prop_map(|(operator, value)| Operation::Simple(operator, value)),
        (quantifiable, quantifier, value()).prop_map(|(operator, quantifier, value)| {
            Operation::Quantified(operator, quantifier, value)
        }),
        vec(value(), 1..4).prop_map(Operation::In),
        is.prop_map(Operation::Is),
        value().prop_map(Operation::IsDistinctFrom),
        (full_text, of("[a-z]{0,4}"), value()).prop_map(|(operator, language, value)| {
            Operation::FullText(operator, language, value)
        }),
    ]
}

fn filter() -> impl Strategy<Value = Filter> {
    (field(false), any::<bool>(), operation()).prop_map(|(field, negated, operation)| Filter {
        field,
        negated,
        operation,
    })
}

fn logic() -> impl Strategy<Value = LogicTree> {
    filter()
        .prop_map(LogicTree::Leaf)
        .prop_recursive(3, 12, 3, |inner| {
            (
                any::<bool>(),
                select(vec![LogicOperator::And, LogicOperator::Or]),
                vec(inner, 1..4),
            )
                .prop_map(|(negated, operator, members)| LogicTree::Branch {
                    negated,
                    operator,
                    members,
                })
        })
}

fn select_field() -> impl Strategy<Value = SelectField> {
    let aggregate = of(select(vec![
        AggregateFunction::Sum,
        AggregateFunction::Avg,
        AggregateFunction::Max,
        AggregateFunction::Min,
        AggregateFunction::Count,
    ]));
    let cast = || of("[a-z]{0,3}( [a-z]{1,3})?".prop_map(|cast| cast.trim().to_owned()));
    (field(true), aggregate, cast(), cast(), of(name())).prop_map(
        |(field, aggregate, cast, aggregate_cast, alias)| SelectField {
            // Two casts in a row need the aggregate between them.
            aggregate_cast: aggregate_cast.filter(|_| aggregate.is_some()),
            field,
            aggregate,
            cast,
            alias,
        },
    )
}

fn select_items() -> impl Strategy<Value = Vec<SelectItem>> {
    let leaf = select_field().prop_map(SelectItem::Field);
    let item = leaf.prop_recursive(3, 12, 3, |inner| {
        let join = of(select(vec![JoinType::Inner, JoinType::Left]));
        (
            any::<bool>(),
            name_but("count"),
            of(name()),
            of(name()),
            join,
            vec(inner, 0..3),
        )
            .prop_map(|(spread, relation, alias, hint, join, select)| {
                let embed = SelectEmbed {
                    relation,
                    alias,
                    hint,
                    join,
                    select,
                };
                if spread {
                    SelectItem::Spread(SelectEmbed {
                        alias: None,
                        ..embed
                    })
                } else {
                    SelectItem::Embed(embed)
                }
            })
    });
    vec(item, 0..4)
}

fn order_terms() -> impl Strategy<Value = Vec<OrderTerm>> {
    let direction = of(select(vec![OrderDirection::Asc, OrderDirection::Desc]));
    let nulls = of(select(vec![OrderNulls::First, OrderNulls::Last]));
    let term = (of(name()), field(true), direction, nulls).prop_map(
        |(relation, field, direction, nulls)| OrderTerm {
            relation,
            field,
            direction,
            nulls,
        },
    );
    vec(term, 1..3)
}

fn path() -> impl Strategy<Value = Vec<String>> {
    vec(name_but("not"), 0..3)
}

fn embed_range() -> impl Strategy<Value = (Vec<String>, RowRange)> {
    let range = (0..10_u64, of(0..10_u64)).prop_map(|(offset, limit)| RowRange { offset, limit });
    (vec(name(), 1..3), range)
}

fn root_range() -> impl Strategy<Value = RowRange> {
    prop_oneof![
        Just(RowRange::default()),
        Just(RowRange {
            offset: 0,
            limit: Some(0)
        }),
        (0..1_u64 << 40, of(1..1_u64 << 40)).prop_map(|(offset, limit)| RowRange { offset, limit }),
    ]
}

fn action() -> impl Strategy<Value = Action> {
    let named = |name: String| {
        let relation = || name.clone();
        let call = |invocation| Action::Call {
            function: name.clone(),
            invocation,
        };
        let mutate = |mutation| Action::Mutate {
            relation: name.clone(),
            mutation,
        };
        select(vec![
            Action::Read {
                relation: relation(),
                headers_only: false,
            },
            Action::Read {
                relation: relation(),
                headers_only: true,
            },
            mutate(Mutation::Create),
            mutate(Mutation::Update),
            mutate(Mutation::SingleUpsert),
            mutate(Mutation::Delete),
            call(Invocation::Get),
            call(Invocation::Head),
            call(Invocation::Post),
            Action::RelationInfo {
                relation: relation(),
            },
            Action::RoutineInfo {
                function: relation(),
            },
            Action::Describe {
                headers_only: false,
            },
            Action::SchemaInfo,
        ])
    };
    any::<String>()
        .prop_filter("no name", |name| !name.is_empty())
        .prop_flat_map(named)
}

fn media_type() -> impl Strategy<Value = MediaType> {
    let plain = select(vec![
        MediaType::Any,
        MediaType::Json,
        MediaType::SingularJson {
            nulls_stripped: true,
        },
        MediaType::ArrayJsonStrip,
        MediaType::Csv,
        MediaType::Other("image/png".to_owned()),
    ]);
    let options = proptest::sample::subsequence(PlanOption::ALL.to_vec(), 0..=5);
    prop_oneof![
        3 => plain.clone(),
        1 => (plain, any::<bool>(), options).prop_map(|(subject, json, options)| {
            MediaType::Plan { subject: Box::new(subject), json, options }
        }),
    ]
}

fn preferences() -> impl Strategy<Value = Preferences> {
    (
        of(select(vec![
            Resolution::MergeDuplicates,
            Resolution::IgnoreDuplicates,
        ])),
        of(select(vec![Representation::Full, Representation::Minimal])),
        of(select(vec![Count::Exact, Count::Planned])),
        of("[A-Za-z/_]{0,8}"),
        of(any::<u64>()),
        of(Just(UpdateMatch::ByKey)),
        of(Just(ValueForm::Operations)),
        vec("[a-z]{0,4}", 0..3),
    )
        .prop_map(
            |(
                resolution,
                representation,
                count,
                timezone,
                max_affected,
                update,
                values,
                invalid,
            )| Preferences {
                resolution,
                representation,
                count,
                timezone,
                max_affected,
                update,
                values,
                invalid,
                ..Preferences::default()
            },
        )
}

/// Any request that can be written, with an empty canonical query.
pub(crate) fn request() -> impl Strategy<Value = ApiRequest> {
    let head = (
        action(),
        any::<bool>(),
        vec(media_type(), 1..4),
        media_type(),
        preferences(),
    );
    let names = |low| of(vec(name(), low..4));
    let query = (
        select_items(),
        vec((path(), filter()), 0..4),
        vec((path(), logic()), 0..3),
        vec((path(), order_terms()), 0..3),
        root_range(),
        vec(embed_range(), 0..3),
        names(1),
        names(1),
        vec((name(), "[0-9]{0,4}"), 0..3),
    );
    (head, query).prop_map(|(head, query)| {
        let (action, negotiated_by_profile, accept, content_type, preferences) = head;
        let (select, filters, logic, order, range, embed_ranges, columns, on_conflict, arguments) =
            query;
        let takes_arguments = matches!(
            action,
            Action::Call {
                invocation: Invocation::Get | Invocation::Head,
                ..
            }
        );
        let is_put = matches!(
            action,
            Action::Mutate {
                mutation: Mutation::SingleUpsert,
                ..
            }
        );
        ApiRequest {
            schema: "public".to_owned(),
            negotiated_by_profile,
            select,
            filters,
            logic,
            order,
            range: if is_put { RowRange::default() } else { range },
            embed_ranges: distinct(embed_ranges),
            columns: columns.map(sorted),
            on_conflict,
            arguments: if takes_arguments {
                arguments
            } else {
                Vec::new()
            },
            canonical_query: None,
            preferences,
            accept,
            content_type,
            action,
        }
    })
}

/// An embed has one range.
fn distinct(ranges: Vec<(Vec<String>, RowRange)>) -> Vec<(Vec<String>, RowRange)> {
    let mut all: Vec<(Vec<String>, RowRange)> = Vec::new();
    for range in ranges {
        if !all.iter().any(|(path, _)| *path == range.0) {
            all.push(range);
        }
    }
    all
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}
