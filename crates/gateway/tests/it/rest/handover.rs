//! One server takes over from another on the same port (`server-reuseport`).

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use passerelle_testkit::TestDb;

use super::{free_port, start};
use crate::program::{get, until, until_true};

#[tokio::test]
async fn no_request_fails_while_a_server_takes_over_from_another() {
    let db = TestDb::with_sql("create table first (id int)").await;
    let (port, first_admin, second_admin) = (free_port(), free_port(), free_port());
    let variables = |admin| {
        [
            ("PGRST_SERVER_PORT", port.as_str()),
            ("PGRST_SERVER_REUSEPORT", "true"),
            ("PGRST_ADMIN_SERVER_PORT", admin),
        ]
    };
    let first = start(&db.url(), &variables(first_admin.as_str()));
    let url = format!("{}/first", first.url());
    let (asking, answers) = (AtomicBool::new(true), AtomicU32::new(0));
    std::thread::scope(|scope| {
        let (url, asking, answers) = (&url, &asking, &answers);
        let client = scope.spawn(move || {
            while asking.load(Ordering::Relaxed) {
                let (status, answer) = get(url, &[]);
                assert_eq!(status, 200, "{answer}");
                answers.fetch_add(1, Ordering::Relaxed);
            }
        });
        let second = start(&db.url(), &variables(second_admin.as_str()));
        second.error_line("ready at");
        until(&format!("http://127.0.0.1:{second_admin}/ready"), 200);
        // A connection that waits to be accepted is lost with its socket, so nobody may be asking then.
        asking.store(false, Ordering::Relaxed);
        client.join().unwrap();
        assert!(answers.load(Ordering::Relaxed) > 0);
        assert!(first.stop("TERM").0.success());
        let (status, answer) = get(url, &[]);
        assert_eq!(status, 200, "{answer}");
        drop(second);
    });
}

#[tokio::test]
async fn a_server_that_shares_its_port_listens_only_when_it_can_answer() {
    let db = TestDb::with_sql("create table first (id int)").await;
    let (port, admin) = (free_port(), free_port());
    let nowhere = format!("postgresql://a:b@127.0.0.1:{}/c", free_port());
    let server = start(
        &nowhere,
        &[
            ("PGRST_SERVER_PORT", port.as_str()),
            ("PGRST_SERVER_REUSEPORT", "true"),
            ("PGRST_ADMIN_SERVER_PORT", admin.as_str()),
        ],
    );
    server.error_line("catalogue not loaded");
    until(&format!("http://127.0.0.1:{admin}/live"), 500);
    until(&format!("http://127.0.0.1:{admin}/ready"), 503);
    let other = start(
        &db.url(),
        &[
            ("PGRST_SERVER_PORT", port.as_str()),
            ("PGRST_SERVER_REUSEPORT", "true"),
        ],
    );
    // All connections go to the one that listens.
    let url = format!("{}/first", other.url());
    until_true(async || get(&url, &[]).0 == 200).await;
    for _ in 0..20 {
        assert_eq!(get(&url, &[]).0, 200);
    }
    assert!(server.stop("TERM").0.success());
}
