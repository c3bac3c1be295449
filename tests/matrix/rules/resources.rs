use crate::Actor::{Admin, Author, Owner, Reader, Writer};
use crate::Right::{All, Any, CanRead, CanWrite, InGroup, Is, Nobody, SignedIn};
use crate::rule::Rules;
use crate::{Right, Rule, State};

const OWN_OR_ADMIN: Right = Any(&[Is(Owner), Is(Admin)]);
const SIGNED_IN_READER: Right = All(&[SignedIn, CanRead]);
const AUTHOR_OR_ADMIN: Right = Any(&[Is(Author), Is(Admin)]);

pub(super) fn rules() -> Vec<Rule> {
    [
        resources(),
        saved(),
        ratings(),
        comments(),
        versions(),
        shares(),
    ]
    .concat()
}

fn resources() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "resource")];
    Rules::of("resources")
        .states(State::OF_RESOURCES)
        .read("", ROW, CanRead)
        .query("searched by text and `or`", SEARCH, CanRead)
        .query(
            "with the owner's `email`",
            "select=id,profiles(email)&id=eq.{resource}",
            Nobody,
        )
        .refused()
        .query("filtered by the owner's `email`", BY_ADDRESS, Nobody)
        .refused()
        .merge("in one's own name", ROW, UPSERTED, OWN_OR_ADMIN)
        .holding("title = 'Changed'")
        .change(
            "content",
            ROW,
            r#""title": "Changed", "tags": ["t"]"#,
            CanWrite,
        )
        .holding("title = 'Changed'")
        .change("counters beside content", ROW, COUNTED, CanWrite)
        .holding(UNCOUNTED)
        .change("`user_id`", ROW, r#""user_id": "{stranger}""#, Is(Admin))
        .refused_to(CanWrite)
        .holding("user_id = {stranger}")
        .change("`id`", ROW, r#""id": "{new}""#, Nobody)
        .refused_to(CanWrite)
        .holding("false")
        .remove("", ROW, OWN_OR_ADMIN)
        .states(&[State::Public, State::Users, State::Groups, State::Expired])
        .change(
            "`visibility` to private",
            ROW,
            r#""visibility": "private""#,
            OWN_OR_ADMIN,
        )
        .refused_to(CanWrite)
        .holding("visibility = 'private'")
        .states(&[State::Private])
        .change(
            "`visibility` of a private one",
            ROW,
            r#""visibility": "public""#,
            OWN_OR_ADMIN,
        )
        .refused_to(CanWrite)
        .holding("visibility = 'public'")
        .states(State::ANY)
        .add(
            "one's own",
            r#""user_id": "{me}", "title": "t", "description": "d""#,
            SignedIn,
        )
        .add("one's own, with counters", NEW_COUNTED, SignedIn)
        .holding("views_count + downloads_count + ratings_count + average_rating = 0")
        .add(
            "somebody else's",
            r#""user_id": "{stranger}", "title": "t", "description": "d""#,
            Nobody,
        )
        .done()
}

const UPSERTED: &str =
    r#""id": "{resource}", "user_id": "{me}", "title": "Changed", "description": "d""#;
const SEARCH: &str = "select=id&or=(title.ilike.*Findable {resource}*,visibility.eq.private)&description=eq.{resource}";
const BY_ADDRESS: &str = "select=id,profiles!inner(id)&id=eq.{resource}&profiles.email=like.*";
const COUNTED: &str = r#""title": "Changed", "views_count": 9, "downloads_count": 9, "ratings_count": 9, "average_rating": 5"#;
const UNCOUNTED: &str = "title = 'Changed' and views_count + downloads_count = 0 and ratings_count = 1 and average_rating = 3";
const NEW_COUNTED: &str = r#""user_id": "{me}", "title": "t", "description": "d",
    "views_count": 9, "downloads_count": 9, "ratings_count": 9, "average_rating": 5"#;

fn saved() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "saved")];
    const SAVED: &[(&str, &str)] = &[("user_id", "author"), ("resource_id", "resource")];
    Rules::of("saved_resources")
        .states(State::OF_RESOURCES)
        .read("the author's", ROW, Is(Author))
        .add(
            "one's own",
            r#""user_id": "{me}", "resource_id": "{resource}""#,
            SIGNED_IN_READER,
        )
        .remove("", ROW, Is(Author))
        .states(State::ANY)
        .add(
            "somebody else's",
            r#""user_id": "{stranger}", "resource_id": "{resource}""#,
            Nobody,
        )
        .merge(
            "",
            SAVED,
            r#""user_id": "{author}", "resource_id": "{resource}", "created_at": "2001-01-01""#,
            Nobody,
        )
        .holding("created_at < '2002-01-01'")
        .change("", ROW, r#""created_at": "2001-01-01""#, Nobody)
        .holding("created_at < '2002-01-01'")
        .done()
}

fn ratings() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "rating")];
    const RATED: &[(&str, &str)] = &[("user_id", "author"), ("resource_id", "resource")];
    Rules::of("resource_ratings")
        .states(State::OF_RESOURCES)
        .read("the author's", ROW, AUTHOR_OR_ADMIN)
        .add(
            "one's own",
            r#""user_id": "{me}", "resource_id": "{resource}", "rating": 4"#,
            SIGNED_IN_READER,
        )
        .merge(
            "the author's",
            RATED,
            r#""user_id": "{author}", "resource_id": "{resource}", "rating": 5"#,
            All(&[Is(Author), CanRead]),
        )
        .holding("rating = 5")
        .change("`rating`", ROW, r#""rating": 5"#, Is(Author))
        .holding("rating = 5")
        .remove("", ROW, AUTHOR_OR_ADMIN)
        .states(State::ANY)
        .add(
            "somebody else's",
            r#""user_id": "{stranger}", "resource_id": "{resource}", "rating": 4"#,
            Nobody,
        )
        .change(
            "`resource_id`",
            ROW,
            r#""resource_id": "{elsewhere}""#,
            Nobody,
        )
        .refused_to(Is(Author))
        .holding("resource_id = {elsewhere}")
        .change("`user_id`", ROW, r#""user_id": "{stranger}""#, Nobody)
        .refused_to(Is(Author))
        .holding("user_id = {stranger}")
        .done()
}

fn comments() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "comment")];
    const WRITER: Right = All(&[CanRead, AUTHOR_OR_ADMIN]);
    Rules::of("resource_comments")
        .states(State::OF_RESOURCES)
        .read("the author's", ROW, CanRead)
        .add("one's own", COMMENT, SIGNED_IN_READER)
        .add("a reply", REPLY, SIGNED_IN_READER)
        .change(
            "`content`",
            ROW,
            r#""content": "Changed", "updated_at": "2001-01-01""#,
            WRITER,
        )
        .holding("content = 'Changed' and updated_at > '2002-01-01'")
        .remove("with the replies of others", ROW, WRITER)
        .states(State::ANY)
        .add("somebody else's", OTHERS_COMMENT, Nobody)
        .add("a reply to what is said elsewhere", MISPLACED, Nobody)
        .merge("", ROW, r#""id": "{comment}", "user_id": "{me}", "resource_id": "{resource}", "content": "Changed""#, Nobody)
        .holding("content = 'Changed'")
        .change("`user_id`", ROW, r#""user_id": "{stranger}""#, Nobody)
        .refused()
        .holding("user_id = {stranger}")
        .change(
            "`resource_id`",
            ROW,
            r#""resource_id": "{elsewhere}""#,
            Nobody,
        )
        .refused()
        .holding("resource_id = {elsewhere}")
        .change("`parent_id`", ROW, r#""parent_id": "{reply}""#, Nobody)
        .refused()
        .holding("parent_id is not null")
        .done()
}

const COMMENT: &str = r#""user_id": "{me}", "resource_id": "{resource}", "content": "c""#;
const REPLY: &str =
    r#""user_id": "{me}", "resource_id": "{resource}", "content": "c", "parent_id": "{comment}""#;
const MISPLACED: &str =
    r#""user_id": "{me}", "resource_id": "{elsewhere}", "content": "c", "parent_id": "{comment}""#;
const OTHERS_COMMENT: &str =
    r#""user_id": "{stranger}", "resource_id": "{resource}", "content": "c""#;

fn versions() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "version")];
    Rules::of("resource_versions")
        .states(State::OF_RESOURCES)
        .read("", ROW, CanRead)
        .add("in one's own name", VERSION, CanWrite)
        .remove("an old one", ROW, OWN_OR_ADMIN)
        .remove("the latest", &[("id", "latest_version")], Nobody)
        .states(State::ANY)
        .query(
            "with the writer's `email`",
            "select=id,profiles(email)&id=eq.{version}",
            Nobody,
        )
        .refused()
        .add("in somebody else's name", OTHERS_VERSION, Nobody)
        .change("", ROW, r#""title": "Changed""#, Nobody)
        .holding("title = 'Changed'")
        .done()
}

const VERSION: &str = r#""created_by": "{me}", "resource_id": "{resource}", "version_number": 3, "title": "t", "description": "d""#;
const OTHERS_VERSION: &str = r#""created_by": "{stranger}", "resource_id": "{resource}", "version_number": 3, "title": "t", "description": "d""#;

fn shares() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "reader_share")];
    Rules::of("resource_shares")
        .states(State::OF_RESOURCES)
        .read("with the reader", ROW, Any(&[Is(Reader), OWN_OR_ADMIN]))
        .read(
            "with the writer",
            &[("id", "writer_share")],
            Any(&[Is(Writer), OWN_OR_ADMIN]),
        )
        .read(
            "with the group",
            &[("id", "group_share")],
            Any(&[InGroup, Is(Admin)]),
        )
        .add(
            "with a person",
            r#""resource_id": "{resource}", "shared_with_user_id": "{stranger}""#,
            OWN_OR_ADMIN,
        )
        .add("with a group of one's own", GROUP_SHARE, Is(Owner))
        .change(
            "`permission`, `expires_at`",
            ROW,
            r#""permission": "write", "expires_at": null"#,
            OWN_OR_ADMIN,
        )
        .holding("permission = 'write' and expires_at is null")
        .remove("", ROW, OWN_OR_ADMIN)
        .states(State::ANY)
        .add(
            "with oneself",
            r#""resource_id": "{resource}", "shared_with_user_id": "{me}""#,
            Nobody,
        )
        .add("with a group of others", FOREIGN_GROUP_SHARE, Nobody)
        .change(
            "`resource_id`",
            ROW,
            r#""resource_id": "{elsewhere}""#,
            Nobody,
        )
        .refused()
        .holding("resource_id = {elsewhere}")
        .change(
            "`shared_with_user_id`",
            ROW,
            r#""shared_with_user_id": "{stranger}""#,
            Nobody,
        )
        .refused()
        .holding("shared_with_user_id = {stranger}")
        .done()
}

const GROUP_SHARE: &str = r#""resource_id": "{resource}", "shared_with_group_id": "{group}""#;
const FOREIGN_GROUP_SHARE: &str =
    r#""resource_id": "{resource}", "shared_with_group_id": "{foreign_group}""#;
