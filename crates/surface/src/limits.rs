//! Bounds on the head of a request and on its declared body.

use actix_web::dev::RequestHead;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_LENGTH;

use crate::ErrorBody;
use crate::raw_target::{EXCESS, EXCESS_HEADERS, EXCESS_TARGET};

/// What a request may hold before anyone looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpLimits {
    /// Bytes of path and query string together.
    pub url_bytes: usize,
    /// Bytes of all header names and values together.
    pub header_bytes: usize,
    /// Bytes of the body, when its length is declared. Whoever reads a body has to count what
    /// comes, too.
    pub body_bytes: u64,
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            url_bytes: 32 * 1024,
            header_bytes: 64 * 1024,
            body_bytes: 10 * 1024 * 1024,
        }
    }
}

impl HttpLimits {
    /// Checks the head of a request.
    ///
    /// # Errors
    /// The error to answer with: 414, 431 or 413.
    pub(crate) fn check(&self, head: &RequestHead) -> Result<(), Box<ErrorBody>> {
        let url = head
            .uri
            .path_and_query()
            .map_or(0, |url| url.as_str().len());
        let cut = head.headers.get(EXCESS);
        if url > self.url_bytes || cut.is_some_and(|cut| cut == EXCESS_TARGET) {
            let details = format!("The path and query string exceed {} bytes", self.url_bytes);
            let error = ErrorBody::new(StatusCode::URI_TOO_LONG, "PSR414", "URI too long");
            return Err(Box::new(error.with_details(details)));
        }
        if cut.is_some_and(|cut| cut == EXCESS_HEADERS) {
            let details = "There are too many request headers, or they are too long";
            return Err(Box::new(headers_too_large(details.to_owned())));
        }
        let pairs = head.headers.iter();
        let bytes: usize = pairs
            .map(|(name, value)| name.as_str().len() + value.len())
            .sum();
        if bytes > self.header_bytes {
            let details = format!("The request headers exceed {} bytes", self.header_bytes);
            return Err(Box::new(headers_too_large(details)));
        }
        let declared = head
            .headers
            .get(CONTENT_LENGTH)
            .and_then(|value| value.to_str().ok());
        let declared = declared
            .and_then(|value| value.parse::<u64>().ok())
            .unwrap_or(0);
        if declared > self.body_bytes {
            return Err(Box::new(self.body_too_large()));
        }
        Ok(())
    }

    /// The error for a body that is longer than allowed.
    pub fn body_too_large(&self) -> ErrorBody {
        let details = format!("The request body exceeds {} bytes", self.body_bytes);
        ErrorBody::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "PSR413",
            "Request body too large",
        )
        .with_details(details)
    }
}

fn headers_too_large(details: String) -> ErrorBody {
    let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
    ErrorBody::new(status, "PSR431", "Request header fields too large").with_details(details)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    const LIMITS: HttpLimits = HttpLimits {
        url_bytes: 20,
        header_bytes: 40,
        body_bytes: 100,
    };

    fn status(request: TestRequest) -> Option<u16> {
        let request = request.to_http_request();
        LIMITS
            .check(request.head())
            .err()
            .map(|error| error.status.as_u16())
    }

    #[test]
    fn what_fits_passes() {
        let request = TestRequest::with_uri("/items?a=eq.1").insert_header(("accept", "*/*"));
        assert_eq!(status(request), None);
        assert_eq!(
            status(TestRequest::default().insert_header(("content-length", "100"))),
            None
        );
    }

    #[test]
    fn each_limit_has_its_status() {
        assert_eq!(
            status(TestRequest::with_uri("/items?a=eq.123456789")),
            Some(414)
        );
        let long = TestRequest::default().insert_header(("x-long", "x".repeat(40)));
        assert_eq!(status(long), Some(431));
        let big = TestRequest::default().insert_header(("content-length", "101"));
        assert_eq!(status(big), Some(413));
    }
}
