//! What happens at random: writes through gateways and beside them, and the questions that are asked.

use passerelle_testkit::TestClient;
use serde_json::{Value, json};

use super::stage::{Asked, User};

/// Numbers that look like chance and are the same for the same seed (`SplitMix64`).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }

    pub(crate) fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.roll(all.len() as u64)).expect("an index")]
    }
}

/// A number from the environment, for longer runs.
pub(crate) fn number(variable: &str) -> Option<u64> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the tests are configured as well"
    )]
    std::env::var(variable).ok()?.parse().ok()
}

/// What is asked.
pub(crate) const QUESTIONS: [&str; 12] = [
    "/rest/v1/teams?select=id,name,notes&order=id",
    "/rest/v1/teams?select=id,name,notes(id,body)&order=id&notes.order=id",
    "/rest/v1/notes?select=id,team,body,hidden&order=id",
    "/rest/v1/notes?select=id,teams(name)&hidden=is.true&order=id",
    "/rest/v1/notes?select=id,body&order=id.desc&limit=5",
    "/rest/v1/notes?select=id,teams!inner(name)&teams.name=like.*1*&order=id",
    "/rest/v1/members?select=team,caller&order=team,caller",
    "/rest/v1/summary?select=id,name,notes&order=id",
    "/rest/v1/rpc/team_notes?wanted=2",
    "/rest/v1/rpc/team_notes?wanted=3&limit=3",
    "/rest/v1/tags?select=name,used&order=name",
    "/rest/v1/registers?select=id,value&order=id",
];

/// Who asks.
pub(crate) const USERS: [User; 4] = [User::Anyone, User::Named(1), User::Named(2), User::Service];

/// What is sent to write something.
type Sent = (&'static str, String, Option<Value>);

/// Writes something at random through a gateway. It may fail, as when a team is gone.
pub(crate) async fn write(gateway: &Asked, dice: &mut Dice) -> String {
    let (method, path, body) = match dice.roll(2) {
        0 => to_notes(dice),
        _ => to_others(dice),
    };
    let upsert = [("prefer", "resolution=merge-duplicates")];
    let name = method.parse().expect("a method");
    let sent = gateway
        .exchange(name, &path, User::Service, &upsert, body.as_ref())
        .await;
    let status = sent.map(|reply| reply.status);
    format!("{method} {path} {body:?}: {status:?}")
}

fn to_notes(dice: &mut Dice) -> Sent {
    let (note, team, number) = (1 + dice.roll(40), 1 + dice.roll(5), dice.roll(1000));
    let hidden = number.is_multiple_of(2);
    let one = format!("/rest/v1/notes?id=eq.{note}");
    match dice.roll(6) {
        0 | 1 => {
            let body = format!("n{number}");
            let row = json!({ "id": note, "team": team, "body": body, "hidden": hidden });
            ("POST", "/rest/v1/notes".to_owned(), Some(row))
        }
        2 => ("PATCH", one, Some(json!({ "body": format!("b{number}") }))),
        3 => {
            let path = format!("/rest/v1/notes?team=eq.{team}");
            ("PATCH", path, Some(json!({ "hidden": hidden })))
        }
        4 => ("DELETE", one, None),
        _ => {
            let body = json!({ "from_team": team, "to_team": 1 + number % 5 });
            ("POST", "/rest/v1/rpc/move_notes".to_owned(), Some(body))
        }
    }
}

fn to_others(dice: &mut Dice) -> Sent {
    let (team, number) = (1 + dice.roll(5), dice.roll(1000));
    let caller = format!("user-{}", 1 + dice.roll(3));
    match dice.roll(7) {
        0 => ("DELETE", format!("/rest/v1/teams?id=eq.{team}"), None),
        1 => {
            let name = format!("t{number}");
            let rows = json!([{ "id": team, "name": name }, { "id": 1, "name": "one" }]);
            (
                "POST",
                "/rest/v1/teams?columns=id,name".to_owned(),
                Some(rows),
            )
        }
        2 => {
            let row = json!({ "team": team, "caller": caller });
            ("POST", "/rest/v1/members".to_owned(), Some(row))
        }
        3 => {
            let path = format!("/rest/v1/members?caller=eq.{caller}&team=eq.{team}");
            ("DELETE", path, None)
        }
        4 => {
            let row = json!({ "caller": caller });
            ("POST", "/rest/v1/moderators".to_owned(), Some(row))
        }
        5 => {
            let path = format!("/rest/v1/moderators?caller=eq.{caller}");
            ("DELETE", path, None)
        }
        _ => {
            let row = json!({ "register": 1 + number % 8, "value": number });
            ("POST", "/rest/v1/journal".to_owned(), Some(row))
        }
    }
}

/// Changes something at random beside all gateways.
#[expect(
    clippy::disallowed_methods,
    reason = "some of it is several statements"
)]
pub(crate) async fn write_beside(client: &TestClient, dice: &mut Dice) -> String {
    let (note, team, user) = (1 + dice.roll(40), 1 + dice.roll(5), 1 + dice.roll(3));
    let sql = match dice.roll(15) {
        0 | 1 => format!(
            "insert into notes values ({note}, {team}, 'beside', {}) on conflict do nothing",
            note.is_multiple_of(2)
        ),
        2 => format!("update notes set body = body || '.' where id = {note}"),
        3 => format!("delete from teams where id = {team}"),
        4 => "truncate members".to_owned(),
        5 => format!("insert into members values ({team}, 'user-{user}') on conflict do nothing"),
        6 => format!("update teams set name = name || '!' where id = {team}"),
        7 => "alter policy shown on notes using (true)".to_owned(),
        8 => "alter policy shown on notes using (not hidden)".to_owned(),
        9 => "revoke select on members from anon".to_owned(),
        10 => "grant select on members to anon".to_owned(),
        11 => "alter table notes disable row level security".to_owned(),
        12 => "alter table notes enable row level security".to_owned(),
        13 => format!(
            "begin; insert into teams (id, name) values ({team}, 'again') on conflict do nothing;
             savepoint one; update teams set name = 'undone'; rollback to one;
             update notes set team = {team} where id = {note}; commit"
        ),
        _ => format!(
            "create or replace function my_teams() returns setof int language sql stable security definer
             begin atomic select m.team from members m where m.caller = caller() and m.team >= {}; end",
            team % 2
        ),
    };
    let done = client.batch_execute(&sql).await;
    if done.is_err() {
        let _ = client.batch_execute("rollback").await;
    }
    format!("{sql}: {}", done.is_ok())
}
