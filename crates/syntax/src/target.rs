//! What the request line and the profile headers address: resource, schema, action.

use crate::decode::decode_segment;
use crate::request::{Action, Invocation, Mutation};
use crate::{Exposure, Extension, Extensions, Head, ParseError};

/// What the path names.
pub(crate) enum Resource {
    Root,
    Relation(String),
    Routine(String),
}

impl Resource {
    /// Reads the path: `/`, `/<relation>` or `/rpc/<function>`.
    pub(crate) fn read(path: &str, exposure: &Exposure) -> Result<Self, ParseError> {
        let path = path.strip_prefix('/').unwrap_or(path);
        if path.is_empty() {
            return if exposure.root {
                Ok(Self::Root)
            } else {
                Err(ParseError::RootDisabled)
            };
        }
        match path.split_once('/') {
            None => Ok(Self::Relation(decode_segment(path))),
            Some((prefix, name)) if !name.contains('/') && decode_segment(prefix) == "rpc" => {
                Ok(Self::Routine(decode_segment(name)))
            }
            Some(_) => Err(ParseError::InvalidPath),
        }
    }

    /// What the method does with the resource.
    pub(crate) fn action(self, method: &str, extensions: Extensions) -> Result<Action, ParseError> {
        match self {
            Self::Root => root_action(method),
            Self::Relation(relation) => relation_action(relation, method, extensions),
            Self::Routine(function) => routine_action(function, method),
        }
    }
}

fn root_action(method: &str) -> Result<Action, ParseError> {
    match method {
        "GET" => Ok(Action::Describe {
            headers_only: false,
        }),
        "HEAD" => Ok(Action::Describe { headers_only: true }),
        "OPTIONS" => Ok(Action::SchemaInfo),
        _ => Err(ParseError::UnsupportedMethod(method.to_owned())),
    }
}

fn relation_action(
    relation: String,
    method: &str,
    extensions: Extensions,
) -> Result<Action, ParseError> {
    let mutation = match method {
        "QUERY" if !extensions.contains(Extension::Query) => {
            return Err(ParseError::UnsupportedMethod(method.to_owned()));
        }
        "GET" | "QUERY" => {
            return Ok(Action::Read {
                relation,
                headers_only: false,
            });
        }
        "HEAD" => {
            return Ok(Action::Read {
                relation,
                headers_only: true,
            });
        }
        "OPTIONS" => return Ok(Action::RelationInfo { relation }),
        "POST" => Mutation::Create,
        "PATCH" => Mutation::Update,
        "PUT" => Mutation::SingleUpsert,
        "DELETE" => Mutation::Delete,
        _ => return Err(ParseError::UnsupportedMethod(method.to_owned())),
    };
    Ok(Action::Mutate { relation, mutation })
}

fn routine_action(function: String, method: &str) -> Result<Action, ParseError> {
    let invocation = match method {
        "GET" => Invocation::Get,
        "HEAD" => Invocation::Head,
        "POST" => Invocation::Post,
        "OPTIONS" => return Ok(Action::RoutineInfo { function }),
        _ => return Err(ParseError::InvalidRoutineMethod(method.to_owned())),
    };
    Ok(Action::Call {
        function,
        invocation,
    })
}

/// Name of the header that chooses the schema.
pub(crate) fn profile_header(method: &str) -> &'static str {
    match method {
        "POST" | "PATCH" | "PUT" | "DELETE" => "content-profile",
        _ => "accept-profile",
    }
}

/// The schema, and whether replies name it.
pub(crate) fn schema(head: &Head<'_>, exposure: &Exposure) -> Result<(String, bool), ParseError> {
    match head.header(profile_header(head.method)) {
        Some(profile) if exposure.schemas.iter().any(|schema| schema == profile) => {
            Ok((profile.to_owned(), true))
        }
        Some(profile) => Err(ParseError::UnacceptableSchema {
            schema: profile.to_owned(),
            exposed: exposure.schemas.clone(),
        }),
        None => {
            let default = exposure.schemas.first().cloned().unwrap_or_default();
            Ok((default, exposure.schemas.len() != 1))
        }
    }
}
