//! Accounts and sessions, with the real client and with two gateways.

use std::net::TcpListener;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use passerelle_testkit::{PrivateRedis, TestDb};
use serde_json::{Value, json};
use tokio::time::{Duration, Instant, sleep};

use crate::callers::token;
use crate::gateway::{Gateway, SECRET, command};
use crate::smtp::MailServer;
use crate::supabase_js::run;

const PUBLIC: &str = "https://hub-lib.example";

const SETTINGS: [(&str, &str); 6] = [
    ("PASSERELLE_AUTH_EMAIL_AUTOCONFIRM", "true"),
    ("PASSERELLE_SERVER_PUBLIC_URL", PUBLIC),
    ("PASSERELLE_RATE_LIMITS_ENABLED", "false"),
    ("PASSERELLE_AUTH_ANONYMOUS_USERS", "true"),
    ("PASSERELLE_AUTH_PASSWORD_MIN_LENGTH", "8"),
    (
        "PASSERELLE_AUTH_PASSWORD_REQUIRED",
        "lower,upper,digit,symbol",
    ),
];

#[actix_web::test]
async fn supabase_js_signs_up_and_in() {
    let db = TestDb::hub_lib().await;
    let gateway = Gateway::serve(&db, &SETTINGS).await;
    let other = Gateway::serve(&db, &SETTINGS).await;
    let variables = [
        ("PASSERELLE_OTHER_URL", other.url.as_str()),
        ("PASSERELLE_PUBLIC_URL", PUBLIC),
    ];
    run(&db, &gateway, &["auth/accounts.mjs"], &variables).await;
}

#[actix_web::test]
async fn supabase_js_follows_mails() {
    let db = TestDb::hub_lib().await;
    // The first mail is sent again.
    let server = MailServer::start(1).await;
    let smtp = server.url();
    let settings = [
        ("PASSERELLE_SERVER_PUBLIC_URL", PUBLIC),
        ("PASSERELLE_AUTH_SITE_URL", "https://hub.example"),
        (
            "PASSERELLE_AUTH_REDIRECT_URLS",
            "https://preview-*.hub.example/**",
        ),
        ("PASSERELLE_MAIL_SMTP_URL", &smtp),
        ("PASSERELLE_MAIL_FROM", "Hub-Lib <no-reply@hub.example>"),
        ("PASSERELLE_RATE_LIMITS_SIGN_IN_BURST", "1000"),
        ("PASSERELLE_RATE_LIMITS_ATTEMPT_BURST", "1000"),
    ];
    let gateway = Gateway::serve(&db, &settings).await;
    let folder = server.folder();
    let variables = [
        ("PASSERELLE_PUBLIC_URL", PUBLIC),
        ("PASSERELLE_SITE_URL", "https://hub.example"),
        ("PASSERELLE_MAILS", &folder),
    ];
    run(
        &db,
        &gateway,
        &["auth/mail.mjs", "auth/admin.mjs", "auth/factors.mjs"],
        &variables,
    )
    .await;
}

/// Where a browser is, if there is one.
pub(crate) fn chromium() -> Option<String> {
    let names = [
        "chromium",
        "chromium-browser",
        "google-chrome",
        "google-chrome-stable",
    ];
    let paths = std::env::split_paths(option_env!("PATH").unwrap_or("/usr/bin"));
    let mut files = paths.flat_map(|folder| names.map(|name| folder.join(name)));
    let found = files.find(|file| file.is_file());
    found.map(|file| file.display().to_string())
}

#[actix_web::test]
async fn a_person_in_a_browser() {
    let Some(chromium) = chromium() else {
        println!("SKIPPED: there is no Chromium");
        return;
    };
    let db = TestDb::hub_lib().await;
    let server = MailServer::start(0).await;
    let (smtp, folder) = (server.url(), server.folder());
    let page = TcpListener::bind("127.0.0.1:0").expect("a port");
    let site = format!("http://{}", page.local_addr().expect("an address"));
    let settings = [
        ("PASSERELLE_AUTH_SITE_URL", site.as_str()),
        ("PASSERELLE_MAIL_SMTP_URL", &smtp),
        ("PASSERELLE_MAIL_FROM", "no-reply@hub.example"),
    ];
    let gateway = Gateway::serve(&db, &settings).await;
    drop(page);
    let variables = [
        ("PASSERELLE_SITE_URL", site.as_str()),
        ("PASSERELLE_PUBLIC_URL", &gateway.url),
        ("PASSERELLE_MAILS", &folder),
        ("PASSERELLE_CHROMIUM", &chromium),
    ];
    run(&db, &gateway, &["auth/browser.mjs"], &variables).await;
}

/// Signs somebody up; the access token.
async fn newcomer(gateway: &Gateway, email: &str) -> String {
    let sent = awc::Client::default()
        .post(format!("{}/auth/v1/signup", gateway.url))
        .send_json(&json!({ "email": email, "password": "StrongPass123!" }))
        .await;
    let mut response = sent.expect("an answer");
    assert_eq!(response.status().as_u16(), 200);
    let session: Value = response.json().await.expect("a session");
    session["access_token"]
        .as_str()
        .expect("a token")
        .to_owned()
}

/// Asks with an access token; status and code of the error.
async fn ask(gateway: &Gateway, method: &str, path: &str, token: &str) -> (u16, String) {
    let method = method.parse::<awc::http::Method>().expect("a method");
    let sent = awc::Client::default()
        .request(method, format!("{}{path}", gateway.url))
        .bearer_auth(token)
        .send()
        .await;
    let mut response = sent.expect("an answer");
    let body = response.body().await.expect("a body");
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let code = body["code"].as_str().unwrap_or_default().to_owned();
    (response.status().as_u16(), code)
}

const PROFILES: &str = "/rest/v1/profiles?select=id&limit=1";

#[actix_web::test]
async fn a_sign_out_is_effective_at_once() {
    let db = TestDb::hub_lib().await;
    let one = Gateway::serve(&db, &SETTINGS).await;
    let other = Gateway::serve(&db, &SETTINGS).await;
    for round in 0..10 {
        let token = newcomer(&one, &format!("ada{round}@example.com")).await;
        assert_eq!(ask(&other, "GET", PROFILES, &token).await.0, 200);
        assert_eq!(ask(&one, "POST", "/auth/v1/logout", &token).await.0, 204);
        let refused = ask(&other, "GET", PROFILES, &token).await;
        assert_eq!(refused, (401, "PSR401".to_owned()));
    }
}

#[actix_web::test]
async fn a_database_that_is_away_lets_nobody_pass_for_signed_in() {
    let db = TestDb::hub_lib().await;
    let gateway = Gateway::serve(&db, &SETTINGS).await;
    let token = newcomer(&gateway, "ada@example.com").await;
    assert_eq!(ask(&gateway, "GET", PROFILES, &token).await.0, 200);
    // The gateway can neither follow the end of sessions nor look one up, while all else goes on.
    db.run(
        "revoke execute on function passerelle.ended_since(xid8), passerelle.has_ended(uuid) from authenticator",
    )
    .await;
    let until = Instant::now() + Duration::from_secs(30);
    let mut refused = ask(&gateway, "GET", PROFILES, &token).await;
    while refused.0 == 200 && Instant::now() < until {
        sleep(Duration::from_millis(20)).await;
        refused = ask(&gateway, "GET", PROFILES, &token).await;
    }
    assert_eq!(refused, (503, "PSR503".to_owned()));
    db.run(
        "grant execute on function passerelle.ended_since(xid8), passerelle.has_ended(uuid) to authenticator",
    )
    .await;
    while ask(&gateway, "GET", PROFILES, &token).await.0 != 200 {
        assert!(Instant::now() < until, "the gateway does not recover");
        sleep(Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn a_gateway_that_stands_still_takes_nobody_who_has_signed_out() {
    let db = TestDb::hub_lib().await;
    let one = Gateway::serve(&db, &SETTINGS).await;
    let other = Gateway::serve(&db, &SETTINGS).await;
    for round in 0..3 {
        let token = newcomer(&one, &format!("grace{round}@example.com")).await;
        assert_eq!(ask(&other, "GET", PROFILES, &token).await.0, 200);
        other.signal("STOP");
        assert_eq!(ask(&one, "POST", "/auth/v1/logout", &token).await.0, 204);
        other.signal("CONT");
        let refused = ask(&other, "GET", PROFILES, &token).await;
        assert_eq!(refused, (401, "PSR401".to_owned()));
    }
}

#[actix_web::test]
async fn attempts_are_limited() {
    let db = TestDb::hub_lib().await;
    let limits = [
        ("PASSERELLE_RATE_LIMITS_SIGN_IN_BURST", "12"),
        ("PASSERELLE_AUTH_EMAIL_AUTOCONFIRM", "true"),
        ("PASSERELLE_RATE_LIMITS_ATTEMPT_BURST", "5"),
        // Nothing refills while this runs, however slowly.
        ("PASSERELLE_RATE_LIMITS_SIGN_IN_PERIOD_SECONDS", "86400"),
        ("PASSERELLE_RATE_LIMITS_ATTEMPT_PERIOD_SECONDS", "86400"),
    ];
    let gateway = Gateway::serve(&db, &limits).await;
    let attempt = async |email: &str| {
        let sent = awc::Client::default()
            .post(format!("{}/auth/v1/token?grant_type=password", gateway.url))
            .send_json(&json!({ "email": email, "password": "guess" }))
            .await;
        let mut response = sent.expect("an answer");
        let retry = response.headers().contains_key("retry-after");
        let body: Value = response.json().await.expect("JSON");
        let code = body["error_code"].as_str().unwrap_or_default().to_owned();
        (response.status().as_u16(), code, retry)
    };
    let wrong = (400, "invalid_credentials".to_owned(), false);
    let limited = (429, "over_request_rate_limit".to_owned(), true);
    for _ in 0..5 {
        assert_eq!(attempt("ada@example.com").await, wrong);
    }
    assert_eq!(attempt("ada@example.com").await, limited);
    // Others may still try, until the address has tried too often.
    for round in 0..6 {
        assert_eq!(attempt(&format!("other{round}@example.com")).await, wrong);
    }
    assert_eq!(attempt("another@example.com").await, limited);
}

#[actix_web::test]
async fn keys_change_and_nobody_is_signed_out() {
    let db = TestDb::hub_lib().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("keys.json").display().to_string();
    command(&db.url(), &["keys", "rotate", "--file", &file]).await;
    let mut settings = SETTINGS.to_vec();
    settings.push(("PASSERELLE_AUTH_SIGNING_KEYS_FILE", &file));
    let gateway = Gateway::serve(&db, &settings).await;
    let first = newcomer(&gateway, "ada@example.com").await;
    let shared = token(SECRET, json!({ "role": "authenticated", "sub": USER }));
    let (keys, head) = (published(&gateway).await, header(&first));
    assert_eq!((keys.len(), &head["alg"]), (2, &json!("ES256")));
    assert!(keys.contains(&head["kid"]), "{keys:?} {head}");
    for token in [&first, &shared] {
        assert_eq!(ask(&gateway, "GET", PROFILES, token).await.0, 200);
    }
    let mut tokens = vec![first];
    for round in 0..3 {
        let before = published(&gateway).await;
        command(&db.url(), &["keys", "rotate", "--file", &file]).await;
        gateway.signal("USR2");
        let until = Instant::now() + Duration::from_secs(30);
        while published(&gateway).await == before {
            assert!(Instant::now() < until, "the keys are not read again");
            sleep(Duration::from_millis(20)).await;
        }
        let next = newcomer(&gateway, &format!("ada{round}@example.com")).await;
        // The key that signs now was published before.
        let signed = &header(&next)["kid"];
        assert!(before.contains(signed), "{before:?} {signed}");
        assert!(tokens.iter().all(|token| header(token)["kid"] != *signed));
        tokens.push(next);
        for token in tokens.iter().chain([&shared]) {
            assert_eq!(ask(&gateway, "GET", PROFILES, token).await.0, 200);
        }
    }
    // A key that is not ours, and one that is, for another algorithm (RFC 8725, section 2.1).
    let claims = json!({ "role": "service_role" });
    let mut forged = token(SECRET, claims)
        .split('.')
        .map(str::to_owned)
        .collect::<Vec<_>>();
    forged[0] = tokens[0].split('.').next().expect("a head").to_owned();
    assert_eq!(
        ask(&gateway, "GET", PROFILES, &forged.join(".")).await.0,
        401
    );
}

const USER: &str = "0a5ff2a4-5b35-4c3c-9c19-0d1a1c6c2f11";

/// The names of the keys that everybody may see.
async fn published(gateway: &Gateway) -> Vec<Value> {
    let url = format!("{}/auth/v1/.well-known/jwks.json", gateway.url);
    let mut response = awc::Client::default()
        .get(url)
        .send()
        .await
        .expect("an answer");
    let set: Value = response.json().await.expect("JSON");
    let keys = set["keys"].as_array().expect("keys");
    assert!(
        keys.iter()
            .all(|key| key["d"].is_null() && key["status"].is_null())
    );
    keys.iter().map(|key| key["kid"].clone()).collect()
}

/// The head of a token.
fn header(token: &str) -> Value {
    let head = token.split('.').next().expect("a head");
    let decoded = URL_SAFE_NO_PAD.decode(head).expect("base64url");
    serde_json::from_slice(&decoded).expect("JSON")
}

#[actix_web::test]
async fn supabase_js_signs_in_elsewhere() {
    let db = TestDb::hub_lib().await;
    let place = TcpListener::bind("127.0.0.1:0").expect("a port");
    let issuer = format!("http://{}", place.local_addr().expect("an address"));
    let config = tempfile::NamedTempFile::new().expect("a file");
    let text = format!(
        r#"
[auth]
site_url = "https://hub.example"
manual_linking = true

[[auth.providers]]
name = "example"
issuer = "{issuer}"
client_id = "hub-lib"
other_client_ids = ["hub-lib-ios"]
client_secret = "very secret"

[[auth.providers]]
name = "apple"
issuer = "{issuer}"
client_id = "hub-lib"
client_secret = "very secret"

[[auth.providers]]
name = "github"
site_url = "{issuer}"
api_url = "{issuer}"
client_id = "hub-lib"
client_secret = "very secret"
"#
    );
    std::fs::write(config.path(), text).expect("it can be written");
    let settings = [("PASSERELLE_RATE_LIMITS_ENABLED", "false")];
    let gateway = Gateway::configured(&db, config.path(), &settings).await;
    drop(place);
    let variables = [
        ("PASSERELLE_SITE_URL", "https://hub.example"),
        ("PASSERELLE_ISSUER", &issuer),
    ];
    run(&db, &gateway, &["auth/oauth.mjs"], &variables).await;
}

#[actix_web::test]
async fn every_method_of_supabase_auth_is_called() {
    let db = TestDb::hub_lib().await;
    let mut settings = SETTINGS.to_vec();
    settings.push(("PASSERELLE_AUTH_ACCESS_TOKEN_SECONDS", "30"));
    let gateway = Gateway::serve(&db, &settings).await;
    run(&db, &gateway, &["auth/methods.mjs"], &[]).await;
}

/// The codes of errors of `/auth/v1`, as its source has them.
fn codes() -> String {
    let table = include_str!("../../crates/auth/src/error.rs");
    let factors = include_str!("../../crates/auth/src/endpoint/factors.rs");
    let mut codes = std::collections::BTreeSet::new();
    for (source, mark) in [(table, "told("), (factors, "FactorDisabled(")] {
        for call in source.split(mark).skip(1) {
            // The first literal of a call is its code.
            let call = call.split(')').next().unwrap_or_default();
            let code = call.split('"').nth(1).unwrap_or_default();
            let is_code = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if !code.is_empty() && code.chars().all(is_code) {
                codes.insert(code);
            }
        }
    }
    assert!(codes.len() > 60, "{codes:?}");
    codes.into_iter().collect::<Vec<_>>().join(",")
}

#[actix_web::test]
async fn every_code_is_provoked_with_both_versions_of_the_api() {
    let db = TestDb::hub_lib().await;
    let place = TcpListener::bind("127.0.0.1:0").expect("a port");
    let hooks = format!("http://{}", place.local_addr().expect("an address"));
    let config = tempfile::NamedTempFile::new().expect("a file");
    let text = format!(
        r#"
[auth]
manual_linking = true
secure_password_change = true
current_password_required = true
send_sms = "{hooks}/message"
send_email = "{hooks}/message"
before_user_created = "{hooks}/newcomer"
hook_secrets = ["whsec_bmV3IHNlY3JldCBuZXcgc2VjcmV0IG5ldyE="]

[rate_limits]
sign_in_burst = 1000
attempt_burst = 5
attempt_period_seconds = 86400
mail_burst = 5
mail_period_seconds = 86400

[[auth.providers]]
name = "example"
issuer = "{hooks}"
client_id = "hub-lib"
client_secret = "very secret"
"#
    );
    std::fs::write(config.path(), text).expect("it can be written");
    let gateway = Gateway::configured(&db, config.path(), &[]).await;
    let unlimited = ("PASSERELLE_RATE_LIMITS_ENABLED", "false");
    let closed = Gateway::serve(&db, &[unlimited, ("PASSERELLE_AUTH_SIGN_UP", "false")]).await;
    let confirming = [unlimited, ("PASSERELLE_AUTH_EMAIL_AUTOCONFIRM", "true")];
    let confirming = Gateway::serve(&db, &confirming).await;
    drop(place);
    let codes = codes();
    let variables = [
        ("PASSERELLE_OTHER_URL", closed.url.as_str()),
        ("PASSERELLE_CONFIRMING_URL", confirming.url.as_str()),
        ("PASSERELLE_HOOKS", hooks.as_str()),
        ("PASSERELLE_CODES", codes.as_str()),
    ];
    run(&db, &gateway, &["auth/codes.mjs"], &variables).await;
}

/// Hooks that are servers are those of the test.
fn hooks_at(url: &str) -> Vec<(&'static str, String)> {
    [
        ("PASSERELLE_AUTH_SEND_SMS", "sms"),
        ("PASSERELLE_AUTH_SEND_EMAIL", "mail"),
        ("PASSERELLE_AUTH_BEFORE_USER_CREATED", "newcomer"),
    ]
    .map(|(name, path)| (name, format!("{url}/{path}")))
    .into()
}

const PASSWORDS: &str = "
create function public.passwords(event jsonb) returns jsonb language plpgsql as $$
declare
  failures int;
begin
  insert into public.attempts values ((event ->> 'user_id')::uuid, (event ->> 'valid')::boolean);
  select count(*) into failures from public.attempts a where a.account = (event ->> 'user_id')::uuid and not a.is_right;
  if failures > 2 then
    return jsonb_build_object('decision', 'reject', 'message', 'Ask us to unlock it', 'should_logout_user', true);
  end if;
  return jsonb_build_object('decision', 'continue');
end $$;
create table public.attempts (account uuid, is_right boolean);
grant select, insert on public.attempts to supabase_auth_admin;
revoke execute on function public.passwords(jsonb) from public, anon, authenticated;
grant execute on function public.passwords(jsonb) to supabase_auth_admin;
";

#[actix_web::test]
async fn telephones_and_hooks() {
    let db = TestDb::hub_lib().await;
    db.run(PASSWORDS).await;
    let place = TcpListener::bind("127.0.0.1:0").expect("a port");
    let hooks = format!("http://{}", place.local_addr().expect("an address"));
    let at = hooks_at(&hooks);
    let mut settings: Vec<(&str, &str)> =
        at.iter().map(|(name, url)| (*name, url.as_str())).collect();
    settings.extend([
        ("PASSERELLE_AUTH_PASSWORD_VERIFICATION", "public.passwords"),
        (
            "PASSERELLE_AUTH_HOOK_SECRETS",
            "whsec_bmV3IHNlY3JldCBuZXcgc2VjcmV0IG5ldyE=,whsec_b2xkIHNlY3JldCBvbGQgc2VjcmV0IG9sZCE=",
        ),
        ("PASSERELLE_AUTH_ANONYMOUS_USERS", "true"),
        ("PASSERELLE_AUTH_SECURE_PASSWORD_CHANGE", "true"),
        ("PASSERELLE_AUTH_CURRENT_PASSWORD_REQUIRED", "true"),
        ("PASSERELLE_RATE_LIMITS_SIGN_IN_BURST", "1000"),
        ("PASSERELLE_RATE_LIMITS_MAIL_BURST", "6"),
        ("PASSERELLE_RATE_LIMITS_MAIL_PERIOD_SECONDS", "86400"),
    ]);
    let gateway = Gateway::serve(&db, &settings).await;
    drop(place);
    let variables = [("PASSERELLE_HOOKS", hooks.as_str())];
    run(&db, &gateway, &["auth/phones.mjs"], &variables).await;
}

const HOOK: &str = "
create function public.claims(event jsonb) returns jsonb language plpgsql as $$
begin
  case event -> 'claims' ->> 'email'
    when 'refused@example.com' then
      return jsonb_build_object('error', jsonb_build_object('http_code', 403, 'message', 'not you'));
    when 'wrong@example.com' then
      return '{}';
    when 'slow@example.com' then
      perform pg_sleep(20);
    else null;
  end case;
  return jsonb_build_object('claims', event -> 'claims' || jsonb_build_object('plan', 'pro', 'by', event ->> 'authentication_method', 'sub', 'x'));
end $$;
revoke execute on function public.claims(jsonb) from public, anon, authenticated;
grant execute on function public.claims(jsonb) to supabase_auth_admin;
";

#[actix_web::test]
async fn a_function_has_a_word_in_what_tokens_say() {
    let db = TestDb::hub_lib().await;
    db.run(HOOK).await;
    let mut settings = SETTINGS.to_vec();
    settings.push(("PASSERELLE_AUTH_CUSTOM_ACCESS_TOKEN", "public.claims"));
    let gateway = Gateway::serve(&db, &settings).await;
    let token = newcomer(&gateway, "ada@example.com").await;
    let said = claims(&token);
    assert_eq!(
        (&said["plan"], &said["by"]),
        (&json!("pro"), &json!("password"))
    );
    assert_ne!(said["sub"], "x", "who somebody is stays");
    assert_eq!(ask(&gateway, "GET", PROFILES, &token).await.0, 200);
    for (email, status, code) in [
        ("refused@example.com", 403, "unexpected_failure"),
        ("wrong@example.com", 500, "unexpected_failure"),
        ("slow@example.com", 422, "hook_timeout"),
    ] {
        let sent = awc::Client::builder()
            .timeout(Duration::from_secs(30))
            .finish()
            .post(format!("{}/auth/v1/signup", gateway.url))
            .send_json(&json!({ "email": email, "password": "StrongPass123!" }))
            .await;
        let mut response = sent.expect("an answer");
        let body: Value = response.json().await.expect("JSON");
        let answered = (response.status().as_u16(), &body["error_code"]);
        assert_eq!(answered, (status, &json!(code)), "{email} {body}");
        assert!(body.get("access_token").is_none());
    }
}

/// The claims of a token.
fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("claims");
    let decoded = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    serde_json::from_slice(&decoded).expect("JSON")
}

#[actix_web::test]
async fn a_redis_that_dies_and_comes_back_empty_signs_nobody_out() {
    let db = TestDb::hub_lib().await;
    let mut redis = PrivateRedis::start(&[]).await;
    let url = redis.url();
    let mut settings = SETTINGS.to_vec();
    settings.push(("REDIS_URL", &url));
    let gateway = Gateway::serve(&db, &settings).await;
    let other = Gateway::serve(&db, &settings).await;
    let first = newcomer(&gateway, "ada@example.com").await;
    redis.kill().await;
    // Nobody is signed out, people sign up and in, and a sign-out is effective all the same.
    let second = newcomer(&other, "grace@example.com").await;
    for token in [&first, &second] {
        assert_eq!(ask(&gateway, "GET", PROFILES, token).await.0, 200);
    }
    assert_eq!(
        ask(&gateway, "POST", "/auth/v1/logout", &second).await.0,
        204
    );
    assert_eq!(ask(&other, "GET", PROFILES, &second).await.0, 401);
    redis.restart().await;
    redis.ask(&["FLUSHALL"]);
    for gateway in [&gateway, &other] {
        assert_eq!(ask(gateway, "GET", PROFILES, &first).await.0, 200);
        assert_eq!(ask(gateway, "GET", "/auth/v1/user", &first).await.0, 200);
        assert_eq!(ask(gateway, "GET", PROFILES, &second).await.0, 401);
    }
}

#[actix_web::test]
async fn people_of_a_supabase_dump_sign_in() {
    let db = TestDb::hub_lib().await;
    let dump = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/supabase_auth.sql");
    let loaded = std::process::Command::new("psql")
        .args(["--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1"])
        .args(["--file", dump, &db.url()])
        .output()
        .expect("psql, which comes with PostgreSQL");
    let said = String::from_utf8_lossy(&loaded.stderr);
    assert!(loaded.status.success(), "{said}");
    // As where the tables themselves came along.
    db.run(
        "alter table auth.users enable row level security; alter table auth.sessions enable row level security; \
        alter table auth.identities enable row level security; alter table auth.refresh_tokens enable row level security; \
        alter table auth.mfa_factors enable row level security; alter table auth.mfa_challenges enable row level security; \
        alter table auth.mfa_amr_claims enable row level security; alter table auth.one_time_tokens enable row level security; \
        alter table auth.flow_state enable row level security; alter table auth.audit_log_entries enable row level security",
    )
    .await;
    let settings = [
        ("PASSERELLE_AUTH_PHONE_AUTOCONFIRM", "true"),
        ("PASSERELLE_RATE_LIMITS_ENABLED", "false"),
    ];
    let gateway = Gateway::serve(&db, &settings).await;
    run(&db, &gateway, &["auth/dump.mjs"], &[]).await;
}

/// Fields of a session in Redis, once they are there.
async fn tracked(redis: &PrivateRedis, session: &str, field: &str) -> String {
    let key = format!("passerelle:session:{{{session}}}");
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        let said = redis.ask(&["HGET", &key, field]);
        if !said.trim().is_empty() {
            return said.trim().to_owned();
        }
        assert!(Instant::now() < until, "the session is not noted");
        sleep(Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn sessions_in_use_are_noted_in_redis_and_noted_again_after_a_loss() {
    let db = TestDb::hub_lib().await;
    let redis = PrivateRedis::start(&[]).await;
    let url = redis.url();
    let mut settings = SETTINGS.to_vec();
    settings.push(("REDIS_URL", &url));
    let gateway = Gateway::serve(&db, &settings).await;
    let other = Gateway::serve(&db, &settings).await;
    let token = newcomer(&gateway, "ada@example.com").await;
    let said = claims(&token);
    let session = said["session_id"].as_str().expect("a session").to_owned();
    assert_eq!(
        tracked(&redis, &session, "user").await,
        said["sub"].as_str().expect("a user")
    );
    for (field, value) in [
        ("role", "authenticated"),
        ("aal", "aal1"),
        ("ip", "127.0.0.1"),
    ] {
        assert_eq!(tracked(&redis, &session, field).await, value, "{field}");
    }
    let key = format!("passerelle:session:{{{session}}}");
    let ttl: i64 = redis.ask(&["TTL", &key]).trim().parse().expect("seconds");
    assert!((7 * 86_400 - 60..=7 * 86_400).contains(&ttl), "{ttl}");
    // Whoever looks for the session's last use is told what is noted, not when it began.
    redis.ask(&["HSET", &key, "used", "4102444800"]);
    let listed = async || {
        let sent = awc::Client::default()
            .get(format!("{}/auth/v1/user/sessions", gateway.url))
            .bearer_auth(&token)
            .send()
            .await;
        let listed: Value = sent.expect("an answer").json().await.expect("JSON");
        listed[0]["last_used_at"].clone()
    };
    assert_eq!(listed().await, "2100-01-01T00:00:00.000000Z");
    redis.ask(&["FLUSHALL"]);
    assert_ne!(listed().await, "2100-01-01T00:00:00.000000Z");
    assert_eq!(ask(&other, "GET", PROFILES, &token).await.0, 200);
    assert_eq!(tracked(&redis, &session, "role").await, "authenticated");
    assert_eq!(
        ask(&gateway, "POST", "/auth/v1/logout", &token).await.0,
        204
    );
    let until = Instant::now() + Duration::from_secs(30);
    while redis.ask(&["EXISTS", &key]).trim() != "0" {
        assert!(Instant::now() < until, "the session is not forgotten");
        sleep(Duration::from_millis(20)).await;
    }
}

#[actix_web::test]
async fn guesses_at_a_code_are_counted_whoever_makes_them() {
    let db = TestDb::hub_lib().await;
    let limits = [
        ("PASSERELLE_SERVER_TRUSTED_PROXIES", "127.0.0.1"),
        ("PASSERELLE_RATE_LIMITS_ATTEMPT_BURST", "5"),
        ("PASSERELLE_RATE_LIMITS_ATTEMPT_PERIOD_SECONDS", "86400"),
    ];
    let gateway = Gateway::serve(&db, &limits).await;
    for guess in 0..7 {
        let sent = awc::Client::default()
            .post(format!("{}/auth/v1/verify", gateway.url))
            .insert_header(("x-forwarded-for", format!("203.0.113.{guess}")))
            .send_json(&json!({ "type": "email", "email": "ada@example.com", "token": format!("00000{guess}") }))
            .await;
        let mut response = sent.expect("an answer");
        let body: Value = response.json().await.expect("JSON");
        let expected = if guess < 5 {
            "otp_expired"
        } else {
            "over_request_rate_limit"
        };
        assert_eq!(body["error_code"], expected, "guess {guess}");
    }
}
