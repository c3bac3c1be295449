mod actions;
mod csv;
mod forms;
mod json;
mod operations;
mod properties;
mod size;

use super::{Payload, PayloadError, read_payload};
use crate::{ApiRequest, Exposure, Extensions, Head, Limits, parse};
use bytes::Bytes;

fn request(method: &str, target: &str, content_type: &str) -> ApiRequest {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers = [("content-type", content_type)];
    let head = Head {
        method,
        path,
        query,
        headers: &headers,
    };
    let exposure = Exposure {
        schemas: vec!["public".to_owned()],
        root: true,
        allow_transaction_override: false,
        extensions: Extensions::all(),
    };
    let limits = Limits {
        query_bytes: 1024,
        query_body_bytes: 65_536,
        embed_depth: 4,
        logic_depth: 4,
        items: 16,
    };
    parse(&head, &exposure, &limits).unwrap()
}

fn read(
    method: &str,
    target: &str,
    content_type: &str,
    body: &[u8],
) -> Result<Payload, PayloadError> {
    let request = request(method, target, content_type);
    read_payload(Bytes::copy_from_slice(body), &request)
}

fn json(bytes: &[u8], is_object: bool, keys: &[&str]) -> Payload {
    Payload::Json {
        bytes: Bytes::copy_from_slice(bytes),
        is_object,
        keys: keys.iter().map(|&key| key.to_owned()).collect(),
        operations: Vec::new(),
    }
}
