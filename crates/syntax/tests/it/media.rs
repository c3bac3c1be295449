//! `Accept` and `Content-Type`.

use passerelle_syntax::{MediaType, PlanOption};

fn plan(subject: MediaType, json: bool, options: &[PlanOption]) -> MediaType {
    MediaType::Plan {
        subject: Box::new(subject),
        json,
        options: options.to_vec(),
    }
}

fn other(text: &str) -> MediaType {
    MediaType::Other(text.to_owned())
}

#[test]
fn single_types() {
    for (text, expected) in [
        ("*/*", MediaType::Any),
        ("application/json", MediaType::Json),
        ("application/json; charset=utf-8", MediaType::Json),
        ("Application/JSON", MediaType::Json),
        ("application/geo+json", MediaType::GeoJson),
        ("text/csv", MediaType::Csv),
        ("text/plain", MediaType::Plain),
        ("text/xml", MediaType::Xml),
        ("application/openapi+json", MediaType::OpenApi),
        ("application/x-www-form-urlencoded", MediaType::UrlEncoded),
        ("application/octet-stream", MediaType::OctetStream),
        (
            "application/vnd.pgrst.object",
            MediaType::SingularJson {
                nulls_stripped: false,
            },
        ),
        (
            "ApplicatIon/vnd.PgRsT.object+json",
            MediaType::SingularJson {
                nulls_stripped: false,
            },
        ),
        (
            "application/vnd.pgrst.object+json;nulls=stripped",
            MediaType::SingularJson {
                nulls_stripped: true,
            },
        ),
        (
            "application/vnd.pgrst.array+json;nulls=stripped",
            MediaType::ArrayJsonStrip,
        ),
        (
            "application/vnd.pgrst.array ; NULLS = \"stripped\" ;",
            MediaType::ArrayJsonStrip,
        ),
        ("application/vnd.pgrst.array+json", MediaType::Json),
        ("application/vnd.twkb", other("application/vnd.twkb")),
        (
            "text/html; charset=utf-8",
            other("text/html; charset=utf-8"),
        ),
        ("text/*", other("text/*")),
        ("nonsense", other("nonsense")),
        ("", other("")),
    ] {
        assert_eq!(MediaType::read(text), expected, "{text}");
    }
}

#[test]
fn plans() {
    use PlanOption::{Analyze, Buffers, Settings, Verbose, Wal};
    for (text, expected) in [
        (
            "application/vnd.pgrst.plan",
            plan(MediaType::Json, false, &[]),
        ),
        (
            "application/vnd.pgrst.plan;",
            plan(MediaType::Json, false, &[]),
        ),
        (
            "application/vnd.pgrst.plan+text",
            plan(MediaType::Json, false, &[]),
        ),
        (
            "application/vnd.pgrst.plan+json;for=\"text/csv\"",
            plan(MediaType::Csv, true, &[]),
        ),
        (
            "application/vnd.pgrst.plan ; for=\"text/xml\" ; options=analyze",
            plan(MediaType::Xml, false, &[Analyze]),
        ),
        (
            "application/vnd.pgrst.plan+text; options=wal|buffers|settings|verbose|analyze|x",
            plan(
                MediaType::Json,
                false,
                &[Analyze, Verbose, Settings, Buffers, Wal],
            ),
        ),
        (
            "application/vnd.pgrst.plan; for=\"application/vnd.pgrst.object;nulls=stripped\"",
            plan(
                MediaType::SingularJson {
                    nulls_stripped: true,
                },
                false,
                &[],
            ),
        ),
    ] {
        assert_eq!(MediaType::read(text), expected, "{text}");
    }
}

#[test]
fn texts_read_back() {
    for media_type in [
        MediaType::Any,
        MediaType::Json,
        MediaType::SingularJson {
            nulls_stripped: false,
        },
        MediaType::SingularJson {
            nulls_stripped: true,
        },
        MediaType::ArrayJsonStrip,
        MediaType::GeoJson,
        MediaType::Csv,
        MediaType::Plain,
        MediaType::Xml,
        MediaType::OpenApi,
        MediaType::UrlEncoded,
        MediaType::OctetStream,
        other("text/html"),
        plan(MediaType::Csv, true, &PlanOption::ALL),
        plan(
            MediaType::SingularJson {
                nulls_stripped: true,
            },
            false,
            &[],
        ),
    ] {
        assert_eq!(MediaType::read(&media_type.mime()), media_type);
    }
}

#[test]
fn accept_is_sorted_by_quality_and_specificity() {
    use MediaType::{Any, Csv, Json, Xml};
    for (header, expected) in [
        ("", vec![Any]),
        ("application/json", vec![Json]),
        ("application/json,text/csv", vec![Json, Csv]),
        ("*/*, text/csv", vec![Csv, Any]),
        (
            "text/csv;q=0.5, application/json; q=0.9, text/xml",
            vec![Xml, Json, Csv],
        ),
        ("text/csv;q=0.5;x=y, text/xml;q=.9", vec![Xml, Csv]),
        ("text/csv;q=1., text/xml;q=2", vec![Xml, Csv]),
        ("text/csv;q=-1, text/xml;q=0", vec![Xml, Csv]),
        (
            "text/html, text/a;b=c, text/*",
            vec![other("text/a;b=c"), other("text/html"), other("text/*")],
        ),
        (",", vec![other(""), other("")]),
    ] {
        assert_eq!(MediaType::read_accept(header), expected, "{header}");
    }
}
