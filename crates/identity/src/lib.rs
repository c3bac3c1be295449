//! Who is calling: verifies and issues tokens, claims, roles, API keys.
