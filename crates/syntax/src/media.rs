//! Media types of `Accept` and `Content-Type`.

/// A media type the REST surface distinguishes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum MediaType {
    /// `*/*`
    Any,
    /// `application/json`
    Json,
    /// `application/vnd.pgrst.object[+json]`, or nulls stripped
    SingularJson {
        /// `;nulls=stripped`
        nulls_stripped: bool,
    },
    /// `application/vnd.pgrst.array+json;nulls=stripped`
    ArrayJsonStrip,
    /// `application/geo+json`
    GeoJson,
    /// `text/csv`
    Csv,
    /// `text/plain`
    Plain,
    /// `text/xml`
    Xml,
    /// `application/openapi+json`
    OpenApi,
    /// `application/x-www-form-urlencoded`
    UrlEncoded,
    /// `application/octet-stream`
    OctetStream,
    /// `application/vnd.pgrst.plan[+json|+text]; for="…"; options=…`
    Plan {
        /// The media type whose statement is explained.
        subject: Box<MediaType>,
        /// `+json` instead of text.
        json: bool,
        /// `analyze`, `verbose`, `settings`, `buffers`, `wal`.
        options: Vec<PlanOption>,
    },
    /// Anything else, without its parameters' quoting changed.
    Other(String),
}

/// Options of EXPLAIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are EXPLAIN's")]
pub enum PlanOption {
    Analyze,
    Verbose,
    Settings,
    Buffers,
    Wal,
}
