//! What a person or a program is told when everything is ready.

use passerelle_cluster::Directory;

/// Addresses and keys.
pub(super) struct Report<'a> {
    pub(super) anon_key: &'a str,
    pub(super) service_role_key: &'a str,
    pub(super) jwt_secret: &'a str,
    /// The superuser's.
    pub(super) db_url: &'a str,
    pub(super) redis_url: Option<String>,
    pub(super) data: &'a Directory,
}

impl Report<'_> {
    /// One line for programs.
    pub(super) fn json(&self, url: &str) -> String {
        let line = serde_json::json!({
            "url": url,
            "anon_key": self.anon_key,
            "service_role_key": self.service_role_key,
            "jwt_secret": self.jwt_secret,
            "db_url": self.db_url,
            "redis_url": self.redis_url,
            "inbox_url": format!("{url}/_dev/inbox"),
        });
        format!("{line}\n")
    }

    /// A few lines for people.
    pub(super) fn text(&self, url: &str) -> String {
        let redis = self.redis_url.as_deref().unwrap_or("none");
        format!(
            "\nPasserelle is ready.\n\n  \
             API URL           {url}\n  \
             anon key          {}\n  \
             service-role key  {}\n  \
             database          {}\n  \
             Redis             {redis}\n  \
             mails             {url}/_dev/inbox\n  \
             data              {}\n\n\
             Ctrl-C stops everything.\n",
            self.anon_key,
            self.service_role_key,
            self.db_url,
            self.data.path().display(),
        )
    }
}
