use serde_json::json;

use super::*;

fn read(table: Table, row: Value) -> Result<Converted, Reason> {
    let Value::Object(mut row) = row else {
        panic!("no object");
    };
    let id = old_id(table, &row)?;
    convert(table, &id, &mut row)
}

#[test]
fn numbers_may_be_text() {
    for (rating, expected) in [
        (json!(4), Ok("4")),
        (json!("4"), Ok("4")),
        (json!(4.0), Ok("4")),
        (json!(4.5), Err(())),
        (json!(6), Err(())),
        (json!(0), Err(())),
        (json!(null), Err(())),
        (json!([4]), Err(())),
    ] {
        let row = json!({ "id": "a", "user_id": "u", "resource_id": "r", "rating": rating });
        let read = read(Table::ResourceRatings, row);
        let read = read.map(|row| row.cells[2].clone()).map_err(|_| ());
        let expected = expected.map(|text| Cell::Text(text.to_owned()));
        assert_eq!(read, expected, "{rating}");
    }
}

#[test]
fn a_share_has_one_target() {
    let share = |user: Value, group: Value| {
        let row = json!({
            "id": "a", "resource_id": "r", "shared_with_user_id": user, "shared_with_group_id": group,
        });
        read(Table::ResourceShares, row).map(|_| ())
    };
    assert_eq!(share(json!("u"), json!("")), Ok(()));
    assert_eq!(share(json!(null), json!("g")), Ok(()));
    assert_eq!(share(json!("u"), json!("g")), Err(Reason::NotOneTarget));
    assert_eq!(share(json!(""), json!(null)), Err(Reason::NotOneTarget));
}

#[test]
fn a_deadline_that_cannot_be_read_is_not_none() {
    let row =
        json!({ "id": "a", "resource_id": "r", "shared_with_user_id": "u", "expires_at": "soon" });
    let read = read(Table::ResourceShares, row);
    assert_eq!(read.unwrap_err(), Reason::Wrong("expires_at", "a time"));
}

#[test]
fn settings_read_as_they_were_written() {
    for (value, json, text) in [
        (json!("true"), "true", "true"),
        (json!(true), "true", "true"),
        (json!("5"), "5", "5"),
        (json!(5), "5", "5"),
        (json!("1e3"), "\"1e3\"", "1e3"),
        (json!("null"), "\"null\"", "null"),
        (json!(""), "\"\"", ""),
    ] {
        let read = read(Table::AdminConfigs, json!({ "key": "k", "value": value })).unwrap();
        assert_eq!(read.cells[1], Cell::Text(json.to_owned()), "{value}");
        assert_eq!(read.cells[2], Cell::Text(text.to_owned()), "{value}");
    }
}

#[test]
fn places_have_two_names() {
    let read = |row: Value| read(Table::CollectionResources, row).unwrap();
    let both = [Cell::Text("3".to_owned()), Cell::Text("3".to_owned())];
    for name in ["order", "order_index"] {
        let mut row = json!({ "id": "a", "collection_id": "c", "resource_id": "r" });
        row[name] = json!(3);
        assert_eq!(read(row).cells[2..4], both);
    }
    // Where they differ, clients have written `order`.
    let row = json!({ "id": "a", "collection_id": "c", "resource_id": "r", "order": 3, "order_index": 1 });
    assert_eq!(read(row).cells[2..4], both);
}

#[test]
fn every_table_has_at_most_three_references() {
    for table in Table::ALL {
        assert!(table.references().count() <= 3, "{table:?}");
    }
}
