use crate::Actor::{Admin, Member, Owner};
use crate::Right::{All, Any, CanRead, InGroup, Is, LeadsGroup, Nobody, Shown, SignedIn};
use crate::rule::Rules;
use crate::{Right, Rule, State};

const OWN_OR_ADMIN: Right = Any(&[Is(Owner), Is(Admin)]);
const LEADS_OR_ADMIN: Right = Any(&[LeadsGroup, Is(Admin)]);

pub(super) fn rules() -> Vec<Rule> {
    [groups(), members(), collections(), entries(), templates()].concat()
}

fn groups() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "group")];
    Rules::of("groups")
        .read("", ROW, Any(&[InGroup, Is(Admin)]))
        .add("one's own, whose first administrator one is", r#""owner_id": "{me}", "name": "g""#, SignedIn)
        .holding("exists (select from group_members m where (m.group_id, m.user_id, m.role) = (t.id, {me}, 'admin'))")
        .add("somebody else's", r#""owner_id": "{stranger}", "name": "g""#, Nobody)
        .change("`name`, `description`", ROW, r#""name": "Changed""#, LEADS_OR_ADMIN)
        .holding("name = 'Changed'")
        .change("`owner_id`", ROW, r#""owner_id": "{stranger}""#, Nobody)
        .refused()
        .holding("owner_id = {stranger}")
        .remove("", ROW, OWN_OR_ADMIN)
        .done()
}

fn members() -> Vec<Rule> {
    const MEMBER: &[(&str, &str)] = &[("group_id", "group"), ("user_id", "member")];
    const OWNER: &[(&str, &str)] = &[("group_id", "group"), ("user_id", "owner")];
    Rules::of("group_members")
        .read("", MEMBER, Any(&[InGroup, Is(Admin)]))
        .add(
            "somebody else",
            r#""group_id": "{group}", "user_id": "{stranger}""#,
            LEADS_OR_ADMIN,
        )
        .add(
            "oneself",
            r#""group_id": "{group}", "user_id": "{me}", "role": "admin""#,
            Nobody,
        )
        .merge(
            "oneself",
            &[("group_id", "group"), ("user_id", "me")],
            r#""group_id": "{group}", "user_id": "{me}", "role": "admin""#,
            Nobody,
        )
        .holding("false")
        .change("`role`", MEMBER, r#""role": "admin""#, LEADS_OR_ADMIN)
        .holding("role = 'admin'")
        .change("the owner's `role`", OWNER, r#""role": "member""#, Nobody)
        .holding("role = 'member'")
        .change("`user_id`", MEMBER, r#""user_id": "{stranger}""#, Nobody)
        .refused()
        .holding("user_id = {stranger}")
        .change(
            "`group_id`",
            MEMBER,
            r#""group_id": "{foreign_group}""#,
            Nobody,
        )
        .refused()
        .holding("false")
        .remove("the member", MEMBER, Any(&[LEADS_OR_ADMIN, Is(Member)]))
        .remove("the owner", OWNER, Nobody)
        .done()
}

fn collections() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "collection")];
    Rules::of("collections")
        .states(State::OF_SWITCHES)
        .read("", ROW, Any(&[Shown, OWN_OR_ADMIN]))
        .merge(
            "in one's own name",
            ROW,
            r#""id": "{collection}", "user_id": "{me}", "name": "Changed""#,
            Is(Owner),
        )
        .holding("name = 'Changed'")
        .change("", ROW, r#""name": "Changed""#, OWN_OR_ADMIN)
        .holding("name = 'Changed'")
        .remove("", ROW, OWN_OR_ADMIN)
        .states(State::ANY)
        .add(
            "one's own",
            r#""user_id": "{me}", "name": "c", "resources_count": 9"#,
            SignedIn,
        )
        .holding("resources_count = 0")
        .add(
            "somebody else's",
            r#""user_id": "{stranger}", "name": "c""#,
            Nobody,
        )
        .change(
            "`resources_count` beside others",
            ROW,
            r#""name": "Changed", "resources_count": 9"#,
            OWN_OR_ADMIN,
        )
        .holding("name = 'Changed' and resources_count = 2")
        .change("`user_id`", ROW, r#""user_id": "{stranger}""#, Nobody)
        .refused_to(OWN_OR_ADMIN)
        .holding("user_id = {stranger}")
        .done()
}

fn entries() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "entry")];
    const LOST: &[(&str, &str)] = &[("id", "lost_entry")];
    Rules::of("collection_resources")
        .states(State::OF_ENTRIES)
        .read("", ROW, All(&[CanRead, Any(&[Shown, OWN_OR_ADMIN])]))
        .add(
            "",
            r#""collection_id": "{collection}", "resource_id": "{resource}""#,
            Is(Owner),
        )
        .change("`order_index`", ROW, r#""order_index": 5"#, Is(Owner))
        .holding(r#"order_index = 5 and "order" = 5"#)
        .remove("", ROW, Is(Owner))
        .states(State::ANY)
        .read("of a resource that the owner cannot read", LOST, Is(Admin))
        .add(
            "of such a resource",
            r#""collection_id": "{collection}", "resource_id": "{hidden}""#,
            Nobody,
        )
        .change("`order`, without a filter", ROW, r#""order": 5"#, Is(Owner))
        .holding(r#"order_index = 5 and "order" = 5"#)
        .unfiltered()
        .change(
            "`resource_id` to such a resource",
            ROW,
            r#""resource_id": "{hidden}""#,
            Nobody,
        )
        .refused_to(Is(Owner))
        .holding("resource_id = {hidden}")
        .change(
            "`collection_id` to somebody else's",
            ROW,
            r#""collection_id": "{foreign_collection}""#,
            Nobody,
        )
        .refused_to(Is(Owner))
        .holding("collection_id = {foreign_collection}")
        .done()
}

fn templates() -> Vec<Rule> {
    const ROW: &[(&str, &str)] = &[("id", "template")];
    Rules::of("resource_templates")
        .states(State::OF_SWITCHES)
        .read("", ROW, Any(&[Shown, OWN_OR_ADMIN]))
        .change("", ROW, r#""name": "Changed""#, Is(Owner))
        .holding("name = 'Changed'")
        .remove("", ROW, OWN_OR_ADMIN)
        .states(State::ANY)
        .add("one's own", TEMPLATE, SignedIn)
        .holding("usage_count = 0")
        .add("somebody else's", OTHERS_TEMPLATE, Nobody)
        .change(
            "`usage_count` beside others",
            ROW,
            r#""name": "Changed", "usage_count": 9"#,
            Is(Owner),
        )
        .holding("name = 'Changed' and usage_count = 0")
        .change("`created_by`", ROW, r#""created_by": "{stranger}""#, Nobody)
        .refused_to(Is(Owner))
        .holding("created_by = {stranger}")
        .done()
}

const TEMPLATE: &str = r#""created_by": "{me}", "name": "t", "description": "d", "category": "c", "tags": [],
    "template_data": {}, "usage_count": 9"#;
const OTHERS_TEMPLATE: &str = r#""created_by": "{stranger}", "name": "t", "description": "d", "category": "c", "tags": [], "template_data": {}"#;
