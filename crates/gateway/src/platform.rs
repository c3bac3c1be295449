//! The platform's migrations, part of the binary: what the gateway needs in every database.

use passerelle_pg::Migration;

macro_rules! migrations {
    ($($name:literal,)*) => {
        &[$(Migration {
            name: $name,
            sql: include_str!(concat!("../../../sql/platform/", $name)),
        },)*]
    };
}

/// All of them, in order.
pub(crate) const MIGRATIONS: &[Migration<'static>] = migrations![
    "0001_roles.sql",
    "0002_auth.sql",
    "0003_reload.sql",
    "0004_jobs.sql",
    "0005_change_feed.sql",
    "0006_accounts.sql",
    "0007_mail.sql",
    "0008_administration.sql",
    "0009_second_factors.sql",
    "0010_providers.sql",
    "0011_phones_and_hooks.sql",
    "0012_whole_dumps.sql",
    "0013_tracked_sessions.sql",
    "0014_realtime.sql",
    "0015_told_tables.sql",
    "0016_claimed_jobs.sql",
];

#[cfg(test)]
mod tests {
    use super::MIGRATIONS;

    #[test]
    fn every_file_is_in_the_list() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../../sql/platform");
        let mut files: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        files.sort();
        let listed: Vec<&str> = MIGRATIONS.iter().map(|migration| migration.name).collect();
        assert_eq!(listed, files);
    }
}
