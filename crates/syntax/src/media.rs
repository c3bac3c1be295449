//! Media types of `Accept` and `Content-Type`.

mod reading;

use std::borrow::Cow;

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

impl PlanOption {
    /// All, in the order in which they are written.
    pub const ALL: [Self; 5] = [
        Self::Analyze,
        Self::Verbose,
        Self::Settings,
        Self::Buffers,
        Self::Wal,
    ];

    /// The word of the `options` parameter.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Analyze => "analyze",
            Self::Verbose => "verbose",
            Self::Settings => "settings",
            Self::Buffers => "buffers",
            Self::Wal => "wal",
        }
    }
}

impl MediaType {
    /// The media type as it is written in headers, without a character set.
    pub fn mime(&self) -> Cow<'_, str> {
        Cow::Borrowed(match self {
            Self::Any => "*/*",
            Self::Json => "application/json",
            Self::SingularJson {
                nulls_stripped: false,
            } => "application/vnd.pgrst.object+json",
            Self::SingularJson {
                nulls_stripped: true,
            } => "application/vnd.pgrst.object+json;nulls=stripped",
            Self::ArrayJsonStrip => "application/vnd.pgrst.array+json;nulls=stripped",
            Self::GeoJson => "application/geo+json",
            Self::Csv => "text/csv",
            Self::Plain => "text/plain",
            Self::Xml => "text/xml",
            Self::OpenApi => "application/openapi+json",
            Self::UrlEncoded => "application/x-www-form-urlencoded",
            Self::OctetStream => "application/octet-stream",
            Self::Plan {
                subject,
                json,
                options,
            } => {
                return Cow::Owned(plan_mime(subject, *json, options));
            }
            Self::Other(text) => text,
        })
    }
}

fn plan_mime(subject: &MediaType, json: bool, options: &[PlanOption]) -> String {
    let mut mime = format!(
        "application/vnd.pgrst.plan+{}; for=\"{}\"",
        if json { "json" } else { "text" },
        subject.mime()
    );
    for (index, option) in options.iter().enumerate() {
        mime.push_str(if index == 0 { "; options=" } else { "|" });
        mime.push_str(option.as_str());
    }
    mime
}
