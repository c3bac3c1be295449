//! Values by schema and name, found by plain text so that a look-up allocates nothing.

use std::collections::HashMap;
use std::sync::Arc;

use crate::QualifiedName;

#[derive(Clone, Debug)]
pub(crate) struct ByName<T> {
    schemas: HashMap<Arc<str>, HashMap<Arc<str>, T>>,
}

impl<T> Default for ByName<T> {
    fn default() -> Self {
        Self {
            schemas: HashMap::new(),
        }
    }
}

impl<T> ByName<T> {
    pub(crate) fn get(&self, schema: &str, name: &str) -> Option<&T> {
        self.schemas.get(schema)?.get(name)
    }

    pub(crate) fn insert(&mut self, name: &QualifiedName, value: T) {
        self.schemas
            .entry(Arc::clone(&name.schema))
            .or_default()
            .insert(Arc::clone(&name.name), value);
    }

    pub(crate) fn entry_or_default(&mut self, name: &QualifiedName) -> &mut T
    where
        T: Default,
    {
        self.schemas
            .entry(Arc::clone(&name.schema))
            .or_default()
            .entry(Arc::clone(&name.name))
            .or_default()
    }

    pub(crate) fn values(&self) -> impl Iterator<Item = &T> {
        self.schemas.values().flat_map(HashMap::values)
    }

    pub(crate) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.schemas.values_mut().flat_map(HashMap::values_mut)
    }

    pub(crate) fn in_schema(&self, schema: &str) -> impl Iterator<Item = (&Arc<str>, &T)> {
        self.schemas.get(schema).into_iter().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.schemas.values().map(HashMap::len).sum()
    }

    pub(crate) fn len_in_schema(&self, schema: &str) -> usize {
        self.schemas.get(schema).map_or(0, HashMap::len)
    }
}
