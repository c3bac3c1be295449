//! The real binary in front of real servers, asked by the real supabase-js and by plain HTTP.

#![expect(clippy::panic, reason = "a test says what it got instead")]

mod aborts;
mod accounts;
mod behaviour;
mod cache;
mod callers;
mod codes;
mod exports;
mod gateway;
mod hub_lib;
mod import;
mod invariant;
mod local_client;
mod policies;
mod realtime;
mod smtp;
mod supabase_js;
