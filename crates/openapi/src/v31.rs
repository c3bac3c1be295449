//! OpenAPI 3.1.
use serde_json::Value;
pub(crate) fn document(_d: &crate::Description<'_>) -> Value {
    Value::Null
}
