//! Both kinds of connection against a server that speaks TLS, with a certificate of the test's own.

use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::time::Duration;

use passerelle_pg::{CatalogKeeper, KeeperSettings};
use passerelle_statement::Statement;
use passerelle_testkit::TestDb;
use passerelle_wire::{
    ClientError, Connection, ConnectionSettings, Endpoint, Flight, Scope, WireError,
};
use tokio::time::timeout;

use crate::support::{Private, endpoint};

const ENCRYPTED: &str =
    "select ssl::text from pg_catalog.pg_stat_ssl where pid = pg_catalog.pg_backend_pid()";

/// No test waits longer than this for anything.
const LIMIT: Duration = Duration::from_secs(20);

/// A server with a certificate for `localhost`.
struct Encrypted {
    server: Private,
    /// The certificate, which is its own root.
    certificate: PathBuf,
    /// One that has nothing to do with the server.
    stranger: PathBuf,
}

impl Encrypted {
    async fn start() -> Self {
        // The first start makes the directory and settles whose it is.
        let mut server = Private::start("tls").await;
        server.stop().await;
        let home = server.home.clone();
        let owner = std::fs::metadata(home.join("postgres")).unwrap().uid();
        let [certificate, key, stranger] =
            ["server.crt", "server.key", "stranger.crt"].map(|file| home.join(file));
        for (certificate, key) in [(&certificate, Some(&key)), (&stranger, None)] {
            let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            std::fs::write(certificate, pair.cert.pem()).unwrap();
            if let Some(key) = key {
                write_key(key, &pair.signing_key.serialize_pem(), owner);
            }
        }
        server.settings.parameters = [
            ("ssl", "on".to_owned()),
            ("ssl_cert_file", certificate.display().to_string()),
            ("ssl_key_file", key.display().to_string()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        server.resume().await;
        Self {
            server,
            certificate,
            stranger,
        }
    }

    fn url(&self, host: &str, options: &str) -> String {
        let url = self.server.url().replace("127.0.0.1", host);
        format!("{url}?hostaddr=127.0.0.1&{options}")
    }
}

/// The server takes no key that others may read.
fn write_key(path: &Path, text: &str, owner: u32) {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .unwrap();
    std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
    chown(path, Some(owner), None).unwrap();
}

/// Whether a control connection is encrypted.
async fn control(url: &str) -> Result<bool, ClientError> {
    let client = endpoint(url).connect().await?;
    let row = client.query_one(ENCRYPTED, &[]).await?;
    Ok(row.get::<_, &str>(0) == "true")
}

/// Whether a connection for flights is encrypted.
async fn flights(url: &str) -> Result<bool, WireError> {
    let endpoint = Endpoint::parse(url).unwrap();
    let mut connection = Connection::connect(&endpoint, &ConnectionSettings::default()).await?;
    let (statement, scope) = (Statement::plain(ENCRYPTED), Scope::new("postgres", ""));
    let result = connection.fly(&Flight::new(&statement, &scope)).await?;
    Ok(result.text(0, 0) == Some("true"))
}

#[tokio::test]
async fn every_mode_means_the_same_to_both_kinds_of_connection() {
    let server = Encrypted::start().await;
    let root = format!("sslrootcert={}", server.certificate.display());
    let wrong = format!("sslrootcert={}", server.stranger.display());
    for (host, options, expected) in [
        ("localhost", "sslmode=disable".to_owned(), Some(false)),
        ("localhost", "sslmode=allow".to_owned(), Some(true)),
        ("localhost", "sslmode=prefer".to_owned(), Some(true)),
        ("localhost", String::new(), Some(true)),
        ("other.example", "sslmode=require".to_owned(), Some(true)),
        ("localhost", format!("sslmode=require&{root}"), Some(true)),
        ("localhost", format!("sslmode=require&{wrong}"), None),
        (
            "other.example",
            format!("sslmode=verify-ca&{root}"),
            Some(true),
        ),
        ("localhost", format!("sslmode=verify-ca&{wrong}"), None),
        (
            "localhost",
            format!("sslmode=verify-full&{root}"),
            Some(true),
        ),
        ("localhost", format!("sslmode=verify-full&{wrong}"), None),
        ("localhost", "sslmode=verify-full".to_owned(), None),
        ("other.example", format!("sslmode=verify-full&{root}"), None),
    ] {
        let url = server.url(host, &options);
        let (control, flights) = (control(&url).await, flights(&url).await);
        if let Some(encrypted) = expected {
            assert_eq!(control.unwrap(), encrypted, "control: {host} {options}");
            assert_eq!(flights.unwrap(), encrypted, "flights: {host} {options}");
        } else {
            let refused = matches!(control, Err(ClientError::Dial(WireError::Tls { .. })));
            assert!(refused, "control: {host} {options}: {control:?}");
            let refused = matches!(flights, Err(WireError::Tls { .. }));
            assert!(refused, "flights: {host} {options}: {flights:?}");
        }
    }

    let verified = server.url("localhost", &format!("sslmode=verify-full&{root}"));
    let keeper = CatalogKeeper::start(endpoint(&verified), KeeperSettings::default());
    let first = timeout(LIMIT, keeper.wait_for(1)).await.unwrap().unwrap();
    let client = endpoint(&verified).connect().await.unwrap();
    for statement in ["create table public.late (id int)", "notify pgrst"] {
        client.execute(statement, &[]).await.unwrap();
    }
    let next = keeper.wait_for(first.version() + 1);
    let next = timeout(LIMIT, next).await.unwrap().unwrap();
    assert!(next.find_table("public", "late").is_some());
    drop(keeper);
    server.server.remove().await;
}

#[tokio::test]
async fn a_server_without_encryption_serves_those_who_do_not_insist() {
    let db = TestDb::empty().await;
    for mode in ["disable", "prefer"] {
        let url = format!("{}?sslmode={mode}", db.url());
        assert!(!control(&url).await.unwrap());
        assert!(!flights(&url).await.unwrap());
    }
    for mode in ["require", "verify-full"] {
        let url = format!("{}?sslmode={mode}", db.url());
        let refused = control(&url).await;
        assert!(matches!(
            refused,
            Err(ClientError::Dial(WireError::Tls { .. }))
        ));
    }
}

#[tokio::test]
async fn a_password_that_is_wrong_or_missing_is_told_apart() {
    let db = TestDb::empty().await;
    let role = format!("{}_role", db.name());
    db.run(&format!("create role {role} login password 'right'"))
        .await;
    let wrong = control(&db.url_of(&role, "wrong")).await.unwrap_err();
    let without = db.url_of(&role, "right").replace(":right@", "@");
    let without = control(&without).await.unwrap_err();
    db.run(&format!("drop role {role}")).await;
    let ClientError::SignIn(wrong) = wrong else {
        unreachable!("{wrong:?}");
    };
    assert_eq!(wrong.code().unwrap().code(), "28P01");
    assert!(matches!(without, ClientError::SignIn(error) if error.as_db_error().is_none()));
}
