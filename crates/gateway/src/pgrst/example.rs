//! An example of a configuration file (`--example`): every key with what it is for and its default.

/// It can be served as it stands: what has no default is commented out.
pub(crate) const EXAMPLE: &str = include_str!("example.conf");
