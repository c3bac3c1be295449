//! Functions: those that can be called, and those that relate, cast or produce media types.

use std::collections::HashMap;

use passerelle_catalog::{
    ComputedRelationship, MediaHandler, Parameter, QualifiedName, Representation, Returns, Routine,
    Volatility,
};
use tokio_postgres::Row;

use super::queries::{
    ARGUMENT_TYPES, COMPUTED_RELATIONSHIPS, MEDIA_HANDLERS, REPRESENTATIONS, ROUTINES, Session,
};
use super::{IntrospectError, IntrospectionSettings, Place};

const ISOLATION: &str = "default_transaction_isolation";

/// Types of which a single unnamed parameter takes the whole body.
const BODY_TYPES: [&str; 5] = ["bytea", "json", "jsonb", "text", "xml"];

/// Name of a type, and of the one that takes any length.
type TypeNames = HashMap<u32, (Box<str>, Box<str>)>;

pub(super) async fn routines(
    session: &Session<'_>,
    place: &Place,
    settings: &IntrospectionSettings,
) -> Result<Vec<Routine>, IntrospectError> {
    let mut types = TypeNames::new();
    session
        .each(&ARGUMENT_TYPES, &[&place.exposed], |row| {
            types.insert(row.try_get(0)?, (row.try_get(1)?, row.try_get(2)?));
            Ok(())
        })
        .await?;
    let mut routines = Vec::new();
    session
        .each(&ROUTINES, &[&place.exposed], |row| {
            let parameters = Arguments::read(row)?.parameters(&types);
            if let Some(parameters) = parameters {
                routines.push(routine(row, place, settings, parameters)?);
            }
            Ok(())
        })
        .await?;
    Ok(routines)
}

fn routine(
    row: &Row,
    place: &Place,
    settings: &IntrospectionSettings,
    parameters: Vec<Parameter>,
) -> Result<Routine, tokio_postgres::Error> {
    let config: Option<Vec<&str>> = row.try_get(14)?;
    let config: Vec<(&str, &str)> = config
        .iter()
        .flatten()
        .filter_map(|setting| setting.split_once('='))
        .collect();
    Ok(Routine {
        oid: row.try_get(15)?,
        name: QualifiedName {
            schema: place.schema(row.try_get(0)?),
            name: row.try_get::<_, &str>(1)?.into(),
        },
        description: row.try_get(2)?,
        parameters: parameters.into_boxed_slice(),
        returns: Returns {
            set: row.try_get(9)?,
            composite: row.try_get(10)?,
            composite_alias: row.try_get(11)?,
            type_name: qualified(row, 7)?,
        },
        volatility: match row.try_get(12)? {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        variadic: row.try_get(13)?,
        settings: config
            .iter()
            .filter(|(name, _)| {
                settings
                    .hoisted_settings
                    .iter()
                    .any(|hoisted| hoisted == name)
            })
            .filter(|(name, _)| *name != ISOLATION)
            .map(|&(name, value)| (name.into(), value.into()))
            .collect(),
        isolation: config
            .iter()
            .find(|(name, _)| *name == ISOLATION)
            .map(|&(_, level)| level.into()),
    })
}

/// The arguments of a function as `pg_proc` lists them.
struct Arguments<'a> {
    names: Option<Vec<&'a str>>,
    modes: Option<Vec<&'a str>>,
    types: Vec<u32>,
    required: usize,
}

impl<'a> Arguments<'a> {
    fn read(row: &'a Row) -> Result<Self, tokio_postgres::Error> {
        let required: i32 = row.try_get(6)?;
        Ok(Self {
            names: row.try_get(3)?,
            modes: row.try_get(4)?,
            types: row.try_get(5)?,
            required: usize::try_from(required).unwrap_or_default(),
        })
    }

    /// Input parameters, or nothing when the function cannot be called by name: parameters have
    /// names, or there is a single one that takes the body.
    fn parameters(&self, types: &TypeNames) -> Option<Vec<Parameter>> {
        let mode = |index: usize| {
            self.modes
                .as_ref()
                .and_then(|modes| modes.get(index))
                .copied()
                .unwrap_or("i")
        };
        let parameters: Vec<Parameter> = self
            .types
            .iter()
            .enumerate()
            .filter(|&(index, _)| matches!(mode(index), "i" | "b" | "v"))
            .enumerate()
            .map(|(position, (index, oid))| {
                let name = self
                    .names
                    .as_ref()
                    .and_then(|names| names.get(index))
                    .copied();
                let (type_name, unbounded_type) = types.get(oid).cloned().unwrap_or_default();
                Parameter {
                    name: name.unwrap_or_default().into(),
                    type_name,
                    unbounded_type,
                    required: position < self.required,
                    variadic: mode(index) == "v",
                }
            })
            .collect();
        let callable = match parameters.as_slice() {
            [] => true,
            _ if self.names.is_some() => true,
            [single] => BODY_TYPES.contains(&&*single.type_name),
            _ => false,
        };
        callable.then_some(parameters)
    }
}

pub(super) async fn computed_relationships(
    session: &Session<'_>,
) -> Result<Vec<ComputedRelationship>, IntrospectError> {
    session
        .collect(&COMPUTED_RELATIONSHIPS, &[], |row| {
            let (origin, target) = (qualified(row, 2)?, qualified(row, 4)?);
            Ok(ComputedRelationship {
                function: qualified(row, 0)?,
                is_self: origin == target,
                origin,
                target,
                to_one: row.try_get(6)?,
            })
        })
        .await
}

pub(super) async fn representations(
    session: &Session<'_>,
) -> Result<Vec<Representation>, IntrospectError> {
    session
        .collect(&REPRESENTATIONS, &[], |row| {
            Ok(Representation {
                source: row.try_get::<_, &str>(0)?.into(),
                target: row.try_get::<_, &str>(1)?.into(),
                function: row.try_get::<_, &str>(2)?.into(),
            })
        })
        .await
}

pub(super) async fn media_handlers(
    session: &Session<'_>,
    exposed: &[u32],
) -> Result<Vec<MediaHandler>, IntrospectError> {
    session
        .collect(&MEDIA_HANDLERS, &[&exposed], |row| {
            let schema: Option<&str> = row.try_get(3)?;
            let name: &str = row.try_get(4)?;
            Ok(MediaHandler {
                media_type: row.try_get::<_, &str>(0)?.into(),
                function: qualified(row, 1)?,
                target: schema.map(|schema| QualifiedName::new(schema, name)),
            })
        })
        .await
}

/// A name from two columns.
fn qualified(row: &Row, schema: usize) -> Result<QualifiedName, tokio_postgres::Error> {
    Ok(QualifiedName::new(
        row.try_get::<_, &str>(schema)?,
        row.try_get::<_, &str>(schema + 1)?,
    ))
}
