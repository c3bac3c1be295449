//! The `order` parameter.

use crate::request::get;
use passerelle_syntax::{Field, JsonOperand, JsonStep, OrderDirection, OrderNulls, OrderTerm};

fn term(name: &str) -> OrderTerm {
    OrderTerm {
        relation: None,
        field: Field {
            name: name.to_owned(),
            json_path: Vec::new(),
        },
        direction: None,
        nulls: None,
    }
}

#[test]
fn terms_have_direction_and_place_of_nulls() {
    let order = get("/t?order=a, b.asc,c.desc.nullsfirst,d.nullslast")
        .unwrap()
        .order;
    assert_eq!(
        order,
        [(
            vec![],
            vec![
                term("a"),
                OrderTerm {
                    direction: Some(OrderDirection::Asc),
                    ..term("b")
                },
                OrderTerm {
                    direction: Some(OrderDirection::Desc),
                    nulls: Some(OrderNulls::First),
                    ..term("c")
                },
                OrderTerm {
                    nulls: Some(OrderNulls::Last),
                    ..term("d")
                },
            ]
        )]
    );
}

#[test]
fn terms_have_json_paths_and_relations() {
    let order = get("/t?order=data->!@*_a.asc,clients(data->key).desc.nullsfirst,clients(name)")
        .unwrap()
        .order;
    let field = |name: &str, key: &str| Field {
        name: name.to_owned(),
        json_path: vec![JsonStep {
            as_text: false,
            operand: JsonOperand::Key(key.to_owned()),
        }],
    };
    assert_eq!(order[0].1[0].field, field("data", "!@*_a"));
    assert_eq!(
        order[0].1[1],
        OrderTerm {
            relation: Some("clients".to_owned()),
            field: field("data", "key"),
            direction: Some(OrderDirection::Desc),
            nulls: Some(OrderNulls::First),
        }
    );
    assert_eq!(
        order[0].1[2],
        OrderTerm {
            relation: Some("clients".to_owned()),
            ..term("name")
        }
    );
}

#[test]
fn each_parameter_counts_and_belongs_to_its_embed() {
    let order = get("/t?order=a&x.order=b&x.y.order=c&order=d")
        .unwrap()
        .order;
    let paths: Vec<String> = order.iter().map(|(path, _)| path.join("/")).collect();
    assert_eq!(paths, ["", "x", "x/y", ""]);
    assert_eq!(order[3].1, [term("d")]);
}
