//! What tests may rely on, and the rules of the workspace that no compiler keeps.

mod databases;
mod workspace;
