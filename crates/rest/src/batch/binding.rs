//! Puts values in the place of the references in what was read of a path: filters and arguments.
//! The path's grammar is behind us, so a value is a value, whatever it looks like.

use passerelle_syntax::{ApiRequest, LogicTree, Operation};

use super::{Names, ReferenceError};

/// Bytes that values may still take: a name may stand in many places, and its value be long.
struct Room {
    limit: usize,
    left: usize,
}

impl Room {
    fn take(&mut self, json: &str) -> Result<(), ReferenceError> {
        let left = self.left.checked_sub(json.len());
        self.left = left.ok_or(ReferenceError::TooLong { limit: self.limit })?;
        Ok(())
    }
}

/// Binds the references of a request.
///
/// # Errors
/// [`ReferenceError`] for a name that only a later item declares, and for a value that cannot stand
/// where its name does, or is longer than `limit` together with the others.
pub(crate) fn bind(
    request: &mut ApiRequest,
    names: Names<'_>,
    limit: usize,
) -> Result<(), ReferenceError> {
    let room = &mut Room { limit, left: limit };
    for (_, filter) in &mut request.filters {
        operation(&mut filter.operation, names, room)?;
    }
    for (_, tree) in &mut request.logic {
        logic(tree, names, room)?;
    }
    for (_, value) in &mut request.arguments {
        scalar(value, names, room)?;
    }
    Ok(())
}

fn logic(tree: &mut LogicTree, names: Names<'_>, room: &mut Room) -> Result<(), ReferenceError> {
    match tree {
        LogicTree::Leaf(filter) => operation(&mut filter.operation, names, room),
        LogicTree::Branch { members, .. } => members
            .iter_mut()
            .try_for_each(|member| logic(member, names, room)),
    }
}

fn operation(
    operation: &mut Operation,
    names: Names<'_>,
    room: &mut Room,
) -> Result<(), ReferenceError> {
    match operation {
        Operation::Simple(_, value)
        | Operation::Quantified(_, None, value)
        | Operation::IsDistinctFrom(value)
        | Operation::FullText(_, _, value) => scalar(value, names, room),
        Operation::Quantified(_, Some(_), value) => match names.resolve(value)? {
            Some((name, _)) => Err(ReferenceError::InList {
                name: name.to_owned(),
            }),
            None => Ok(()),
        },
        Operation::In(values) => list(values, names, room),
        Operation::Is(_) => Ok(()),
    }
}

fn scalar(value: &mut String, names: Names<'_>, room: &mut Room) -> Result<(), ReferenceError> {
    if let Some((name, json)) = names.resolve(value)? {
        room.take(json)?;
        *value = text(json).ok_or_else(|| not_scalar(name))?;
    }
    Ok(())
}

/// An element that is an array stands for its elements.
fn list(values: &mut Vec<String>, names: Names<'_>, room: &mut Room) -> Result<(), ReferenceError> {
    let mut bound = Vec::with_capacity(values.len());
    for value in values.drain(..) {
        match names.resolve(&value)? {
            None => bound.push(value),
            Some((name, json)) if json.starts_with('[') => {
                room.take(json)?;
                let elements: Vec<&serde_json::value::RawValue> =
                    serde_json::from_str(json).map_err(|_| not_scalar(name))?;
                for element in elements {
                    bound.push(text(element.get()).ok_or_else(|| not_scalar(name))?);
                }
            }
            Some((name, json)) => {
                room.take(json)?;
                bound.push(text(json).ok_or_else(|| not_scalar(name))?);
            }
        }
    }
    *values = bound;
    Ok(())
}

fn not_scalar(name: &str) -> ReferenceError {
    ReferenceError::NotScalar {
        name: name.to_owned(),
    }
}

/// Text, numbers and truth values as PostgreSQL reads them; a number as it is written.
fn text(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'{' | b'[' | b'n' => None,
        _ => Some(json.to_owned()),
    }
}
