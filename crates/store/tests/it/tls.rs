//! Redis over TLS: its certificate is checked.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::{Duration, Instant};

use passerelle_store::{Origin, RedisSettings, Store, Verdict};
use passerelle_testkit::PrivateRedis;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

use crate::{hourly, key};

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

#[tokio::test]
async fn the_certificate_decides_whether_redis_is_there() {
    let trusted = authority();
    let server_key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&server_key, &trusted).unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let file = |name: &str, text: String| {
        let path = dir.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (cert_file, key_file) = (
        file("cert.pem", certificate.pem()),
        file("key.pem", server_key.serialize_pem()),
    );
    let tls_port = {
        let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        free.local_addr().unwrap().port().to_string()
    };
    let redis = PrivateRedis::start(&[
        ("tls-port", &tls_port),
        ("tls-cert-file", &cert_file),
        ("tls-key-file", &key_file),
        ("tls-auth-clients", "no"),
    ])
    .await;
    let url = |host| format!("rediss://:{}@{host}:{tls_port}", redis.password());
    let decided = async |host, authorities: Option<String>| {
        let settings = RedisSettings {
            url: url(host),
            authorities: authorities.map(String::into_bytes),
            key_prefix: "tls:".to_owned(),
            timeout: Duration::from_secs(20),
        };
        let limiter = Store::redis(&settings).unwrap().rate_limiter();
        let decision = limiter.check(&key("a"), &hourly(100), Instant::now()).await;
        assert_eq!(decision.verdict, Verdict::Allowed);
        decision.origin
    };
    assert_eq!(
        decided("localhost", Some(trusted.pem())).await,
        Origin::Shared
    );
    let other = authority().pem();
    assert_eq!(decided("localhost", Some(other)).await, Origin::Fallback);
    assert_eq!(decided("localhost", None).await, Origin::Fallback);
    let address = decided("127.0.0.1", Some(trusted.pem())).await;
    assert_eq!(
        address,
        Origin::Fallback,
        "the certificate names no address"
    );
}
