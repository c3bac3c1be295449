//! Any head is read or refused: method, path, query and headers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use passerelle_fuzz::parse_lines;

fuzz_target!(|text: &str| {
    if let Ok(request) = parse_lines(text) {
        assert!(!request.accept.is_empty());
        assert!(request.range.offset <= i64::MAX.unsigned_abs());
        assert!(request.range.limit.unwrap_or(0) <= i64::MAX.unsigned_abs());
    }
});
