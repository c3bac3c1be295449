//! What all plans of one request are made from.

use passerelle_catalog::{Catalog, QualifiedName, Table};
use passerelle_syntax::{ApiRequest, Count, Handling, MediaType, Payload, RowRange};

use crate::build::Builder;
use crate::{
    AllowedMethods, CountSpec, DescribePlan, Handler, Plan, PlanError, PlanSettings,
    TransactionSpec, negotiate,
};

/// A request and what it is planned against.
#[derive(Clone, Copy)]
pub(crate) struct Context<'c> {
    pub(crate) request: &'c ApiRequest,
    pub(crate) payload: &'c Payload,
    pub(crate) catalog: &'c Catalog,
    pub(crate) settings: &'c PlanSettings,
    pub(crate) role: &'c str,
}

impl<'c> Context<'c> {
    pub(crate) fn table(self, relation: &str) -> Result<&'c Table, PlanError> {
        let schema = &self.request.schema;
        self.catalog
            .find_table(schema, relation)
            .ok_or_else(|| PlanError::TableNotFound {
                schema: schema.clone(),
                relation: relation.to_owned(),
                similar: self.catalog.similar_table(schema, relation),
            })
    }

    pub(crate) fn builder(self, max_rows: Option<u64>) -> Builder<'c> {
        Builder {
            catalog: self.catalog,
            settings: self.settings,
            role: self.role,
            schema: &self.request.schema,
            max_rows,
            aliases: 0,
        }
    }

    /// What produces the body, for rows of `relation` of which everything is selected (`star`).
    pub(crate) fn handler(
        self,
        relation: &QualifiedName,
        star: bool,
    ) -> Result<(Handler, MediaType), PlanError> {
        let enabled = self.settings.plan_enabled;
        negotiate::handler(&self.request.accept, self.catalog, relation, star, enabled)
    }

    /// # Errors
    /// [`PlanError::InvalidPreferences`] under `handling=strict`.
    pub(crate) fn check_preferences(self) -> Result<(), PlanError> {
        let preferences = &self.request.preferences;
        if preferences.handling == Some(Handling::Strict) && !preferences.invalid.is_empty() {
            return Err(PlanError::InvalidPreferences(preferences.invalid.clone()));
        }
        Ok(())
    }

    /// `max-affected`, which counts under `handling=strict` only.
    pub(crate) fn max_affected(self) -> Option<u64> {
        let preferences = &self.request.preferences;
        let strict = preferences.handling == Some(Handling::Strict);
        preferences.max_affected.filter(|_| strict)
    }

    pub(crate) fn transaction(self, read_only: bool) -> TransactionSpec {
        TransactionSpec {
            read_only,
            timezone: self.request.preferences.timezone.clone(),
            end: self.request.preferences.transaction,
        }
    }

    pub(crate) fn count(self) -> Option<CountSpec> {
        let max_rows = self.settings.max_rows;
        let separate = max_rows.is_some() || self.request.range != RowRange::default();
        let spec = |kind: Count| CountSpec {
            kind,
            separate,
            max_rows,
        };
        self.request.preferences.count.map(spec)
    }

    pub(crate) fn relation_info(self, relation: &str) -> Result<Plan, PlanError> {
        let table = self.table(relation)?;
        Ok(Plan::RelationInfo(AllowedMethods {
            insert: table.insertable,
            update: table.updatable,
            delete: table.deletable,
            upsert: table.insertable && table.updatable && !table.primary_key.is_empty(),
        }))
    }

    /// # Errors
    /// [`PlanError::NotAcceptable`] when something else than the description is accepted only.
    pub(crate) fn describe(self, headers_only: bool) -> Result<Plan, PlanError> {
        let accept = &self.request.accept;
        let described = |wanted: &MediaType| {
            matches!(
                wanted,
                MediaType::OpenApi | MediaType::Json | MediaType::Any
            )
        };
        if !accept.iter().any(described) {
            let accepted = accept.iter().map(|wanted| wanted.mime().into_owned());
            return Err(PlanError::NotAcceptable(accepted.collect()));
        }
        let negotiated = self.request.negotiated_by_profile;
        Ok(Plan::Describe(DescribePlan {
            schema: self.request.schema.clone(),
            headers_only,
            profile: negotiated.then(|| self.request.schema.clone()),
            media_type: MediaType::OpenApi,
        }))
    }
}
