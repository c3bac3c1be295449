//! TLS to Redis.

use tokio_rustls::rustls::crypto::aws_lc_rs;

/// Settles which implementation of cryptography rustls uses where it is not told, as in the Redis
/// library. One that was settled before stays.
pub(crate) fn settle_provider() {
    let _ = aws_lc_rs::default_provider().install_default();
}
