//! What goes wrong with Redis.

use thiserror::Error;

/// Why an operation was not done.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Redis cannot be reached, or did not answer in time.
    #[error("Redis is away")]
    Away,
    /// Redis answered with an error.
    #[error("Redis refused the command")]
    Refused(#[source] redis::RedisError),
    /// The message is longer than the bus carries.
    #[error("a message of {bytes} bytes is too long for the bus")]
    MessageTooLong {
        /// Its length.
        bytes: usize,
    },
}

/// Why a URL names no Redis. The URL itself is left out: it may hold a password.
#[derive(Debug, Error)]
pub enum UrlError {
    /// Not a URL at all, or of another scheme.
    #[error(
        "it must begin with redis://, rediss://, redis+unix://, redis+sentinel:// or rediss+sentinel://"
    )]
    Scheme,
    /// A part cannot be read.
    #[error("its {0} cannot be read")]
    Part(&'static str),
    /// The certificate of the peer would not be checked.
    #[error("#insecure is not supported: name the certificate authority instead")]
    Insecure,
    /// The library has a word to say about it.
    #[error("it cannot be used")]
    Invalid(#[source] redis::RedisError),
    /// The file of certificate authorities is none.
    #[error("the file of certificate authorities cannot be used")]
    Authority(#[source] redis::RedisError),
}
