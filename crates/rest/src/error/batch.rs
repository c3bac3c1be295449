//! What is said of a batch that is not understood (codes from PSR620).

use actix_web::http::StatusCode;
use passerelle_surface::ErrorBody;

use crate::batch::BatchError;

/// What the client is told of the batch as a whole.
pub(super) fn body(error: &BatchError) -> ErrorBody {
    told(error, capitalized(&error.to_string()))
}

/// What the client is told of an item.
pub(super) fn of_item(index: usize, error: &BatchError) -> ErrorBody {
    told(error, format!("Item {index}: {error}"))
}

fn told(error: &BatchError, message: String) -> ErrorBody {
    let bad = StatusCode::BAD_REQUEST;
    match error {
        BatchError::Malformed(source) => {
            ErrorBody::new(bad, "PSR620", message).with_details(source.to_string())
        }
        BatchError::TooManyItems { .. } => ErrorBody::new(bad, "PSR621", message),
        BatchError::HeaderRefused { .. } => ErrorBody::new(bad, "PSR622", message)
            .with_hint("Credentials and the like are those of the batch."),
        BatchError::HeaderMalformed { name, .. } => ErrorBody::new(bad, "PSR622", message)
            .with_details(format!("The header is called {name:?}")),
        BatchError::TransactionEnd => ErrorBody::new(bad, "PSR622", message)
            .with_hint("Prefer: tx= is a preference of the batch."),
        BatchError::PathTooLong { .. } => {
            ErrorBody::new(StatusCode::URI_TOO_LONG, "PSR414", "URI too long").with_details(message)
        }
        BatchError::NoPlace { .. } => ErrorBody::new(bad, "PSR623", message)
            .with_hint("Items read and write relations and call functions."),
        BatchError::Reference(_) => ErrorBody::new(bad, "PSR624", message),
        BatchError::Isolation => {
            ErrorBody::new(bad, "PSR625", message).with_hint("Call the function by itself.")
        }
        BatchError::ResultsTooLarge { .. } => ErrorBody::new(bad, "PSR626", message)
            .with_hint("Ask for fewer rows, or with Prefer: return=minimal."),
        BatchError::NotText => ErrorBody::new(bad, "PSR627", message),
    }
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
