//! The tables of the application: which columns they have, and under which names browsers kept them.

use Kind::{
    Choice, Count, Created, Deadline, Flag, Json, Limited, Link, Moment, Number, Owner, Text,
    Texts, Updated,
};
use Loss::{Cascade, SetNull};
use Need::{Else, Maybe, Must};

/// A table of the application, in the order in which they are filled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Table {
    Profiles,
    Credentials,
    UserRoles,
    Groups,
    GroupMembers,
    CategoryHierarchy,
    CategoryFilters,
    Suggestions,
    SuggestionVotes,
    Resources,
    ResourceVersions,
    ResourceTemplates,
    Collections,
    CollectionResources,
    SavedResources,
    ResourceRatings,
    ResourceComments,
    ResourceShares,
    Notifications,
    AdminConfigs,
    AnalyticsEvents,
    /// Files that resources and profiles name; they have no table of their own.
    Files,
}

/// What a column holds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// Text of so many characters.
    Limited(usize),
    /// Text of up to a megabyte.
    Text,
    /// An address of a file, or the file itself as a data URL.
    Link,
    /// A list of short texts.
    Texts,
    /// One of these.
    Choice(&'static [&'static str]),
    /// A whole number in a range.
    Number(i64, i64),
    /// A counter: what is none begins at 0.
    Count,
    Flag,
    Json,
    /// An instant; an empty text is none.
    Moment,
    /// An instant that something is good until: one that cannot be read is not the same as none.
    Deadline,
    /// When the row was made.
    Created,
    /// When it was changed.
    Updated,
    /// The person that a row belongs to, or another row.
    Owner(Table, Loss),
}

/// What becomes of a row when what it refers to goes: the same as when it was never there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    Cascade,
    SetNull,
}

/// What a missing value means.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    Must,
    Maybe,
    Else(&'static str),
}

/// A column, and the names that browsers gave it.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: &'static str,
    /// Other names, after its own.
    pub(crate) aliases: &'static [&'static str],
    pub(crate) kind: Kind,
    pub(crate) need: Need,
}

/// By what, besides its id, a row is the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Natural {
    Nothing,
    /// One reference.
    One,
    /// The first two references.
    Two,
    /// The first reference, and either of the others.
    Target,
    /// The first reference, and a number.
    Numbered,
    /// Some of its text.
    Text,
}

const fn col(name: &'static str, kind: Kind, need: Need) -> Column {
    Column {
        name,
        aliases: &[],
        kind,
        need,
    }
}

const fn also(
    name: &'static str,
    aliases: &'static [&'static str],
    kind: Kind,
    need: Need,
) -> Column {
    Column {
        name,
        aliases,
        kind,
        need,
    }
}

const CREATED: Column = also("created_at", &["createdAt"], Created, Maybe);
const UPDATED: Column = also("updated_at", &["updatedAt"], Updated, Maybe);
const USER: Column = also(
    "user_id",
    &["userId"],
    Owner(Table::Profiles, Cascade),
    Must,
);
const RESOURCE: Column = also(
    "resource_id",
    &["resourceId"],
    Owner(Table::Resources, Cascade),
    Must,
);

const PROFILES: &[Column] = &[
    col("username", Limited(255), Maybe),
    col("full_name", Limited(255), Maybe),
    col("bio", Text, Maybe),
    col("avatar_url", Link, Maybe),
    col("github_username", Limited(255), Maybe),
    col("preferred_layout", Limited(50), Maybe),
    CREATED,
    UPDATED,
];
const USER_ROLES: &[Column] = &[
    USER,
    col("role", Choice(&["admin", "user"]), Else("user")),
    CREATED,
];
const GROUPS: &[Column] = &[
    col("owner_id", Owner(Table::Profiles, Cascade), Must),
    col("name", Limited(255), Must),
    col("description", Text, Maybe),
    CREATED,
    UPDATED,
];
const GROUP_MEMBERS: &[Column] = &[
    col("group_id", Owner(Table::Groups, Cascade), Must),
    USER,
    col("role", Choice(&["admin", "member"]), Else("member")),
    also("added_at", &["created_at"], Created, Maybe),
];
const CATEGORY_HIERARCHY: &[Column] = &[
    also(
        "parent_id",
        &["parentId"],
        Owner(Table::CategoryHierarchy, Cascade),
        Maybe,
    ),
    col("name", Limited(255), Must),
    col("description", Text, Maybe),
    also(
        "order_index",
        &["order"],
        Number(INT_MIN, INT_MAX),
        Else("0"),
    ),
    also("is_active", &["isActive"], Flag, Else("true")),
    CREATED,
    UPDATED,
];
const CATEGORY_FILTERS: &[Column] = &[
    also(
        "category_id",
        &["categoryId"],
        Owner(Table::CategoryHierarchy, Cascade),
        Must,
    ),
    also("filter_key", &["filterKey"], Limited(255), Must),
    also(
        "filter_type",
        &["filterType"],
        Choice(&[
            "text",
            "select",
            "multiselect",
            "boolean",
            "checkbox",
            "radio",
            "number",
            "date",
            "range",
        ]),
        Must,
    ),
    also("filter_label", &["filterLabel"], Limited(255), Must),
    also("filter_options", &["filterOptions"], Texts, Maybe),
    also("is_required", &["isRequired"], Flag, Else("false")),
    also(
        "order_index",
        &["order"],
        Number(INT_MIN, INT_MAX),
        Else("0"),
    ),
    CREATED,
    UPDATED,
];
const SUGGESTIONS: &[Column] = &[
    col("suggested_by", Owner(Table::Profiles, SetNull), Maybe),
    col("reviewed_by", Owner(Table::Profiles, SetNull), Maybe),
    col("name", Limited(255), Must),
    col("description", Text, Maybe),
    col(
        "type",
        Choice(&["category", "tag", "resource_type", "filter"]),
        Must,
    ),
    col(
        "status",
        Choice(&["pending", "approved", "rejected"]),
        Else("pending"),
    ),
    col("action", Choice(&["add"]), Else("add")),
    col("reviewed_at", Moment, Maybe),
    CREATED,
    UPDATED,
];
const SUGGESTION_VOTES: &[Column] = &[
    col("suggestion_id", Owner(Table::Suggestions, Cascade), Must),
    USER,
    col("vote_type", Choice(&["upvote", "downvote"]), Must),
    CREATED,
];
const RESOURCES: &[Column] = &[
    USER,
    col("title", Limited(500), Must),
    col("description", Text, Must),
    col("category", Limited(255), Maybe),
    col("tags", Texts, Maybe),
    col(
        "resource_type",
        Choice(&["file_upload", "external_link", "github_repo"]),
        Else("external_link"),
    ),
    // Who lacks it was in no public list.
    col(
        "visibility",
        Choice(&["public", "private", "shared_users", "shared_groups"]),
        Else("private"),
    ),
    col("github_url", Text, Maybe),
    col("external_url", Text, Maybe),
    col("file_path", Text, Maybe),
    col("file_url", Link, Maybe),
    col("file_size", Limited(50), Maybe),
    col("language", Limited(100), Maybe),
    col("license", Limited(100), Maybe),
    col("readme", Text, Maybe),
    col("downloads_count", Count, Else("0")),
    col("views_count", Count, Else("0")),
    CREATED,
    UPDATED,
];
const RESOURCE_VERSIONS: &[Column] = &[
    RESOURCE,
    also(
        "created_by",
        &["createdBy", "user_id"],
        Owner(Table::Profiles, Cascade),
        Must,
    ),
    col("version_number", Number(1, INT_MAX), Must),
    col("title", Limited(500), Must),
    col("description", Text, Must),
    col("category", Limited(255), Maybe),
    col("tags", Texts, Maybe),
    col("github_url", Text, Maybe),
    col("external_url", Text, Maybe),
    col("language", Limited(100), Maybe),
    col("readme", Text, Maybe),
    col("file_path", Text, Maybe),
    col("file_url", Link, Maybe),
    col("file_size", Limited(50), Maybe),
    col("change_summary", Text, Maybe),
    CREATED,
];
const RESOURCE_TEMPLATES: &[Column] = &[
    also(
        "created_by",
        &["createdBy"],
        Owner(Table::Profiles, SetNull),
        Maybe,
    ),
    col("name", Limited(255), Must),
    col("description", Text, Must),
    col("category", Limited(255), Must),
    col("tags", Texts, Else("")),
    col("language", Limited(100), Maybe),
    col("readme", Text, Maybe),
    col("icon", Limited(255), Maybe),
    col("preview", Text, Maybe),
    also("is_public", &["isPublic"], Flag, Else("false")),
    also("usage_count", &["usageCount"], Count, Else("0")),
    also("template_data", &["templateData"], Json, Else("{}")),
    CREATED,
    UPDATED,
];
const COLLECTIONS: &[Column] = &[
    USER,
    col("name", Limited(255), Must),
    col("description", Text, Maybe),
    col("is_public", Flag, Else("false")),
    col("cover_image_url", Link, Maybe),
    CREATED,
    UPDATED,
];
const COLLECTION_RESOURCES: &[Column] = &[
    col("collection_id", Owner(Table::Collections, Cascade), Must),
    RESOURCE,
    also(
        "order_index",
        &["order"],
        Number(INT_MIN, INT_MAX),
        Else("0"),
    ),
    also(
        "order",
        &["order_index"],
        Number(INT_MIN, INT_MAX),
        Else("0"),
    ),
    also("added_at", &["created_at"], Created, Maybe),
];
const SAVED_RESOURCES: &[Column] = &[USER, RESOURCE, CREATED];
const RESOURCE_RATINGS: &[Column] = &[
    USER,
    RESOURCE,
    col("rating", Number(1, 5), Must),
    CREATED,
    UPDATED,
];
const RESOURCE_COMMENTS: &[Column] = &[
    RESOURCE,
    USER,
    also(
        "parent_id",
        &["parentId"],
        Owner(Table::ResourceComments, Cascade),
        Maybe,
    ),
    col("content", Text, Must),
    CREATED,
    UPDATED,
];
const RESOURCE_SHARES: &[Column] = &[
    RESOURCE,
    col(
        "shared_with_user_id",
        Owner(Table::Profiles, Cascade),
        Maybe,
    ),
    col("shared_with_group_id", Owner(Table::Groups, Cascade), Maybe),
    col("permission", Choice(&["read", "write"]), Else("read")),
    col("expires_at", Deadline, Maybe),
    CREATED,
];
const NOTIFICATIONS: &[Column] = &[
    USER,
    also(
        "resource_id",
        &["resourceId"],
        Owner(Table::Resources, Cascade),
        Maybe,
    ),
    also(
        "group_id",
        &["groupId"],
        Owner(Table::Groups, Cascade),
        Maybe,
    ),
    col("type", Limited(50), Must),
    col("title", Limited(255), Must),
    col("message", Text, Must),
    also("is_read", &["isRead"], Flag, Else("false")),
    CREATED,
];
const ADMIN_CONFIGS: &[Column] = &[
    col("key", Limited(255), Must),
    col("value", Json, Must),
    col("value_text", Text, Must),
    col("description", Text, Maybe),
    CREATED,
    UPDATED,
];
const ANALYTICS_EVENTS: &[Column] = &[
    also(
        "user_id",
        &["userId"],
        Owner(Table::Profiles, SetNull),
        Maybe,
    ),
    also(
        "resource_id",
        &["resourceId"],
        Owner(Table::Resources, SetNull),
        Maybe,
    ),
    also("event", &["type"], Limited(255), Must),
    col("metadata", Json, Maybe),
    also("created_at", &["timestamp"], Created, Maybe),
];

const INT_MAX: i64 = i32::MAX as i64;
const INT_MIN: i64 = i32::MIN as i64;

impl Table {
    /// All of them, in the order in which they are filled.
    pub(crate) const ALL: [Self; 22] = [
        Self::Profiles,
        Self::Credentials,
        Self::UserRoles,
        Self::Groups,
        Self::GroupMembers,
        Self::CategoryHierarchy,
        Self::CategoryFilters,
        Self::Suggestions,
        Self::SuggestionVotes,
        Self::Resources,
        Self::ResourceVersions,
        Self::ResourceTemplates,
        Self::Collections,
        Self::CollectionResources,
        Self::SavedResources,
        Self::ResourceRatings,
        Self::ResourceComments,
        Self::ResourceShares,
        Self::Notifications,
        Self::AdminConfigs,
        Self::AnalyticsEvents,
        Self::Files,
    ];

    /// Those whose rows have columns of their own and are decided one by one.
    pub(crate) fn plain() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|table| !table.is_of_people() && *table != Self::Files)
    }

    /// Profiles and what people sign in with become persons first.
    pub(crate) fn is_of_people(self) -> bool {
        matches!(self, Self::Profiles | Self::Credentials)
    }

    /// Its name in the database, or for people what it is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Profiles => "profiles",
            Self::Credentials => "credentials",
            Self::UserRoles => "user_roles",
            Self::Groups => "groups",
            Self::GroupMembers => "group_members",
            Self::CategoryHierarchy => "category_hierarchy",
            Self::CategoryFilters => "category_filters",
            Self::Suggestions => "category_tag_suggestions",
            Self::SuggestionVotes => "suggestion_votes",
            Self::Resources => "resources",
            Self::ResourceVersions => "resource_versions",
            Self::ResourceTemplates => "resource_templates",
            Self::Collections => "collections",
            Self::CollectionResources => "collection_resources",
            Self::SavedResources => "saved_resources",
            Self::ResourceRatings => "resource_ratings",
            Self::ResourceComments => "resource_comments",
            Self::ResourceShares => "resource_shares",
            Self::Notifications => "notifications",
            Self::AdminConfigs => "admin_configs",
            Self::AnalyticsEvents => "analytics_events",
            Self::Files => "files",
        }
    }

    /// The table that browsers kept under a name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "admin_config" => Self::AdminConfigs,
            "analytics" => Self::AnalyticsEvents,
            "comments" => Self::ResourceComments,
            "templates" => Self::ResourceTemplates,
            "categories" => Self::CategoryHierarchy,
            "credentials" | "files" => return None,
            name => return Self::ALL.into_iter().find(|table| table.name() == name),
        })
    }

    /// Its columns, but for the id. References come in the order of [`Self::references`].
    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Self::Profiles => PROFILES,
            Self::Credentials | Self::Files => &[],
            Self::UserRoles => USER_ROLES,
            Self::Groups => GROUPS,
            Self::GroupMembers => GROUP_MEMBERS,
            Self::CategoryHierarchy => CATEGORY_HIERARCHY,
            Self::CategoryFilters => CATEGORY_FILTERS,
            Self::Suggestions => SUGGESTIONS,
            Self::SuggestionVotes => SUGGESTION_VOTES,
            Self::Resources => RESOURCES,
            Self::ResourceVersions => RESOURCE_VERSIONS,
            Self::ResourceTemplates => RESOURCE_TEMPLATES,
            Self::Collections => COLLECTIONS,
            Self::CollectionResources => COLLECTION_RESOURCES,
            Self::SavedResources => SAVED_RESOURCES,
            Self::ResourceRatings => RESOURCE_RATINGS,
            Self::ResourceComments => RESOURCE_COMMENTS,
            Self::ResourceShares => RESOURCE_SHARES,
            Self::Notifications => NOTIFICATIONS,
            Self::AdminConfigs => ADMIN_CONFIGS,
            Self::AnalyticsEvents => ANALYTICS_EVENTS,
        }
    }

    /// Its columns that refer to something: at most three.
    pub(crate) fn references(self) -> impl Iterator<Item = (&'static Column, Self, Loss)> {
        self.columns()
            .iter()
            .filter_map(|column| match column.kind {
                Owner(table, loss) => Some((column, table, loss)),
                _ => None,
            })
    }

    /// By what a row is the only one.
    pub(crate) fn natural(self) -> Natural {
        match self {
            Self::UserRoles => Natural::One,
            Self::GroupMembers
            | Self::SuggestionVotes
            | Self::CollectionResources
            | Self::SavedResources
            | Self::ResourceRatings => Natural::Two,
            Self::ResourceShares => Natural::Target,
            Self::ResourceVersions => Natural::Numbered,
            Self::Suggestions | Self::AdminConfigs => Natural::Text,
            _ => Natural::Nothing,
        }
    }

    /// Whether a row may refer to another of the same table.
    pub(crate) fn is_tree(self) -> bool {
        matches!(self, Self::CategoryHierarchy | Self::ResourceComments)
    }
}
