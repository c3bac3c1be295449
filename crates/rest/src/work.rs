//! A rendered plan: what is asked of the database, and how its answer becomes a reply. The same
//! whether its transaction is its own or one that several requests share.

use actix_web::HttpResponse;
use passerelle_pg::Setting;
use passerelle_planner::{
    CallPlan, Handler, MutatePlan, OutcomeCheck, ReadPlan, ReplySpec, ResultKind, TransactionSpec,
};
use passerelle_sql::{ReadStatements, render, render_call, render_mutate};
use passerelle_statement::Statement;
use passerelle_surface::Verbosity;
use passerelle_syntax::PlanOption;
use passerelle_wire::{OpenTransaction, Pool};

use crate::course::{Caller, Course};
use crate::error::ReplyError;
use crate::reply;
use crate::run::{self, Answer, RunError, Written};
use passerelle_surface::{Noted, Writes};

/// What is asked of the database.
pub(crate) enum Work {
    Read(Box<ReadPlan>, ReadStatements),
    Write(Box<MutatePlan>, Statement),
    Call(Box<CallPlan>, ReadStatements),
}

/// What the database has answered.
pub(crate) enum Done {
    Rows(ReplySpec, Answer),
    /// A function that returns nothing was called.
    Nothing(ReplySpec, Answer),
    Written(Box<MutatePlan>, Written),
}

impl Work {
    pub(crate) fn read(plan: Box<ReadPlan>) -> Self {
        let statements = render(&plan);
        Self::Read(plan, statements)
    }

    pub(crate) fn write(plan: Box<MutatePlan>) -> Self {
        let statement = render_mutate(&plan);
        Self::Write(plan, statement)
    }

    pub(crate) fn call(plan: Box<CallPlan>) -> Self {
        let statements = render_call(&plan);
        Self::Call(plan, statements)
    }

    /// How its transaction runs.
    pub(crate) fn course(&self, caller: &Caller<'_>) -> Course {
        caller.course(self.transaction(), self.handler(), self.called())
    }

    /// The call, if it is one.
    pub(crate) fn called(&self) -> Option<&CallPlan> {
        match self {
            Self::Call(plan, _) => Some(plan),
            Self::Read(..) | Self::Write(..) => None,
        }
    }

    pub(crate) fn transaction(&self) -> &TransactionSpec {
        match self {
            Self::Read(plan, _) => &plan.transaction,
            Self::Write(plan, _) => &plan.transaction,
            Self::Call(plan, _) => &plan.transaction,
        }
    }

    pub(crate) fn handler(&self) -> &Handler {
        match self {
            Self::Read(plan, _) => &plan.handler,
            Self::Write(plan, _) => &plan.handler,
            Self::Call(plan, _) => &plan.handler,
        }
    }

    /// What a function sets for its transaction.
    pub(crate) fn function_settings(&self) -> &[Setting] {
        match self {
            Self::Call(plan, _) => &plan.settings,
            Self::Read(..) | Self::Write(..) => &[],
        }
    }

    pub(crate) fn spec(&self) -> &ReplySpec {
        match self {
            Self::Read(plan, _) => &plan.reply,
            Self::Write(plan, _) => &plan.reply,
            Self::Call(plan, _) => &plan.reply,
        }
    }

    /// The statement's plan is asked for instead of its rows.
    pub(crate) fn is_explained(&self) -> bool {
        self.spec().explain.is_some()
    }

    /// The statement, and the one that tells a count.
    pub(crate) fn statements(&self) -> (&Statement, Option<&Statement>) {
        match self {
            Self::Read(_, statements) | Self::Call(_, statements) => {
                (&statements.main, statements.explain.as_ref())
            }
            Self::Write(_, statement) => (statement, None),
        }
    }

    /// The statement of a read or a call that is explained and, because that is asked for, run.
    pub(crate) fn analysed(&self) -> Option<Statement> {
        let explain = self.spec().explain.as_ref()?;
        if !explain.options.contains(&PlanOption::Analyze) {
            return None;
        }
        match self {
            Self::Read(plan, _) => {
                let mut plan = plan.clone();
                plan.reply.explain = None;
                Some(render(&plan).main)
            }
            Self::Call(plan, _) => {
                let mut plan = plan.clone();
                plan.reply.explain = None;
                Some(render_call(&plan).main)
            }
            Self::Write(..) => None,
        }
    }

    /// What the reply says, and the statement.
    pub(crate) fn into_statement(self) -> (ReplySpec, Statement) {
        match self {
            Self::Read(plan, statements) => (plan.reply, statements.main),
            Self::Write(plan, statement) => (plan.reply, statement),
            Self::Call(plan, statements) => (plan.reply, statements.main),
        }
    }

    /// Runs in a transaction of its own. A write passes the fence, where there is one.
    pub(crate) async fn run(
        self,
        pool: &Pool,
        course: &Course,
        writes: Option<Writes<'_>>,
    ) -> Result<Done, RunError> {
        let mut noted = None;
        let done = self.run_noting(pool, course, &mut noted).await;
        // What was committed is, whatever became of the answer.
        if let Some(writes) = writes {
            writes.pass(noted).await;
        }
        done
    }

    async fn run_noting(
        self,
        pool: &Pool,
        course: &Course,
        noted: &mut Option<Noted>,
    ) -> Result<Done, RunError> {
        match self {
            Self::Read(plan, statements) => {
                let check = OutcomeCheck::default();
                let answer =
                    run::run(pool, course, &statements, (plan.count, check), noted).await?;
                Ok(Done::Rows(plan.reply, answer))
            }
            Self::Write(plan, statement) => {
                let written = run::write(pool, course, &statement, plan.check, noted).await?;
                Ok(Done::Written(plan, written))
            }
            Self::Call(plan, statements) => {
                let answer =
                    run::run(pool, course, &statements, (plan.count, plan.check), noted).await?;
                Ok(Done::called(*plan, answer))
            }
        }
    }

    /// Runs in a transaction that goes on.
    pub(crate) async fn run_within(
        self,
        transaction: &mut OpenTransaction<'_>,
        course: &Course,
    ) -> Result<Done, RunError> {
        match self {
            Self::Read(plan, statements) => {
                let asked = (plan.count, OutcomeCheck::default());
                let answer = run::read_within(transaction, course, &statements, asked).await?;
                Ok(Done::Rows(plan.reply, answer))
            }
            Self::Write(plan, statement) => {
                let written =
                    run::write_within(transaction, course, &statement, plan.check).await?;
                Ok(Done::Written(plan, written))
            }
            Self::Call(plan, statements) => {
                let asked = (plan.count, plan.check);
                let answer = run::read_within(transaction, course, &statements, asked).await?;
                Ok(Done::called(*plan, answer))
            }
        }
    }
}

impl Done {
    fn called(plan: CallPlan, answer: Answer) -> Self {
        match plan.result {
            ResultKind::Void => Self::Nothing(plan.reply, answer),
            _ => Self::Rows(plan.reply, answer),
        }
    }

    /// Whether SQL has set headers or the status.
    pub(crate) fn has_own_head(&self) -> bool {
        match self {
            Self::Rows(_, answer) | Self::Nothing(_, answer) => {
                answer.response_headers.is_some() || answer.response_status.is_some()
            }
            Self::Written(_, written) => {
                written.response_headers.is_some() || written.response_status.is_some()
            }
        }
    }

    /// The response.
    ///
    /// # Errors
    /// As for the functions of [`reply`](mod@crate::reply).
    pub(crate) fn reply(self, verbosity: Verbosity) -> Result<HttpResponse, ReplyError> {
        match self {
            Self::Rows(spec, answer) => reply::reply(spec, answer, verbosity),
            Self::Nothing(spec, answer) => reply::reply_void(&spec, &answer),
            Self::Written(plan, written) => reply::reply_written(*plan, written),
        }
    }
}
