//! A read whose rows may be too many to be held.

use actix_web::HttpResponse;
use actix_web::http::Version;
use passerelle_planner::{Handler, ReadPlan};
use passerelle_sql::render_export;
use passerelle_surface::{RequestId, Stage, X_REQUEST_ID, allows_body};
use passerelle_wire::Isolation;

use super::{Exchange, failed};
use crate::course::Caller;
use crate::error::RestError;
use crate::export::{self, ExportPermit};
use crate::reply;
use crate::run::{self, Export};

impl Exchange<'_> {
    /// Allows the reply to begin before its end is known. In HTTP/1.0 a body that is cut off
    /// cannot be told from one that is complete.
    /// What is bounded by its cost is looked at before it runs, as all other reads are.
    pub(super) fn export_permit(
        &self,
        plan: &ReadPlan,
        caller: &Caller<'_>,
    ) -> Option<ExportPermit> {
        let may_be_cut = plan.handler == Handler::Csv
            && caller
                .settings
                .cost_limits
                .of(caller.principal.role())
                .is_none()
            && plan.reply.explain.is_none()
            && self.request.version() > Version::HTTP_10;
        let at_once = self.ready.settings.exports.at_once;
        may_be_cut
            .then(|| self.state.exports.take(&self.state.pool, at_once))
            .flatten()
    }

    pub(super) async fn export(
        &mut self,
        plan: ReadPlan,
        permit: ExportPermit,
        caller: &Caller<'_>,
    ) -> Result<HttpResponse, RestError> {
        let statements = render_export(&plan);
        let mut course = caller.course(&plan.transaction, &plan.handler, None);
        if plan.count.is_some() {
            // The total and the rows are those of one moment. Nothing is written, so nothing can
            // come in its way.
            course.isolation.get_or_insert(Isolation::RepeatableRead);
        }
        self.note(&course, &statements.rows, statements.explain.as_ref());
        self.stopwatch.lap(Stage::Plan);
        let (pool, most) = (&self.state.pool, plan.root.range.limit);
        let export = run::export(pool, &course, &statements, plan.count, most).await;
        self.stopwatch.lap(Stage::Database);
        let flow = match export.map_err(|error| failed(error, caller.principal))? {
            Export::Whole(answer) => {
                let response = reply::reply(plan.reply, answer, caller.settings.verbosity)?;
                self.stopwatch.lap(Stage::Reply);
                return Ok(response);
            }
            Export::Flowing(flow) => flow,
        };
        let head = reply::reply_flowing(plan.reply, &flow.head)?;
        let response = if allows_body(head.status()) {
            let request_id = RequestId::accept(self.request.headers().get(X_REQUEST_ID));
            self.request_id = Some(request_id.clone());
            let body = export::body(flow, permit, caller.settings.exports, request_id);
            head.set_body(body).map_into_boxed_body()
        } else {
            head
        };
        self.stopwatch.lap(Stage::Reply);
        Ok(response)
    }
}
