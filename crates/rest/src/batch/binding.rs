//! Puts values in the place of the references in what was read of a path: filters and arguments.
//! The path's grammar is behind us, so a value is a value, whatever it looks like.

use passerelle_syntax::{ApiRequest, LogicTree, Operation};

use super::{Names, ReferenceError};

/// Binds the references of a request.
///
/// # Errors
/// [`ReferenceError`] for a name that only a later item declares, and for a value that cannot stand
/// where its name does.
pub(crate) fn bind(request: &mut ApiRequest, names: Names<'_>) -> Result<(), ReferenceError> {
    for (_, filter) in &mut request.filters {
        operation(&mut filter.operation, names)?;
    }
    for (_, tree) in &mut request.logic {
        logic(tree, names)?;
    }
    for (_, value) in &mut request.arguments {
        scalar(value, names)?;
    }
    Ok(())
}

fn logic(tree: &mut LogicTree, names: Names<'_>) -> Result<(), ReferenceError> {
    match tree {
        LogicTree::Leaf(filter) => operation(&mut filter.operation, names),
        LogicTree::Branch { members, .. } => members
            .iter_mut()
            .try_for_each(|member| logic(member, names)),
    }
}

fn operation(operation: &mut Operation, names: Names<'_>) -> Result<(), ReferenceError> {
    match operation {
        Operation::Simple(_, value)
        | Operation::Quantified(_, None, value)
        | Operation::IsDistinctFrom(value)
        | Operation::FullText(_, _, value) => scalar(value, names),
        Operation::Quantified(_, Some(_), value) => match names.resolve(value)? {
            Some((name, _)) => Err(ReferenceError::InList {
                name: name.to_owned(),
            }),
            None => Ok(()),
        },
        Operation::In(values) => list(values, names),
        Operation::Is(_) => Ok(()),
    }
}

fn scalar(value: &mut String, names: Names<'_>) -> Result<(), ReferenceError> {
    if let Some((name, json)) = names.resolve(value)? {
        *value = text(json).ok_or_else(|| not_scalar(name))?;
    }
    Ok(())
}

/// An element that is an array stands for its elements.
fn list(values: &mut Vec<String>, names: Names<'_>) -> Result<(), ReferenceError> {
    let mut bound = Vec::with_capacity(values.len());
    for value in values.drain(..) {
        match names.resolve(&value)? {
            None => bound.push(value),
            Some((name, json)) if json.starts_with('[') => {
                let elements: Vec<&serde_json::value::RawValue> =
                    serde_json::from_str(json).map_err(|_| not_scalar(name))?;
                for element in elements {
                    bound.push(text(element.get()).ok_or_else(|| not_scalar(name))?);
                }
            }
            Some((name, json)) => bound.push(text(json).ok_or_else(|| not_scalar(name))?),
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
