//! Private servers, template databases and typed callers for tests.
