//! Where the server listens.

use std::os::unix::fs::PermissionsExt as _;

use passerelle_testkit::TestDb;

use super::{HERE, start};
use crate::program::{Program, get, get_by_socket, run};

#[tokio::test]
async fn unix_sockets_come_before_ports_and_have_a_mode() {
    let db = TestDb::with_sql("create table first (id int)").await;
    let dir = tempfile::tempdir().unwrap();
    let (main, admin) = (dir.path().join("main.sock"), dir.path().join("admin.sock"));
    let (url, main_text, admin_text) = (db.url(), main.to_str().unwrap(), admin.to_str().unwrap());
    let variables = [
        ("PGRST_DB_URI", url.as_str()),
        ("PGRST_DB_ANON_ROLE", "postgres"),
        ("PGRST_SERVER_UNIX_SOCKET", main_text),
        ("PGRST_SERVER_UNIX_SOCKET_MODE", "777"),
        ("PGRST_ADMIN_SERVER_UNIX_SOCKET", admin_text),
    ];
    // A file that a killed server left.
    drop(std::os::unix::net::UnixListener::bind(&main).unwrap());
    let server = Program::start(HERE.as_ref(), &["rest"], &variables);
    assert_eq!(server.url(), format!("unix:{main_text}"));
    let mode = |path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&main), mode(&admin)), (0o777, 0o660));
    assert_eq!(get_by_socket(&main, "first").0, 200);
    assert_eq!(get_by_socket(&admin, "live").0, 200);
    assert_eq!(get_by_socket(&admin, "ready").0, 200);

    let (code, _, errors) = run(HERE.as_ref(), &["rest"], &variables);
    assert_eq!(code, Some(1));
    assert!(
        errors.contains("main.sock is in use by another program"),
        "{errors}"
    );

    std::fs::remove_file(&main).unwrap();
    assert_eq!(get_by_socket(&admin, "live").0, 500);
    assert_eq!(get_by_socket(&admin, "ready").0, 500);
}

#[tokio::test]
async fn special_hosts_and_taken_ports() {
    let db = TestDb::with_sql("create table first (id int)").await;
    for host in ["!4", "*4", "*"] {
        let server = start(&db.url(), &[("PGRST_SERVER_HOST", host)]);
        let url = server.url();
        let (_, port) = url.rsplit_once(':').unwrap();
        assert_eq!(
            get(&format!("http://127.0.0.1:{port}/first"), &[]).0,
            200,
            "{host}"
        );
        let taken = [
            ("PGRST_DB_URI", db.url()),
            ("PGRST_SERVER_HOST", host.to_owned()),
            ("PGRST_SERVER_PORT", port.to_owned()),
        ];
        let taken = taken
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let (code, _, errors) = run(HERE.as_ref(), &["rest"], &taken);
        assert_eq!(code, Some(1));
        assert!(errors.contains("in use by another program"), "{errors}");
    }
}
