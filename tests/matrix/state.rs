/// What the rows of a case are like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The resource is public; so are collection, template and category.
    Public,
    /// The resource is `shared_users`; the group's share is for reading.
    Users,
    /// The resource is `shared_groups`; the group's share is for writing.
    Groups,
    /// The resource is private, although shares exist.
    Private,
    /// The resource is `shared_users` and all of its shares have expired.
    Expired,
    /// Collection and template are not public, the category is not active; the resource is public.
    Closed,
}

impl State {
    /// All that matters to a row of a resource.
    pub(crate) const OF_RESOURCES: &[Self] = &[
        Self::Public,
        Self::Users,
        Self::Groups,
        Self::Private,
        Self::Expired,
    ];
    /// All that matters to what has a switch.
    pub(crate) const OF_SWITCHES: &[Self] = &[Self::Public, Self::Closed];
    /// All that matters to a row that joins a resource to what has a switch.
    pub(crate) const OF_ENTRIES: &[Self] = &[
        Self::Public,
        Self::Users,
        Self::Groups,
        Self::Private,
        Self::Expired,
        Self::Closed,
    ];
    /// Where no state matters.
    pub(crate) const ANY: &[Self] = &[Self::Public];

    /// Its name, which SQL knows, too.
    pub fn name(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Users => "users",
            Self::Groups => "groups",
            Self::Private => "private",
            Self::Expired => "expired",
            Self::Closed => "closed",
        }
    }

    /// Its letter on the page.
    pub(crate) fn letter(self) -> char {
        match self {
            Self::Public => 'p',
            Self::Users => 'u',
            Self::Groups => 'g',
            Self::Private => 'x',
            Self::Expired => 'e',
            Self::Closed => 'c',
        }
    }
}
