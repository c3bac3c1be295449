use crate::Actor::{Admin, Author, Owner};
use crate::Right::{Any, Everyone, Is, Nobody, SignedIn};
use crate::Rule;
use crate::rule::Rules;

const OWN_OR_ADMIN: crate::Right = Any(&[Is(Owner), Is(Admin)]);

pub(super) fn rules() -> Vec<Rule> {
    [profiles(), roles(), closed(), notifications(), events()].concat()
}

fn profiles() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("user_id", "owner")];
    const NEWCOMER: &[(&str, &str)] = &[("user_id", "newcomer")];
    Rules::of("profiles")
        .query("the owner's", "select=*&id=eq.{owner}", Everyone)
        .query("`email`", "select=email&id=eq.{owner}", Nobody)
        .refused()
        .query(
            "`preferred_layout`",
            "select=preferred_layout&id=eq.{owner}",
            Nobody,
        )
        .refused()
        .query(
            "filtered by `email`",
            "select=id&id=eq.{owner}&email=like.*",
            Nobody,
        )
        .refused()
        .query(
            "ordered by `email`",
            "select=id&id=eq.{owner}&order=email",
            Nobody,
        )
        .refused()
        .query(
            "`or` on `email`",
            "select=id&id=eq.{owner}&or=(email.eq.x,username.not.is.null)",
            Nobody,
        )
        .refused()
        .add("the first time, with one's own address", PROFILE, SignedIn)
        .first_sign_in()
        .found(NEWCOMER)
        .add("the first time, with another address", SQUATTED, Nobody)
        .first_sign_in()
        .found(NEWCOMER)
        .add("somebody else's", OTHERS_PROFILE, Nobody)
        .found(NEWCOMER)
        .merge("", ROW, UPSERTED, Nobody)
        .holding("full_name = 'Changed'")
        .change(
            "name, bio, picture, layout",
            ROW,
            PRESENTATION,
            OWN_OR_ADMIN,
        )
        .holding("full_name = 'Changed' and preferred_layout = 'changed'")
        .change(
            "`email`",
            ROW,
            r#""email": "changed-{n}@elsewhere.example""#,
            Nobody,
        )
        .refused()
        .holding("email like 'changed%'")
        .change("`id`", ROW, r#""id": "{new}""#, Nobody)
        .refused()
        .holding("id <> {owner}")
        .change("`user_id`", ROW, r#""user_id": "{new}""#, Nobody)
        .refused()
        .holding("id <> {owner}")
        .change("`created_at`", ROW, r#""created_at": "2001-01-01""#, Nobody)
        .refused()
        .holding("created_at < '2002-01-01'")
        .remove("", ROW, Is(Admin))
        .done()
}

const PROFILE: &str =
    r#""user_id": "{me}", "email": "newcomer-{n}@hidden.example", "username": "newcomer-{n}""#;
const SQUATTED: &str =
    r#""user_id": "{me}", "email": "victim-{n}@hidden.example", "username": "newcomer-{n}""#;
const OTHERS_PROFILE: &str = r#""user_id": "{newcomer}", "email": "newcomer-{n}@hidden.example", "username": "newcomer-{n}""#;
const UPSERTED: &str =
    r#""user_id": "{owner}", "email": "owner-{n}@hidden.example", "full_name": "Changed""#;
const PRESENTATION: &str = r#""full_name": "Changed", "bio": "b", "avatar_url": "a", "github_username": "g",
    "preferred_layout": "changed", "updated_at": "2001-01-01""#;

fn roles() -> Vec<Rule> {
    Rules::of("user_roles")
        .read("the owner's", &[("user_id", "owner")], OWN_OR_ADMIN)
        .add("", r#""user_id": "{stranger}", "role": "admin""#, Is(Admin))
        .change("", &[("user_id", "owner")], r#""role": "admin""#, Is(Admin))
        .holding("role = 'admin'")
        .merge(
            "one's own",
            &[("user_id", "me")],
            r#""user_id": "{me}", "role": "admin""#,
            Is(Admin),
        )
        .holding("role = 'admin'")
        .change(
            "one's own",
            &[("user_id", "me")],
            r#""role": "admin""#,
            Is(Admin),
        )
        .holding("role = 'admin'")
        .remove("", &[("user_id", "owner")], Is(Admin))
        .done()
}

/// What the API does not know.
fn closed() -> Vec<Rule> {
    let closed = |table, row, fields| {
        Rules::of(table)
            .read("", row, Nobody)
            .refused()
            .add("", fields, Nobody)
            .change("", row, r#""created_at": "2001-01-01""#, Nobody)
            .refused()
            .holding("created_at < '2002-01-01'")
            .remove("", row, Nobody)
            .refused()
            .done()
    };
    [
        closed(
            "auth_profiles",
            &[("user_id", "owner")],
            r#""user_id": "{me}", "password_hash": "h""#,
        ),
        closed(
            "oauth_accounts",
            &[("user_id", "owner")],
            r#""user_id": "{me}", "provider": "p", "provider_user_id": "{n}", "access_token": "t""#,
        ),
        closed(
            "api_tokens",
            &[("user_id", "owner")],
            r#""user_id": "{me}", "token": "new-{n}", "name": "n""#,
        ),
    ]
    .concat()
}

fn notifications() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "notification")];
    Rules::of("notifications")
        .read("the author's", ROW, Is(Author))
        .add(
            "",
            r#""user_id": "{me}", "type": "t", "title": "t", "message": "m""#,
            Nobody,
        )
        .change("`is_read`", ROW, r#""is_read": true"#, Is(Author))
        .holding("is_read")
        .change(
            "`is_read`, without a filter",
            ROW,
            r#""is_read": true"#,
            Is(Author),
        )
        .holding("is_read")
        .unfiltered()
        .change("the rest", ROW, r#""title": "changed""#, Nobody)
        .refused()
        .holding("title = 'changed'")
        .remove("", ROW, Is(Author))
        .done()
}

fn events() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "event")];
    Rules::of("analytics_events")
        .read("", ROW, Is(Admin))
        .add("one's own", r#""event": "e", "user_id": "{me}""#, SignedIn)
        .add("nobody's", r#""event": "e", "user_id": null"#, Everyone)
        .add(
            "somebody else's",
            r#""event": "e", "user_id": "{stranger}""#,
            Nobody,
        )
        .change("", ROW, r#""event": "changed""#, Nobody)
        .holding("event = 'changed'")
        .remove("", ROW, Is(Admin))
        .done()
}
