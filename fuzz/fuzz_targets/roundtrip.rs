//! What was read can be printed, and what was printed reads back as the same request.

#![no_main]

use libfuzzer_sys::fuzz_target;
use passerelle_fuzz::{parse_lines, reparse};

fuzz_target!(|text: &str| {
    let Ok(mut request) = parse_lines(text) else {
        return;
    };
    match reparse(&request) {
        Ok(mut again) => {
            request.canonical_query = None;
            again.canonical_query = None;
            assert_eq!(again, request);
        }
        Err(error) => panic!("{request:?} was printed as what cannot be read: {error}"),
    }
});
