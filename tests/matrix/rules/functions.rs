use crate::Actor::{Admin, Anon, Owner, Unnamed};
use crate::Right::{All, Any, CanRead, Is, Shown, SignedIn};
use crate::rule::Rules;
use crate::{Rule, State};

pub(super) fn rules() -> Vec<Rule> {
    [
        Rules::of("increment_resource_views")
            .states(State::OF_RESOURCES)
            .call("", r#""resource_id": "{resource}""#, CanRead)
            .holding("exists (select from resources r where r.id = {resource} and r.views_count = 1 and r.updated_at < '2002-01-01')")
            .done(),
        Rules::of("increment_resource_downloads")
            .states(State::OF_RESOURCES)
            .call("", r#""resource_id": "{resource}""#, CanRead)
            .holding("exists (select from resources r where r.id = {resource} and r.downloads_count = 1 and r.updated_at < '2002-01-01')")
            .done(),
        Rules::of("increment_template_usage")
            .states(State::OF_SWITCHES)
            .call("", r#""template_id": "{template}""#, Any(&[Shown, Is(Owner), Is(Admin)]))
            .holding("exists (select from resource_templates r where r.id = {template} and r.usage_count = 1)")
            .done(),
        Rules::of("copy_resource")
            .states(State::OF_RESOURCES)
            .call(
                "as private, unless it is public",
                r#""resource_id": "{resource}", "title": "Copy {n}""#,
                All(&[SignedIn, CanRead]),
            )
            .refused_to(Any(&[Is(Anon), All(&[Is(Unnamed), CanRead])]))
            .holding(
                "exists (select from resources r where r.title = 'Copy {n}' and r.user_id = {me}
                   and r.visibility::text = case c.state when 'public' then 'public' else 'private' end)",
            )
            .done(),
        Rules::of("has_role")
            .call("the owner's", r#""_user_id": "{owner}", "_role": "user""#, Any(&[Is(Owner), Is(Admin)]))
            .done(),
        Rules::of("preferred_layout")
            .call("one's own", "", SignedIn)
            .done(),
        Rules::of("profile_addresses")
            .call("", r#""user_ids": ["{owner}"]"#, Is(Admin))
            .refused()
            .done(),
    ]
    .concat()
}
