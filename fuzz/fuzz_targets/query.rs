//! Any query string is read or refused, for relations and functions, and never takes the process
//! down.

#![no_main]

use libfuzzer_sys::fuzz_target;
use passerelle_fuzz::{LIMITS, exposure};
use passerelle_syntax::{Head, ParseError, parse};

fuzz_target!(|query: &str| {
    for (method, path) in [("GET", "/items"), ("GET", "/rpc/items"), ("PUT", "/items")] {
        let found = parse(
            &Head {
                method,
                path,
                query,
                headers: &[],
            },
            &exposure(),
            &LIMITS,
        );
        if let Err(ParseError::Query { message, details }) = found {
            assert!(message.starts_with("\"failed to "));
            assert!(!details.is_empty());
        }
    }
});
