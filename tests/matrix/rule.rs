use crate::{Actor, Outcome, Right, State};

/// How somebody tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// GET
    Read,
    /// POST
    Add,
    /// POST that changes the row that is there already
    Merge,
    /// PATCH
    Change,
    /// DELETE
    Remove,
    /// POST to a function
    Call,
}

/// What happens to those who have no right.
#[derive(Clone, Copy, Debug)]
enum Otherwise {
    Nothing,
    Refused,
    /// Refused to those who reach the row, nothing for everybody else.
    RefusedTo(Right),
}

/// One thing that somebody may try, and who succeeds.
///
/// Names in braces stand for ids of the case: `{comment}` is its comment, `{me}` whoever asks, `{new}` an id that nothing
/// has yet, `{n}` the number of the case.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// Table, view or function.
    pub relation: &'static str,
    /// How.
    pub operation: Operation,
    /// What exactly is tried, for people; often nothing.
    pub what: &'static str,
    /// Which rows.
    pub query: Query,
    /// Members of the JSON object that is sent.
    pub fields: &'static str,
    /// SQL: what the row holds once it is done.
    pub holding: &'static str,
    /// The states in which it is tried.
    pub states: &'static [State],
    /// Whether whoever asks is somebody who signs in for the first time and has no profile.
    pub first_sign_in: bool,
    /// Whether the request names no rows, so that only policies bound it.
    pub unfiltered: bool,
    right: Right,
    otherwise: Otherwise,
}

/// Which rows are asked for.
#[derive(Clone, Copy, Debug)]
pub enum Query {
    /// Rows with these ids in these columns.
    Rows(&'static [(&'static str, &'static str)]),
    /// A query string as it is.
    Text(&'static str),
}

impl Rule {
    /// What is to be expected.
    pub fn outcome(&self, actor: Actor, state: State) -> Outcome {
        if self.right.holds(actor, state) {
            return Outcome::Done;
        }
        match self.otherwise {
            Otherwise::Refused => Outcome::Refused,
            Otherwise::RefusedTo(right) if right.holds(actor, state) => Outcome::Refused,
            Otherwise::Nothing | Otherwise::RefusedTo(_) => Outcome::Nothing,
        }
    }

    /// What befalls those who have no right, in a word.
    pub(crate) fn refusal(&self) -> &'static str {
        match self.otherwise {
            Otherwise::Refused => "42501",
            Otherwise::RefusedTo(_) => "42501, or nothing",
            Otherwise::Nothing if self.operation == Operation::Read => "no rows",
            Otherwise::Nothing => "nothing",
        }
    }
}

/// The rules of one table, as they are written down.
pub(crate) struct Rules {
    relation: &'static str,
    states: &'static [State],
    written: Vec<Rule>,
}

impl Rules {
    pub(crate) fn of(relation: &'static str) -> Self {
        Self {
            relation,
            states: State::ANY,
            written: Vec::new(),
        }
    }

    /// The states in which everything that follows is tried.
    pub(crate) fn states(mut self, states: &'static [State]) -> Self {
        self.states = states;
        self
    }

    pub(crate) fn read(
        self,
        what: &'static str,
        rows: &'static [(&'static str, &'static str)],
        right: Right,
    ) -> Self {
        self.rule(Operation::Read, what, Query::Rows(rows), right)
    }

    /// A read with a query string of its own.
    pub(crate) fn query(self, what: &'static str, query: &'static str, right: Right) -> Self {
        self.rule(Operation::Read, what, Query::Text(query), right)
    }

    pub(crate) fn add(self, what: &'static str, fields: &'static str, right: Right) -> Self {
        self.rule(Operation::Add, what, Query::Rows(&[("id", "new")]), right)
            .fields(fields)
            .refused()
    }

    /// An upsert, whose row is there already.
    pub(crate) fn merge(
        self,
        what: &'static str,
        rows: &'static [(&'static str, &'static str)],
        fields: &'static str,
        right: Right,
    ) -> Self {
        self.rule(Operation::Merge, what, Query::Rows(rows), right)
            .fields(fields)
            .refused()
    }

    pub(crate) fn change(
        self,
        what: &'static str,
        rows: &'static [(&'static str, &'static str)],
        fields: &'static str,
        right: Right,
    ) -> Self {
        self.rule(Operation::Change, what, Query::Rows(rows), right)
            .fields(fields)
    }

    pub(crate) fn remove(
        self,
        what: &'static str,
        rows: &'static [(&'static str, &'static str)],
        right: Right,
    ) -> Self {
        self.rule(Operation::Remove, what, Query::Rows(rows), right)
    }

    /// A call of the function; without [`Rules::holding`], what it answers says whether it is done.
    pub(crate) fn call(self, what: &'static str, fields: &'static str, right: Right) -> Self {
        self.rule(Operation::Call, what, Query::Rows(&[]), right)
            .fields(fields)
    }

    /// SQL: what the row holds after the last rule's attempt, when it is done.
    pub(crate) fn holding(self, condition: &'static str) -> Self {
        self.last(|rule| rule.holding = condition)
    }

    /// The last rule's attempt fails for those who have no right.
    pub(crate) fn refused(self) -> Self {
        self.last(|rule| rule.otherwise = Otherwise::Refused)
    }

    /// The last rule's attempt fails for those of these who have no right, and does nothing for others.
    pub(crate) fn refused_to(self, right: Right) -> Self {
        self.last(|rule| rule.otherwise = Otherwise::RefusedTo(right))
    }

    /// Where the row that the last rule adds is found, if its id is not what was sent.
    pub(crate) fn found(self, rows: &'static [(&'static str, &'static str)]) -> Self {
        self.last(|rule| rule.query = Query::Rows(rows))
    }

    /// The last rule is tried by somebody who signs in for the first time.
    pub(crate) fn first_sign_in(self) -> Self {
        self.last(|rule| rule.first_sign_in = true)
    }

    /// The last rule is tried without a filter.
    pub(crate) fn unfiltered(self) -> Self {
        self.last(|rule| rule.unfiltered = true)
    }

    /// The rules, those of one operation beside each other.
    pub(crate) fn done(mut self) -> Vec<Rule> {
        self.written.sort_by_key(|rule| rule.operation);
        self.written
    }

    fn fields(self, fields: &'static str) -> Self {
        self.last(|rule| rule.fields = fields)
    }

    fn rule(
        mut self,
        operation: Operation,
        what: &'static str,
        query: Query,
        right: Right,
    ) -> Self {
        self.written.push(Rule {
            relation: self.relation,
            operation,
            what,
            query,
            fields: "",
            holding: "",
            states: self.states,
            first_sign_in: false,
            unfiltered: false,
            right,
            otherwise: Otherwise::Nothing,
        });
        self
    }

    fn last(mut self, set: impl FnOnce(&mut Rule)) -> Self {
        if let Some(rule) = self.written.last_mut() {
            set(rule);
        }
        self
    }
}
