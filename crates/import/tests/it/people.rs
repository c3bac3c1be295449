//! Who is who.

use passerelle_import::Options;
use passerelle_testkit::TestDb;
use serde_json::json;

use crate::{ALL, checksums, import, import_json, import_with, json as json_of, text, texts};

const ADA: &str = "select user_id from profiles where email = 'ada@example.org'";

#[tokio::test]
async fn an_address_is_a_person() {
    let db = TestDb::hub_lib().await;
    import(&db, &ALL).await;
    let client = db.client().await;
    let people = "select email || ' ' || username from profiles where created_at >= '2024-01-01' \
        and created_at < '2024-04-01' order by email";
    let people = texts(&client, people).await;
    let expected = [
        "ada@example.net ada-2",
        "ada@example.org ada",
        "bob@example.org bobby",
        "carol@example.org carol",
        "dave@example.org bob",
        "eve@example.org eve",
        "frank@example.org frank",
        "grace@example.org grace",
        "heidi@example.org heidi",
    ];
    let expected: Vec<String> = expected.map(str::to_owned).into();
    let people: Vec<String> = people
        .into_iter()
        .filter(|person| expected.contains(person))
        .collect();
    assert_eq!(people, expected);
    // What Bob made in another browser is Bob's.
    let titles = "select r.title from resources r join profiles p on p.user_id = r.user_id \
        where p.email = 'bob@example.org' and r.title like 'From%'";
    assert_eq!(text(&client, titles).await, "From another browser");
    let roles = "select p.email || ' ' || r.role from user_roles r join profiles p using (user_id) \
        where p.email in ('ada@example.org', 'bob@example.org', 'carol@example.org', 'heidi@example.org') order by 1";
    let expected = "ada@example.org admin | bob@example.org admin | carol@example.org user | heidi@example.org user";
    assert_eq!(text(&client, roles).await, expected);
}

#[tokio::test]
async fn accounts_are_made_with_the_hashes_that_are_good() {
    let db = TestDb::hub_lib().await;
    let report = import(&db, &ALL).await;
    let client = db.client().await;
    let accounts = "select u.email || ' ' || left(u.encrypted_password, 30) || ' ' || \
        (u.email_confirmed_at is not null) || (i.provider = 'email') || (u.id = p.user_id) \
        from auth.users u join auth.identities i on i.user_id = u.id join profiles p on p.email = u.email order by u.email";
    let pbkdf2 = "$pbkdf2-sha256$i=10000,l=32$";
    let accounts = text(&client, accounts).await;
    assert!(
        accounts.contains(&format!("ada@example.org {pbkdf2}MD truetruetrue")),
        "{accounts}"
    );
    assert!(
        accounts.contains("bob@example.org  truetruetrue"),
        "{accounts}"
    );
    assert!(
        accounts.contains(&format!("heidi@example.org {pbkdf2}YW truetruetrue")),
        "{accounts}"
    );
    let json = json_of(&report);
    assert_eq!(
        json["people"]["with_password"],
        json!(["ada@example.org", "heidi@example.org"])
    );
    // No hash is told.
    let said = format!("{json}{report}");
    for secret in [
        "pbkdf2",
        "522e14ce",
        "00112233445566778899",
        "hub_lib_1",
        "access_token",
    ] {
        assert!(!said.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn who_is_there_stays_as_they_are() {
    let db = TestDb::hub_lib().await;
    db.run(
        "insert into auth.users (id, email, encrypted_password, raw_user_meta_data)
         values ('11111111-1111-4111-8111-111111111111', 'ada@example.org', 'hers', '{\"full_name\": \"Ada herself\"}')",
    )
    .await;
    let client = db.client().await;
    let hers = "select u::text || p::text || r::text from auth.users u join profiles p on p.user_id = u.id \
        join user_roles r on r.user_id = u.id where u.email = 'ada@example.org'";
    let before = text(&client, hers).await;
    let report = import(&db, &ALL).await;
    assert_eq!(text(&client, hers).await, before);
    assert!(before.contains("Ada herself"), "{before}");
    assert_eq!(
        json_of(&report)["people"]["existing"],
        json!(["ada@example.org"])
    );
    // What she wrote in the browser is hers.
    let titles =
        format!("select count(*) from resources where user_id = ({ADA}) and title = 'First'");
    assert_eq!(text(&client, &titles).await, "1");
    let after = checksums(&client).await;
    import(&db, &ALL).await;
    assert_eq!(checksums(&client).await, after);
}

#[tokio::test]
async fn a_new_address_makes_no_new_person() {
    let db = TestDb::hub_lib().await;
    import(&db, &ALL).await;
    db.run(
        "update profiles set email = 'countess@example.org' where email = 'ada@example.org';
         update auth.users set email = 'countess@example.org' where email = 'ada@example.org';",
    )
    .await;
    let client = db.client().await;
    let before = checksums(&client).await;
    import(&db, &ALL).await;
    assert_eq!(checksums(&client).await, before);
}

#[tokio::test]
async fn the_first_administrator_can_have_an_address() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let options = Options {
        default_admin: Some("Root@example.org".to_owned()),
        ..Options::default()
    };
    import_with(&db, &ALL, &options).await;
    let question = "select p.email || ' ' || p.username || ' ' || r.role || ' ' || m.title from profiles p \
        join user_roles r using (user_id) join resources m using (user_id) where p.email = 'root@example.org'";
    assert_eq!(
        text(&client, question).await,
        "root@example.org admin admin Of the first administrator"
    );
}

#[tokio::test]
async fn nobody_has_to_become_an_administrator() {
    let db = TestDb::hub_lib().await;
    let client = db.client().await;
    let admins = "select count(*) from user_roles where role = 'admin'";
    let before = text(&client, admins).await;
    let options = Options {
        no_administrators: true,
        ..Options::default()
    };
    let report = import_with(&db, &ALL, &options).await;
    assert_eq!(text(&client, admins).await, before);
    assert_eq!(json_of(&report)["people"]["administrators"], json!([]));
}

#[tokio::test]
async fn a_file_gives_no_rights_over_who_is_there() {
    let db = TestDb::hub_lib().await;
    // The seed knows people without accounts.
    let client = db.client().await;
    let victim = text(
        &client,
        "select email from profiles order by created_at limit 1",
    )
    .await;
    let id = text(
        &client,
        "select user_id from profiles order by created_at limit 1",
    )
    .await;
    db.run("delete from user_roles where user_id = (select user_id from profiles order by created_at limit 1)").await;
    let hash = "522e14cece857e7456011a90367cb68ced0cf312e299ffcd07ace08514a52c47";
    let export = json!({
        "tables": {
            "profiles": [{ "id": "1709634000000-mallory00", "email": victim, "username": "mallory" }],
            "user_roles": [{ "id": "1709634000000-role00000", "user_id": "1709634000000-mallory00", "role": "admin" }],
        },
        "authData": [{
            "userId": "1709634000000-mallory00", "email": victim, "passwordHash": hash, "salt": "00112233445566778899aabbccddeeff",
        }],
    });
    let report = import_json(&db, &export).await;
    let account = format!(
        "select encrypted_password || '/' || (select role from user_roles where user_id = u.id) \
        from auth.users u where id = '{id}'"
    );
    assert_eq!(text(&client, &account).await, "/user");
    assert_eq!(report.counts("credentials").kept_out, 1);
    assert_eq!(report.counts("profiles").merged, 1);
}
