//! TLS against a front that decrypts for the test server, so that certificates are the tests' own.

use std::path::PathBuf;
use std::sync::Arc;

use passerelle_testkit::TestDb;
use passerelle_wire::{Endpoint, EndpointError, WireError};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::connecting::signed_in;

/// A front for `localhost` and the file with its certificate.
struct Front {
    port: u16,
    certificate: PathBuf,
    serving: JoinHandle<()>,
}

impl Front {
    async fn of(db: &TestDb) -> Self {
        let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let certificate = std::env::temp_dir().join(format!("{}.pem", db.name()));
        std::fs::write(&certificate, pair.cert.pem()).unwrap();
        let key = PrivateKeyDer::try_from(pair.signing_key.serialize_der()).unwrap();
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![pair.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = address(db);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(acceptor.clone(), stream, server.clone()));
            }
        });
        Self {
            port,
            certificate,
            serving,
        }
    }

    fn url(&self, db: &TestDb, host: &str, options: &str) -> String {
        let user = db.url().split_once('@').unwrap().0.to_owned();
        format!(
            "{user}@{host}:{}/{}?hostaddr=127.0.0.1&{options}",
            self.port,
            db.name()
        )
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.serving.abort();
        let _gone = std::fs::remove_file(&self.certificate);
    }
}

/// The host and port of the test server.
fn address(db: &TestDb) -> String {
    let url = db.url();
    let rest = url.split_once('@').unwrap().1;
    rest.split_once('/').unwrap().0.to_owned()
}

async fn serve(acceptor: TlsAcceptor, mut stream: TcpStream, server: String) {
    let mut request = [0; 8];
    stream.read_exact(&mut request).await.unwrap();
    assert_eq!(request[4..], 80_877_103_u32.to_be_bytes());
    stream.write_all(b"S").await.unwrap();
    // The client may turn away at the handshake; that is what some tests are about.
    let Ok(mut stream) = acceptor.accept(stream).await else {
        return;
    };
    let mut server = TcpStream::connect(server).await.unwrap();
    let _ended = copy_bidirectional(&mut stream, &mut server).await;
}

#[tokio::test]
async fn encryption_alone_takes_any_certificate() {
    let db = TestDb::empty().await;
    let front = Front::of(&db).await;
    for mode in ["prefer", "require"] {
        let url = front.url(&db, "other.example", &format!("sslmode={mode}"));
        assert_eq!(signed_in(&url).await.unwrap(), "postgres");
    }
}

#[tokio::test]
async fn certificates_are_checked_when_asked_for() {
    let db = TestDb::empty().await;
    let front = Front::of(&db).await;
    let root = format!("sslrootcert={}", front.certificate.display());
    for (host, options, trusted) in [
        ("localhost", "sslmode=verify-full".to_owned(), false),
        ("localhost", "sslmode=verify-ca".to_owned(), false),
        ("localhost", format!("sslmode=verify-full&{root}"), true),
        ("localhost", format!("sslmode=require&{root}"), true),
        (
            "other.example",
            format!("sslmode=verify-full&{root}"),
            false,
        ),
        ("other.example", format!("{root}&sslmode=verify-ca"), true),
    ] {
        let result = signed_in(&front.url(&db, host, &options)).await;
        match result {
            Ok(_) => assert!(trusted, "{host} {options}"),
            Err(WireError::Tls { .. }) => assert!(!trusted, "{host} {options}"),
            Err(other) => panic!("{host} {options}: {other:?}"),
        }
    }
}

#[test]
fn unusable_root_certificates_are_reported() {
    let url = "postgresql://u@localhost/d?sslmode=verify-full&sslrootcert=/no/such/file";
    assert!(matches!(
        Endpoint::parse(url),
        Err(EndpointError::RootCertificates(_))
    ));
}
