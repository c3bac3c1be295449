//! What it costs to know a caller: by a token that was seen before, and by one that was not.
#![expect(clippy::unwrap_used, reason = "a benchmark may fail")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use passerelle_identity::{IdentitySettings, Secret, SigningKey, UnixTime, Verifier, mint};
use serde_json::json;

const NOW: UnixTime = UnixTime(1_800_000_000);
const TIMES: u32 = 100_000;
const ROUNDS: u32 = 5;

fn main() {
    let secret = Secret::from(vec![7; 40]);
    let token = |number: u32| {
        let claims = json!({
            "iss": "https://api.example.com/auth/v1", "sub": format!("11111111-1111-4111-8111-{number:012}"), "aud": "authenticated",
            "exp": NOW.0 + 3600, "iat": NOW.0, "email": "ada@example.com", "phone": "", "role": "authenticated", "aal": "aal1",
            "app_metadata": { "provider": "email", "providers": ["email"] }, "user_metadata": { "name": "Ada Lovelace" },
            "amr": [{ "method": "password", "timestamp": NOW.0 }], "session_id": "22222222-2222-4222-8222-222222222222",
            "is_anonymous": false,
        });
        format!(
            "Bearer {}",
            mint(&claims, &SigningKey::hs256(&secret)).unwrap()
        )
    };
    for (name, kept, callers) in [("seen before", 1000, 100), ("not seen before", 0, 1)] {
        let tokens: Vec<String> = (0..callers).map(token).collect();
        let verifier = Verifier::new(&IdentitySettings {
            secret: Some(secret.clone()),
            cache_max_entries: kept,
            ..IdentitySettings::default()
        })
        .unwrap();
        let best = (0..ROUNDS).map(|_| round(&verifier, &tokens)).min();
        let each = best.unwrap_or_default() / TIMES;
        println!("a token that was {name}: {} ns", each.as_nanos());
    }
}

fn round(verifier: &Verifier, tokens: &[String]) -> Duration {
    let began = Instant::now();
    for token in tokens.iter().cycle().take(TIMES as usize) {
        let principal = verifier.authenticate(None, Some(token.as_bytes()), NOW);
        black_box(principal.unwrap());
    }
    began.elapsed()
}
