//! Which endpoint a method and a path mean.

use passerelle_surface::RouteClass;

/// The endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Health,
    Settings,
    Keys,
    SignUp,
    Token,
    Otp,
    Recover,
    Resend,
    Reauthenticate,
    Verify,
    FollowLink,
    User,
    UpdateUser,
    SignOut,
    ListSessions,
    EndSession,
    Invite,
    ListUsers,
    CreateUser,
    FindUser,
    ChangeUser,
    DeleteUser,
    MakeLink,
    Enroll,
    Challenge,
    VerifyFactor,
    Unenroll,
    ListFactors,
    DeleteFactor,
    Authorize,
    Callback,
    CallbackByForm,
    SingleSignOn,
    LinkIdentity,
    UnlinkIdentity,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// This endpoint, with the parts of the path that vary.
    Route(Route, [&'a str; 2]),
    /// There is something, for other methods.
    OtherMethod,
    Nothing,
}

const NONE: [&str; 2] = [""; 2];

const ONE_USER: &[(&str, Route)] = &[
    ("GET", Route::FindUser),
    ("PUT", Route::ChangeUser),
    ("DELETE", Route::DeleteUser),
];

impl Route {
    /// Looks for an endpoint. `path` begins after the prefix of the surface.
    pub(crate) fn find<'a>(method: &str, path: &'a str) -> Found<'a> {
        let path = path.strip_suffix('/').unwrap_or(path);
        // No endpoint has more parts.
        let mut parts = [""; 6];
        let mut count = 0;
        for part in path.split('/').skip(1) {
            let Some(place) = parts.get_mut(count) else {
                return Found::Nothing;
            };
            *place = part;
            count += 1;
        }
        let (routes, ids): (&[(&str, Self)], [&'a str; 2]) = match parts[..count] {
            ["health"] => (&[("GET", Self::Health)], NONE),
            ["settings"] => (&[("GET", Self::Settings)], NONE),
            [".well-known", "jwks.json"] => (&[("GET", Self::Keys)], NONE),
            ["signup"] => (&[("POST", Self::SignUp)], NONE),
            ["token"] => (&[("POST", Self::Token)], NONE),
            ["otp" | "magiclink"] => (&[("POST", Self::Otp)], NONE),
            ["recover"] => (&[("POST", Self::Recover)], NONE),
            ["resend"] => (&[("POST", Self::Resend)], NONE),
            ["reauthenticate"] => (&[("GET", Self::Reauthenticate)], NONE),
            ["verify"] => (&[("POST", Self::Verify), ("GET", Self::FollowLink)], NONE),
            ["user"] => (&[("GET", Self::User), ("PUT", Self::UpdateUser)], NONE),
            ["user", "sessions"] => (&[("GET", Self::ListSessions)], NONE),
            ["user", "sessions", id] => (&[("DELETE", Self::EndSession)], [id, ""]),
            ["logout"] => (&[("POST", Self::SignOut)], NONE),
            ["authorize"] => (&[("GET", Self::Authorize)], NONE),
            ["sso"] => (&[("POST", Self::SingleSignOn)], NONE),
            ["callback"] => (
                &[("GET", Self::Callback), ("POST", Self::CallbackByForm)],
                NONE,
            ),
            ["user", "identities", "authorize"] => (&[("GET", Self::LinkIdentity)], NONE),
            ["user", "identities", id] => (&[("DELETE", Self::UnlinkIdentity)], [id, ""]),
            ["factors"] => (&[("POST", Self::Enroll)], NONE),
            ["factors", id] => (&[("DELETE", Self::Unenroll)], [id, ""]),
            ["factors", id, "challenge"] => (&[("POST", Self::Challenge)], [id, ""]),
            ["factors", id, "verify"] => (&[("POST", Self::VerifyFactor)], [id, ""]),
            ["invite"] => (&[("POST", Self::Invite)], NONE),
            ["admin", "generate_link"] => (&[("POST", Self::MakeLink)], NONE),
            ["admin", "users"] => (
                &[("GET", Self::ListUsers), ("POST", Self::CreateUser)],
                NONE,
            ),
            ["admin", "users", id] => (ONE_USER, [id, ""]),
            ["admin", "users", id, "factors"] => (&[("GET", Self::ListFactors)], [id, ""]),
            ["admin", "users", id, "factors", factor] => {
                (&[("DELETE", Self::DeleteFactor)], [id, factor])
            }
            _ => return Found::Nothing,
        };
        match routes.iter().find(|(name, _)| *name == method) {
            Some((_, route)) => Found::Route(*route, ids),
            None => Found::OtherMethod,
        }
    }

    /// Whether it is for administrators alone.
    pub(crate) fn is_for_administrators(self) -> bool {
        matches!(
            self,
            Self::Invite
                | Self::ListUsers
                | Self::CreateUser
                | Self::FindUser
                | Self::ChangeUser
                | Self::DeleteUser
                | Self::MakeLink
                | Self::ListFactors
                | Self::DeleteFactor
        )
    }

    /// Whose limit it counts for.
    pub(crate) fn class(self) -> RouteClass {
        match self {
            Self::SignUp
            | Self::Otp
            | Self::Recover
            | Self::Resend
            | Self::Verify
            | Self::FollowLink
            | Self::Authorize
            | Self::SingleSignOn
            | Self::Callback
            | Self::CallbackByForm => RouteClass::SignIn,
            // By its grant.
            Self::Token
            | Self::UpdateUser
            | Self::SignOut
            | Self::EndSession
            | Self::Reauthenticate
            | Self::Invite
            | Self::CreateUser
            | Self::ChangeUser
            | Self::DeleteUser
            | Self::MakeLink
            | Self::Enroll
            | Self::Challenge
            | Self::VerifyFactor
            | Self::Unenroll
            | Self::DeleteFactor
            | Self::LinkIdentity
            | Self::UnlinkIdentity => RouteClass::Write,
            Self::Health
            | Self::Settings
            | Self::Keys
            | Self::User
            | Self::ListSessions
            | Self::ListUsers
            | Self::FindUser
            | Self::ListFactors => RouteClass::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_endpoints() {
        let found = |method, path| Route::find(method, path);
        assert_eq!(found("POST", "/signup"), Found::Route(Route::SignUp, NONE));
        assert_eq!(found("GET", "/signup/"), Found::OtherMethod);
        assert_eq!(found("GET", "/user"), Found::Route(Route::User, NONE));
        assert_eq!(
            found("DELETE", "/user/sessions/7"),
            Found::Route(Route::EndSession, ["7", ""])
        );
        assert_eq!(found("DELETE", "/user/sessions/7/8"), Found::Nothing);
        assert_eq!(
            found("DELETE", "/admin/users/a/factors/b"),
            Found::Route(Route::DeleteFactor, ["a", "b"])
        );
        assert_eq!(found("GET", "/"), Found::Nothing);
        assert_eq!(found("GET", "/a/b/c/d/e/f/g/h"), Found::Nothing);
    }
}
