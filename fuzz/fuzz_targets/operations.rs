//! Operations of any body are found or refused, and are those of its JSON, read another way.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use passerelle_fuzz::parse_lines;
use passerelle_syntax::{Payload, read_payload};
use serde_json::Value;

const NAMES: [&str; 5] = ["$inc", "$merge", "$append", "$prepend", "$remove"];

fuzz_target!(|body: &[u8]| {
    let request = parse_lines("PATCH /t\nprefer: values=operations").expect("the head is right");
    let Ok(Payload::Json {
        bytes, operations, ..
    }) = read_payload(Bytes::copy_from_slice(body), &request)
    else {
        return;
    };
    let Ok(json) = serde_json::from_slice::<Value>(&bytes) else {
        // Numbers and depths that this reading does not know.
        return;
    };
    let rows = match json {
        Value::Array(rows) => rows,
        row => vec![row],
    };
    for row in rows {
        for (column, operation) in &operations {
            let value = row[column].as_object().expect("it is an object");
            assert!(value.contains_key(operation.as_str()));
        }
        for (column, value) in row.as_object().expect("it is a row") {
            let single = value.as_object().filter(|members| members.len() == 1);
            let named = single.and_then(|members| members.keys().next());
            if named.is_none_or(|name| !NAMES.contains(&name.as_str())) {
                assert!(operations.iter().all(|(name, _)| name != column));
            }
        }
    }
});
