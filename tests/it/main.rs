//! The real binary in front of real servers, asked by the real supabase-js and by plain HTTP.

mod callers;
mod gateway;
mod invariant;
mod supabase_js;
