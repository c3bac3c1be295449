//! The order of overloaded functions, which decides the order in an ambiguity's message.

use std::cmp::Ordering;

use crate::{Parameter, Routine, Volatility};

/// Fewest parameters first, then as PostgREST compares the rest.
pub(super) fn order(left: &Routine, right: &Routine) -> Ordering {
    left.parameters
        .len()
        .cmp(&right.parameters.len())
        .then_with(|| left.description.cmp(&right.description))
        .then_with(|| {
            left.parameters
                .iter()
                .map(parameter_key)
                .cmp(right.parameters.iter().map(parameter_key))
        })
        .then_with(|| left.returns.set.cmp(&right.returns.set))
        .then_with(|| left.returns.composite.cmp(&right.returns.composite))
        .then_with(|| left.returns.type_name.cmp(&right.returns.type_name))
        .then_with(|| volatility_rank(left.volatility).cmp(&volatility_rank(right.volatility)))
        .then_with(|| left.variadic.cmp(&right.variadic))
        .then_with(|| left.settings.cmp(&right.settings))
}

fn parameter_key(parameter: &Parameter) -> (&str, &str, &str, bool, bool) {
    (
        &parameter.name,
        &parameter.type_name,
        &parameter.unbounded_type,
        parameter.required,
        parameter.variadic,
    )
}

fn volatility_rank(volatility: Volatility) -> u8 {
    match volatility {
        Volatility::Volatile => 0,
        Volatility::Stable => 1,
        Volatility::Immutable => 2,
    }
}
