//! Cross-origin requests: answers preflights and adds what a browser wants to see on the rest.
//!
//! A request without `Origin` gets nothing but the hint for caches that another would get more.

use actix_web::HttpResponse;
use actix_web::dev::RequestHead;
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN,
    VARY,
};
use actix_web::http::{Method, StatusCode};

/// Whose headers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CorsDialect {
    /// `PostgREST`'s: as it does when it is reached directly.
    Postgrest,
    /// Those of Supabase's gateway, which supabase-js expects.
    Supabase,
}

/// Which origins may call, and how they are told.
#[derive(Clone, Debug)]
pub struct Cors {
    dialect: CorsDialect,
    /// Empty: any.
    origins: Vec<HeaderValue>,
    /// Whether QUERY may be used.
    query: bool,
}

const ANY: HeaderValue = HeaderValue::from_static("*");
const DAY: HeaderValue = HeaderValue::from_static("86400");

const POSTGREST_METHODS: &str = "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD";
const SUPABASE_METHODS: &str = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS";
const SUPABASE_METHODS_AND_QUERY: &str = "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, QUERY";
const POSTGREST_EXPOSED: &str = "Content-Encoding, Content-Location, Content-Range, Content-Type, \
     Date, Location, Server, Transfer-Encoding, Range-Unit";
const SUPABASE_EXPOSED: &str = "Batch-Item, Content-Encoding, Content-Location, Content-Range, Content-Type, \
     Date, ETag, Link, Location, Preference-Applied, Proxy-Status, Range-Unit, RateLimit, RateLimit-Policy, Retry-After, \
     Server, Server-Timing, Transfer-Encoding, Unmatched-Keys, Unmatched-Rows, X-Request-Id, \
     X-Total-Count, \
     x-supabase-api-version, sb-error-code, x-sb-error-code, x-relay-error";

impl Cors {
    /// Allows `origins`, or any origin when there are none. What no header can hold is no origin
    /// and is left out.
    pub fn new(dialect: CorsDialect, origins: &[String]) -> Self {
        let origins = origins
            .iter()
            .filter_map(|origin| HeaderValue::from_str(origin).ok());
        Self {
            dialect,
            origins: origins.collect(),
            query: false,
        }
    }

    /// The same, with the method QUERY allowed or not; without this it is not.
    #[must_use]
    pub fn allow_query(self, allowed: bool) -> Self {
        Self {
            query: allowed,
            ..self
        }
    }

    /// The answer to a preflight request (`OPTIONS` with `Access-Control-Request-Method`) of an
    /// origin that is allowed; it needs no credentials.
    pub(crate) fn preflight(&self, head: &RequestHead) -> Option<HttpResponse> {
        if head.method != Method::OPTIONS {
            return None;
        }
        let asked = head
            .headers
            .get(ACCESS_CONTROL_REQUEST_METHOD)?
            .to_str()
            .ok()?;
        let origin = head
            .headers
            .get(ORIGIN)
            .filter(|origin| self.allows(origin))?;
        let methods = self.methods();
        if !methods.split(", ").any(|method| method == asked) {
            return None;
        }
        let requested = head.headers.get(ACCESS_CONTROL_REQUEST_HEADERS);
        let mut response = HttpResponse::new(StatusCode::OK);
        let headers = response.headers_mut();
        self.write_origin(origin, headers);
        headers.insert(
            ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static(methods),
        );
        if let Some(allowed) = self.allowed_headers(requested) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, DAY);
        Some(response)
    }

    /// Adds the headers of an ordinary response.
    pub(crate) fn decorate(&self, request: &HeaderMap, response: &mut HeaderMap) {
        // What a cache keeps of one origin, or of none, is not for another (Fetch, section 3.2.5).
        if self.dialect == CorsDialect::Supabase && !self.origins.is_empty() {
            response.append(VARY, HeaderValue::from_static("Origin"));
        }
        let Some(origin) = request.get(ORIGIN).filter(|origin| self.allows(origin)) else {
            return;
        };
        self.write_origin(origin, response);
        let exposed = match self.dialect {
            CorsDialect::Postgrest => POSTGREST_EXPOSED,
            CorsDialect::Supabase => SUPABASE_EXPOSED,
        };
        response.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(exposed),
        );
    }

    fn allows(&self, origin: &HeaderValue) -> bool {
        self.origins.is_empty() || self.origins.contains(origin)
    }

    fn methods(&self) -> &'static str {
        match self.dialect {
            CorsDialect::Postgrest => POSTGREST_METHODS,
            CorsDialect::Supabase if self.query => SUPABASE_METHODS_AND_QUERY,
            CorsDialect::Supabase => SUPABASE_METHODS,
        }
    }

    fn write_origin(&self, origin: &HeaderValue, headers: &mut HeaderMap) {
        if self.origins.is_empty() {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, ANY);
            return;
        }
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(
            ACCESS_CONTROL_ALLOW_CREDENTIALS,
            HeaderValue::from_static("true"),
        );
    }

    /// The headers that are allowed: those asked for, whatever they are.
    fn allowed_headers(&self, requested: Option<&HeaderValue>) -> Option<HeaderValue> {
        if self.dialect == CorsDialect::Supabase {
            return requested.cloned();
        }
        let requested = requested.map_or("", |value| value.to_str().unwrap_or_default());
        let mut names: Vec<&str> = Vec::new();
        let own = ["Accept", "Accept-Language", "Content-Language"];
        let asked = requested
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty());
        for name in std::iter::once("Authorization").chain(asked).chain(own) {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                names.push(name);
            }
        }
        HeaderValue::try_from(names.join(", ")).ok()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn preflight(cors: &Cors, origin: &str, headers: &'static str) -> Option<HttpResponse> {
        let request = TestRequest::with_uri("/items")
            .method(Method::OPTIONS)
            .insert_header((ORIGIN, origin))
            .insert_header((ACCESS_CONTROL_REQUEST_METHOD, "POST"))
            .insert_header((ACCESS_CONTROL_REQUEST_HEADERS, headers))
            .to_http_request();
        cors.preflight(request.head())
    }

    fn header<'a>(response: &'a HttpResponse, name: &str) -> &'a str {
        response
            .headers()
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    #[test]
    fn a_preflight_of_the_postgrest_dialect() {
        let cors = Cors::new(CorsDialect::Postgrest, &[]);
        let response = preflight(&cors, "http://example.com", "Foo,Bar").unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header(&response, "access-control-allow-origin"), "*");
        assert_eq!(
            header(&response, "access-control-allow-methods"),
            POSTGREST_METHODS
        );
        assert_eq!(
            header(&response, "access-control-allow-headers"),
            "Authorization, Foo, Bar, Accept, Accept-Language, Content-Language"
        );
        assert_eq!(header(&response, "access-control-max-age"), "86400");
    }

    #[test]
    fn a_preflight_of_the_supabase_dialect_echoes_the_headers() {
        let cors = Cors::new(CorsDialect::Supabase, &[]);
        let response = preflight(&cors, "http://example.com", "x-client-info,apikey").unwrap();
        assert_eq!(
            header(&response, "access-control-allow-headers"),
            "x-client-info,apikey"
        );
    }

    #[test]
    fn query_is_allowed_where_it_is_switched_on() {
        let asked = |allowed| {
            let cors = Cors::new(CorsDialect::Supabase, &[]).allow_query(allowed);
            let request = TestRequest::with_uri("/items")
                .method(Method::OPTIONS)
                .insert_header((ORIGIN, "http://example.com"))
                .insert_header((ACCESS_CONTROL_REQUEST_METHOD, "QUERY"))
                .to_http_request();
            cors.preflight(request.head())
        };
        assert!(asked(false).is_none());
        let allowed = asked(true).unwrap();
        assert!(header(&allowed, "access-control-allow-methods").ends_with(", QUERY"));
    }

    #[test]
    fn listed_origins_are_echoed_and_others_are_left_to_the_application() {
        let cors = Cors::new(CorsDialect::Postgrest, &["http://example.com".to_owned()]);
        let response = preflight(&cors, "http://example.com", "Content-Type").unwrap();
        assert_eq!(
            header(&response, "access-control-allow-origin"),
            "http://example.com"
        );
        assert_eq!(
            header(&response, "access-control-allow-credentials"),
            "true"
        );
        assert!(preflight(&cors, "http://invalid.com", "Content-Type").is_none());
    }

    #[test]
    fn options_without_a_requested_method_is_no_preflight() {
        let request = TestRequest::with_uri("/items")
            .method(Method::OPTIONS)
            .insert_header((ORIGIN, "http://example.com"))
            .to_http_request();
        let cors = Cors::new(CorsDialect::Postgrest, &[]);
        assert!(cors.preflight(request.head()).is_none());
    }

    #[test]
    fn answers_that_depend_on_the_origin_say_so_to_caches() {
        let cors = Cors::new(CorsDialect::Supabase, &["http://example.com".to_owned()]);
        for origin in [None, Some("http://invalid.com"), Some("http://example.com")] {
            let request = TestRequest::default().to_http_request();
            let mut request = request.headers().clone();
            if let Some(origin) = origin {
                request.insert(ORIGIN, HeaderValue::from_static(origin));
            }
            let mut response = HeaderMap::new();
            response.insert(VARY, HeaderValue::from_static("Accept"));
            cors.decorate(&request, &mut response);
            let vary: Vec<_> = response.get_all(VARY).collect();
            assert_eq!(vary, ["Accept", "Origin"], "{origin:?}");
        }
    }

    #[test]
    fn only_requests_with_an_origin_are_decorated() {
        let cors = Cors::new(CorsDialect::Supabase, &[]);
        let mut response = HeaderMap::new();
        let bare = TestRequest::default().to_http_request();
        cors.decorate(bare.headers(), &mut response);
        assert!(response.is_empty());
        let browser = TestRequest::default()
            .insert_header((ORIGIN, "http://a"))
            .to_http_request();
        cors.decorate(browser.headers(), &mut response);
        assert_eq!(response.get("access-control-allow-origin").unwrap(), "*");
        let exposed = response
            .get("access-control-expose-headers")
            .unwrap()
            .to_str()
            .unwrap();
        assert!(exposed.contains("Content-Range") && exposed.contains("Retry-After"));
    }
}
