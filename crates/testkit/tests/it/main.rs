//! What tests may rely on, and the rules of the workspace that no compiler keeps.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod databases;
mod workspace;
