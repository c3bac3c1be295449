//! What is said of a failure to those who run the gateway.

use std::error::Error;
use std::fmt::Write as _;

/// A failure with all its causes.
pub fn chain(failure: &dyn Error) -> String {
    let mut text = failure.to_string();
    let mut source = failure.source();
    while let Some(cause) = source {
        let _ = write!(text, ": {cause}");
        source = cause.source();
    }
    text
}
