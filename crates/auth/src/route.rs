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
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// This endpoint, with the part of the path that varies.
    Route(Route, &'a str),
    /// There is something, for other methods.
    OtherMethod,
    Nothing,
}

const ONE_USER: &[(&str, Route)] = &[
    ("GET", Route::FindUser),
    ("PUT", Route::ChangeUser),
    ("DELETE", Route::DeleteUser),
];

impl Route {
    /// Looks for an endpoint. `path` begins after the prefix of the surface.
    pub(crate) fn find<'a>(method: &str, path: &'a str) -> Found<'a> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let (routes, rest): (&[(&str, Self)], &str) = match path {
            "/health" => (&[("GET", Self::Health)], ""),
            "/settings" => (&[("GET", Self::Settings)], ""),
            "/.well-known/jwks.json" => (&[("GET", Self::Keys)], ""),
            "/signup" => (&[("POST", Self::SignUp)], ""),
            "/token" => (&[("POST", Self::Token)], ""),
            "/otp" | "/magiclink" => (&[("POST", Self::Otp)], ""),
            "/recover" => (&[("POST", Self::Recover)], ""),
            "/resend" => (&[("POST", Self::Resend)], ""),
            "/reauthenticate" => (&[("GET", Self::Reauthenticate)], ""),
            "/verify" => (&[("POST", Self::Verify), ("GET", Self::FollowLink)], ""),
            "/user" => (&[("GET", Self::User), ("PUT", Self::UpdateUser)], ""),
            "/logout" => (&[("POST", Self::SignOut)], ""),
            "/user/sessions" => (&[("GET", Self::ListSessions)], ""),
            "/invite" => (&[("POST", Self::Invite)], ""),
            "/admin/users" => (&[("GET", Self::ListUsers), ("POST", Self::CreateUser)], ""),
            "/admin/generate_link" => (&[("POST", Self::MakeLink)], ""),
            _ => match path.rsplit_once('/') {
                Some(("/user/sessions", id)) => (&[("DELETE", Self::EndSession)], id),
                Some(("/admin/users", id)) => (ONE_USER, id),
                _ => return Found::Nothing,
            },
        };
        match routes.iter().find(|(name, _)| *name == method) {
            Some((_, route)) => Found::Route(*route, rest),
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
            | Self::FollowLink => RouteClass::SignIn,
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
            | Self::MakeLink => RouteClass::Write,
            Self::Health
            | Self::Settings
            | Self::Keys
            | Self::User
            | Self::ListSessions
            | Self::ListUsers
            | Self::FindUser => RouteClass::Read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_lead_to_endpoints() {
        let found = |method, path| Route::find(method, path);
        assert_eq!(found("POST", "/signup"), Found::Route(Route::SignUp, ""));
        assert_eq!(found("GET", "/signup/"), Found::OtherMethod);
        assert_eq!(found("GET", "/user"), Found::Route(Route::User, ""));
        assert_eq!(
            found("DELETE", "/user/sessions/7"),
            Found::Route(Route::EndSession, "7")
        );
        assert_eq!(found("DELETE", "/user/sessions/7/8"), Found::Nothing);
        assert_eq!(found("GET", "/"), Found::Nothing);
    }
}
