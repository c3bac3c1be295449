//! Calls of functions: which of several of one name, with what, and what is read of the result.

use std::sync::Arc;

use bytes::Bytes;
use passerelle_catalog::{Parameter, QualifiedName, Returns, Routine, Volatility};
use passerelle_syntax::{Invocation, MediaType, Payload};

use crate::context::Context;
use crate::draft::Draft;
use crate::read::{condition_columns, needed_columns};
use crate::{
    Arguments, CallParameter, CallPlan, Handler, MissingRoutine, OutcomeCheck, PlanError,
    ResultKind, Source, TextArgument, reply,
};

impl<'c> Context<'c> {
    pub(crate) fn call(
        self,
        function: &str,
        invocation: Invocation,
    ) -> Result<CallPlan, PlanError> {
        let routine = self.routine(function, invocation)?;
        let relation = relation(routine);
        let legacy = self.settings.legacy_target_names;
        let draft = Draft::of_read(self.request, &relation.name, legacy)?;
        let source = Source::Written {
            alias: Arc::clone(&relation.name),
        };
        let read = self
            .builder(self.settings.max_rows)
            .root(&draft, &relation, source)?;
        let (handler, media_type) = self.handler(&relation, draft.is_star())?;
        self.check_preferences()?;
        let max_affected = self.max_affected();
        if max_affected.is_some() && !routine.returns.set {
            return Err(PlanError::MaxAffectedOnSingle);
        }
        let headers_only = invocation == Invocation::Head;
        let read_only =
            invocation != Invocation::Post || routine.volatility != Volatility::Volatile;
        let reply = reply::of_call(self.request, &draft, media_type, headers_only);
        let mut filtered = Vec::new();
        condition_columns(&read.filters, &mut filtered);
        Ok(CallPlan {
            function: routine.name.clone(),
            arguments: self.arguments(routine, invocation),
            result: result_kind(&routine.returns),
            returning: needed_columns(&read, filtered),
            read,
            count: self.count(),
            handler: if headers_only { Handler::None } else { handler },
            transaction: self.transaction(read_only),
            check: OutcomeCheck {
                singular: reply.singular,
                max_affected,
                put: false,
                keys: None,
            },
            reply,
            settings: routine.settings.clone(),
            isolation: routine.isolation.as_ref().map(ToString::to_string),
        })
    }

    /// The function that takes the arguments that are given.
    pub(crate) fn routine(
        self,
        function: &str,
        invocation: Invocation,
    ) -> Result<&'c Routine, PlanError> {
        let posted = (invocation == Invocation::Post).then_some(&self.request.content_type);
        let arguments = self.argument_names(invocation);
        let overloads = self.catalog.find_routines(&self.request.schema, function);
        let named: Vec<&Routine> = overloads
            .iter()
            .filter(|routine| takes_names(routine, &arguments, posted))
            .collect();
        let fitting = if named.is_empty() {
            overloads
                .iter()
                .filter(|routine| takes_body(routine, posted))
                .collect()
        } else {
            named
        };
        match fitting.as_slice() {
            [routine] => Ok(routine),
            [] => Err(self.missing(function, &arguments, posted)),
            several => Err(PlanError::AmbiguousRoutine(
                several.iter().map(|r| signature(r)).collect(),
            )),
        }
    }

    fn missing(self, function: &str, arguments: &[&str], posted: Option<&MediaType>) -> PlanError {
        let schema = &self.request.schema;
        PlanError::RoutineNotFound(Box::new(MissingRoutine {
            schema: schema.clone(),
            function: function.to_owned(),
            arguments: arguments.iter().map(|&name| name.to_owned()).collect(),
            posted: posted.cloned(),
            similar: self.catalog.similar_routine(schema, function, arguments),
        }))
    }

    /// Names of the arguments that are given, sorted and without duplicates.
    fn argument_names(self, invocation: Invocation) -> Vec<&'c str> {
        if invocation == Invocation::Post {
            return self.payload.keys();
        }
        let mut names: Vec<&str> = self
            .request
            .arguments
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    fn arguments(self, routine: &Routine, invocation: Invocation) -> Arguments {
        if let [only] = &*routine.parameters
            && only.name.is_empty()
        {
            return Arguments::Body {
                bytes: self.whole_body(),
                type_name: only.type_name.to_string(),
            };
        }
        let names = self.argument_names(invocation);
        let given: Vec<&Parameter> = routine
            .parameters
            .iter()
            .filter(|parameter| names.binary_search(&&*parameter.name).is_ok())
            .collect();
        if given.is_empty() {
            return Arguments::None;
        }
        match self.payload {
            Payload::Json { bytes, .. } if invocation == Invocation::Post => Arguments::Json {
                bytes: bytes.clone(),
                parameters: given.into_iter().map(parameter).collect(),
            },
            Payload::Form(pairs) if invocation == Invocation::Post => {
                Arguments::Text(texts(&given, pairs))
            }
            _ => Arguments::Text(texts(&given, &self.request.arguments)),
        }
    }

    fn whole_body(self) -> Option<Bytes> {
        match self.payload {
            Payload::Json { bytes, .. } | Payload::Raw(bytes) => Some(bytes.clone()),
            Payload::None | Payload::Form(_) => None,
        }
    }
}

/// The arguments have to be all the required parameters, and any of those with defaults.
fn takes_names(routine: &Routine, arguments: &[&str], posted: Option<&MediaType>) -> bool {
    if routine.parameters.is_empty() {
        let raw = matches!(
            posted,
            Some(MediaType::OctetStream | MediaType::Plain | MediaType::Xml)
        );
        return arguments.is_empty() && !raw;
    }
    let known = |name: &&str| routine.parameters.iter().any(|p| &*p.name == *name);
    let given = |parameter: &Parameter| arguments.binary_search(&&*parameter.name).is_ok();
    arguments.iter().all(known) && routine.parameters.iter().filter(|p| p.required).all(given)
}

/// A function with a single parameter without a name takes a body of its type.
fn takes_body(routine: &Routine, posted: Option<&MediaType>) -> bool {
    let [only] = &*routine.parameters else {
        return false;
    };
    only.name.is_empty()
        && matches!(
            (posted, &*only.type_name),
            (Some(MediaType::Json), "json" | "jsonb")
                | (Some(MediaType::Plain), "text")
                | (Some(MediaType::Xml), "xml")
                | (Some(MediaType::OctetStream), "bytea")
        )
}

fn signature(routine: &Routine) -> String {
    let parameters: Vec<String> = routine
        .parameters
        .iter()
        .map(|p| format!("{} => {}", p.name, p.type_name))
        .collect();
    format!("{}({})", routine.name, parameters.join(", "))
}

/// The relation whose relationships the result has: that of its row type, looked for in the
/// function's schema.
fn relation(routine: &Routine) -> QualifiedName {
    let name = if routine.returns.composite {
        &routine.returns.type_name.name
    } else {
        &routine.name.name
    };
    QualifiedName::new(Arc::clone(&routine.name.schema), Arc::clone(name))
}

fn result_kind(returns: &Returns) -> ResultKind {
    let is_void = &*returns.type_name.name == "void" && &*returns.type_name.schema == "pg_catalog";
    match (returns.set, returns.composite) {
        (false, false) if is_void => ResultKind::Void,
        (false, false) => ResultKind::Scalar,
        (true, false) => ResultKind::SetOfScalar,
        (false, true) => ResultKind::Composite,
        (true, true) => ResultKind::SetOfComposite,
    }
}

fn parameter(parameter: &Parameter) -> CallParameter {
    CallParameter {
        name: parameter.name.to_string(),
        type_name: parameter.unbounded_type.to_string(),
        variadic: parameter.variadic,
    }
}

/// Of several values for one parameter the last counts, unless the parameter is variadic.
fn texts(given: &[&Parameter], pairs: &[(String, String)]) -> Vec<(CallParameter, TextArgument)> {
    let values = |name: &str| {
        let found = pairs.iter().filter(move |(given, _)| given == name);
        found.map(|(_, value)| value.clone()).collect::<Vec<_>>()
    };
    given
        .iter()
        .map(|&wanted| {
            let mut values = values(&wanted.name);
            let argument = if wanted.variadic {
                TextArgument::Many(values)
            } else {
                TextArgument::One(values.pop().unwrap_or_default())
            };
            (parameter(wanted), argument)
        })
        .collect()
}
