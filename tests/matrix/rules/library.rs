use crate::Actor::{Admin, Anon, Author};
use crate::Right::{All, Any, Everyone, Is, Nobody, Not, Shown, SignedIn};
use crate::rule::Rules;
use crate::{Right, Rule, State};

const AUTHOR_OR_ADMIN: Right = Any(&[Is(Author), Is(Admin)]);

pub(super) fn rules() -> Vec<Rule> {
    [suggestions(), votes(), settings(), categories(), filters()].concat()
}

fn suggestions() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "suggestion")];
    Rules::of("category_tag_suggestions")
        .read("", ROW, Everyone)
        .add("as pending", r#""suggested_by": "{me}", "name": "new-{n}", "type": "tag""#, SignedIn)
        .holding("status = 'pending' and suggested_by = {me}")
        .add("as approved by others, stored as such", DECIDED, Is(Admin))
        .refused_to(Not(&SignedIn))
        .holding("status = 'approved' and suggested_by = {stranger}")
        .add("as approved by others, stored as one's own and pending", DECIDED, All(&[SignedIn, Not(&Is(Admin))]))
        .refused_to(Not(&SignedIn))
        .holding("status = 'pending' and votes_count = 0 and suggested_by = {me} and reviewed_by is null and reviewed_at is null")
        .merge("as approved", ROW, r#""id": "{suggestion}", "suggested_by": "{me}", "name": "changed-{n}", "type": "tag", "status": "approved""#, Is(Admin))
        .holding("status = 'approved'")
        .change("`name`, `description`", ROW, r#""name": "changed-{n}""#, Is(Admin))
        .holding("name like 'changed%'")
        .change("`status`", ROW, r#""status": "approved", "reviewed_at": "2001-01-01""#, Is(Admin))
        .holding("status = 'approved'")
        .change("`votes_count`", ROW, r#""votes_count": 50"#, Nobody)
        .holding("votes_count = 50")
        .remove("", ROW, Is(Admin))
        .done()
}

const DECIDED: &str = r#""suggested_by": "{stranger}", "name": "new-{n}", "type": "tag", "status": "approved",
    "votes_count": 50, "reviewed_by": "{stranger}", "reviewed_at": "2001-01-01""#;

fn votes() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "vote")];
    const VOTED: &[(&str, &str)] = &[("suggestion_id", "suggestion"), ("user_id", "author")];
    Rules::of("suggestion_votes")
        .read("the author's", ROW, Everyone)
        .add(
            "one's own",
            r#""user_id": "{me}", "suggestion_id": "{suggestion}", "vote_type": "downvote""#,
            SignedIn,
        )
        .add("somebody else's", OTHERS_VOTE, Nobody)
        .merge(
            "the author's",
            VOTED,
            r#""user_id": "{author}", "suggestion_id": "{suggestion}", "vote_type": "downvote""#,
            Is(Author),
        )
        .holding("vote_type = 'downvote'")
        .change("`vote_type`", ROW, r#""vote_type": "downvote""#, Is(Author))
        .holding("vote_type = 'downvote'")
        .change(
            "`suggestion_id`",
            ROW,
            r#""suggestion_id": "{other_suggestion}""#,
            Nobody,
        )
        .refused_to(Is(Author))
        .holding("suggestion_id = {other_suggestion}")
        .change("`user_id`", ROW, r#""user_id": "{stranger}""#, Nobody)
        .refused_to(Is(Author))
        .holding("user_id = {stranger}")
        .change("`created_at`", ROW, r#""created_at": "2001-01-01""#, Nobody)
        .refused_to(Is(Author))
        .holding("created_at < '2002-01-01'")
        .remove("", ROW, AUTHOR_OR_ADMIN)
        .done()
}

const OTHERS_VOTE: &str =
    r#""user_id": "{stranger}", "suggestion_id": "{suggestion}", "vote_type": "upvote""#;

fn settings() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "setting")];
    let settings = |relation, value, text, merged| {
        Rules::of(relation)
            .read("", ROW, Not(&Is(Anon)))
            .add("", r#""key": "new-{n}", "value": "v""#, Is(Admin))
            .merge(
                "",
                ROW,
                r#""id": "{setting}", "key": "key-{n}", "value": "7""#,
                Is(Admin),
            )
            .holding(merged)
            .change("", ROW, value, Is(Admin))
            .holding(text)
            .remove("", ROW, Is(Admin))
            .done()
    };
    [
        settings(
            "admin_configs",
            r#""value": 7"#,
            "value = '7'",
            r#"value = '"7"'"#,
        ),
        settings(
            "admin_config",
            r#""value": "7""#,
            "value = '7'",
            "value = '7'",
        ),
    ]
    .concat()
}

fn categories() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "category")];
    Rules::of("category_hierarchy")
        .states(State::OF_SWITCHES)
        .read("", ROW, Any(&[Shown, Is(Admin)]))
        .change("", ROW, r#""name": "Changed""#, Is(Admin))
        .holding("name = 'Changed'")
        .remove("", ROW, Is(Admin))
        .states(State::ANY)
        .add("", r#""name": "c""#, Is(Admin))
        .done()
}

fn filters() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "filter")];
    const FILTER: &str = r#""category_id": "{category}", "filter_key": "k", "filter_type": "text", "filter_label": "l""#;
    Rules::of("category_filters")
        .read("", ROW, Everyone)
        .add("", FILTER, Is(Admin))
        .change("", ROW, r#""filter_label": "Changed""#, Is(Admin))
        .holding("filter_label = 'Changed'")
        .remove("", ROW, Is(Admin))
        .done()
}
