use crate::{Actor, State};

/// A condition on who asks, in terms of the application's rules.
#[derive(Clone, Copy, Debug)]
pub enum Right {
    /// Holds for all.
    Everyone,
    /// Holds for none.
    Nobody,
    /// A token that names a person.
    SignedIn,
    /// This one alone.
    Is(Actor),
    /// The resource is public, one's own, shared alive and not private, or one administers.
    CanRead,
    /// The resource is one's own, shared alive for writing and not private, or one administers.
    CanWrite,
    /// Owns the group or belongs to it.
    InGroup,
    /// Owns the group or administers it.
    LeadsGroup,
    /// The collection or template is public, the category active.
    Shown,
    /// One of these.
    Any(&'static [Right]),
    /// All of these.
    All(&'static [Right]),
    /// Not this one.
    Not(&'static Right),
}

/// What an attempt comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The rows are seen, or the change is there afterwards.
    Done,
    /// Success that finds, or changes, nothing.
    Nothing,
    /// 42501: 401 without a token, 403 with one.
    Refused,
}

impl Right {
    /// Whether it holds for this one in this state.
    pub fn holds(self, actor: Actor, state: State) -> bool {
        match self {
            Self::Everyone => true,
            Self::Nobody => false,
            Self::SignedIn => actor.person().is_some(),
            Self::Is(one) => actor == one,
            Self::CanRead => can_read(actor, state),
            Self::CanWrite => can_write(actor, state),
            Self::InGroup => matches!(actor, Actor::Owner | Actor::Member | Actor::GroupAdmin),
            Self::LeadsGroup => matches!(actor, Actor::Owner | Actor::GroupAdmin),
            Self::Shown => state != State::Closed,
            Self::Any(rights) => rights.iter().any(|right| right.holds(actor, state)),
            Self::All(rights) => rights.iter().all(|right| right.holds(actor, state)),
            Self::Not(right) => !right.holds(actor, state),
        }
    }
}

fn can_read(actor: Actor, state: State) -> bool {
    match state {
        State::Public | State::Closed => true,
        State::Users | State::Groups => !matches!(
            actor,
            Actor::Anon | Actor::Unnamed | Actor::Other | Actor::Author
        ),
        State::Private | State::Expired => matches!(actor, Actor::Owner | Actor::Admin),
    }
}

fn can_write(actor: Actor, state: State) -> bool {
    match (actor, state) {
        (Actor::Owner | Actor::Admin, _) => true,
        (_, State::Private | State::Expired) => false,
        (Actor::Writer, _) | (Actor::Member | Actor::GroupAdmin, State::Groups) => true,
        _ => false,
    }
}
