/// Who asks. Each case has people of its own who stand in these relations to the rows of that case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Nobody signed in.
    Anon,
    /// A token of `authenticated` that names no person.
    Unnamed,
    /// Signed in, without any relation to the rows.
    Other,
    /// Has a share of the resource for reading.
    Reader,
    /// Has a share of the resource for writing.
    Writer,
    /// An ordinary member of the group that the resource is shared with.
    Member,
    /// Administers that group without owning it.
    GroupAdmin,
    /// Bookmarked, rated and commented the resource, made the suggestion, voted, and is told by the notification.
    Author,
    /// Owns the resource, its versions and shares, the group, the collection and the template.
    Owner,
    /// Administers the application.
    Admin,
}

impl Actor {
    /// Everybody, in the order of the page's columns.
    pub const ALL: [Self; 10] = [
        Self::Anon,
        Self::Unnamed,
        Self::Other,
        Self::Reader,
        Self::Writer,
        Self::Member,
        Self::GroupAdmin,
        Self::Author,
        Self::Owner,
        Self::Admin,
    ];

    /// The thing that this person is in the rows of a case; nobody for the first two.
    pub fn person(self) -> Option<&'static str> {
        match self {
            Self::Anon | Self::Unnamed => None,
            Self::Other => Some("other"),
            Self::Reader => Some("reader"),
            Self::Writer => Some("writer"),
            Self::Member => Some("member"),
            Self::GroupAdmin => Some("group_admin"),
            Self::Author => Some("author"),
            Self::Owner => Some("owner"),
            Self::Admin => Some("admin"),
        }
    }

    /// The heading of this column.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Anon => "anon",
            Self::Unnamed => "unnamed",
            Self::GroupAdmin => "group admin",
            _ => self.person().unwrap_or_default(),
        }
    }
}
