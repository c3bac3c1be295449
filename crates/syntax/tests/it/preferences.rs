//! The `Prefer` header.

use passerelle_syntax::{
    Count, Exposure, Extensions, Handling, Missing, Preferences, Representation, Resolution,
    TransactionEnd, UpdateMatch, ValueForm,
};

use crate::request::exposure;

fn read(values: &[&str]) -> Preferences {
    let headers: Vec<(&str, &str)> = values.iter().map(|&value| ("prefer", value)).collect();
    Preferences::read(&headers, &exposure())
}

#[test]
fn one_line_holds_several() {
    let expected = Preferences {
        resolution: Some(Resolution::IgnoreDuplicates),
        count: Some(Count::Exact),
        timezone: Some("America/Los_Angeles".to_owned()),
        max_affected: Some(100),
        ..Preferences::default()
    };
    assert_eq!(
        read(&["resolution=ignore-duplicates, count=exact, \
                timezone=America/Los_Angeles, max-affected=100"]),
        expected
    );
    assert_eq!(
        read(&[
            "resolution=ignore-duplicates",
            "count=exact",
            "timezone=America/Los_Angeles",
            "max-affected=100"
        ]),
        expected
    );
}

#[test]
fn blanks_do_not_matter_and_unknown_ones_are_kept() {
    let expected = Preferences {
        count: Some(Count::Exact),
        transaction: Some(TransactionEnd::Commit),
        representation: Some(Representation::Full),
        missing: Some(Missing::Default),
        handling: Some(Handling::Strict),
        invalid: vec!["anything".to_owned(), "return=all".to_owned()],
        ..Preferences::default()
    };
    assert_eq!(
        read(&[
            "count=exact,    tx=commit   ,return=representation , missing=default, \
                handling=strict, anything,return=all"
        ]),
        expected
    );
}

#[test]
fn the_first_counts() {
    let found = read(&[
        "tx=commit, tx=rollback",
        "tx=rollback, max-affected=x, max-affected=1",
    ]);
    assert_eq!(found.transaction, Some(TransactionEnd::Commit));
    assert_eq!(found.max_affected, None);
    assert_eq!(found.invalid, [""; 0]);
}

#[test]
fn every_value_has_its_text() {
    for text in [
        "resolution=merge-duplicates",
        "resolution=ignore-duplicates",
        "return=representation",
        "return=headers-only",
        "return=minimal",
        "count=exact",
        "count=planned",
        "count=estimated",
        "tx=commit",
        "tx=rollback",
        "missing=default",
        "missing=null",
        "handling=strict",
        "handling=lenient",
    ] {
        let found = read(&[text]);
        let texts = [
            found.resolution.map(Resolution::as_str),
            found.representation.map(Representation::as_str),
            found.count.map(Count::as_str),
            found.transaction.map(TransactionEnd::as_str),
            found.missing.map(Missing::as_str),
            found.handling.map(Handling::as_str),
        ];
        assert_eq!(texts.into_iter().flatten().collect::<Vec<_>>(), [text]);
        assert_eq!(found.invalid, [""; 0]);
    }
}

#[test]
fn the_transaction_is_the_servers_unless_it_allows() {
    let exposure = Exposure {
        allow_transaction_override: false,
        ..exposure()
    };
    let headers = [("prefer", "tx=rollback"), ("accept", "tx=commit")];
    let found = Preferences::read(&headers, &exposure);
    assert_eq!(found, Preferences::default());
}

#[test]
fn extensions_are_unknown_unless_switched_on() {
    let written = ["update=by-key, values=operations, update=all"];
    let found = read(&written);
    assert_eq!(found.update, Some(UpdateMatch::ByKey));
    assert_eq!(found.values, Some(ValueForm::Operations));
    assert_eq!(found.invalid, ["update=all"]);
    let off = Exposure {
        extensions: Extensions::NONE,
        ..exposure()
    };
    let found = Preferences::read(&[("prefer", written[0])], &off);
    assert_eq!((found.update, found.values), (None, None));
    assert_eq!(
        found.invalid,
        ["update=by-key", "values=operations", "update=all"]
    );
}
