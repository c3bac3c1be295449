//! What all HTTP surfaces share: caller, request id, CORS, limits, error body, access log.
