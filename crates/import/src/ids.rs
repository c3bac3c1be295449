//! Ids: those of browsers become UUIDs, always the same ones.

use uuid::Uuid;

/// What ids of browsers are told apart from all other names by.
const NAMESPACE: Uuid = Uuid::from_u128(0x6d2c_9f0a_3b71_5c4e_9a1d_48b0_27e6_5f13);

/// The id in the database of a row that had another in a browser. UUIDs stay as they are.
pub(crate) fn id_of(old: &str) -> Uuid {
    let is_written_out = old.len() == 36;
    match Uuid::try_parse(old) {
        Ok(id) if is_written_out && !id.is_nil() => id,
        _ => Uuid::new_v5(&NAMESPACE, old.as_bytes()),
    }
}

/// The id of a row that no browser had, made for another one.
pub(crate) fn derived(what: &str, from: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{what}/{from}").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_id_always_becomes_the_same_uuid() {
        let id = id_of("1700000000000-abcdefghi");
        assert_eq!(id, id_of("1700000000000-abcdefghi"));
        assert_eq!(id.get_version_num(), 5);
        assert_ne!(id, id_of("1700000000000-abcdefghj"));
    }

    #[test]
    fn uuids_are_kept() {
        let text = "0f8fad5b-d9cb-469f-a165-70867728950e";
        assert_eq!(id_of(text).to_string(), text);
        assert_eq!(id_of(&text.to_uppercase()).to_string(), text);
    }

    #[test]
    fn what_only_looks_like_a_uuid_is_a_name() {
        let bare = "0f8fad5bd9cb469fa16570867728950e";
        assert_ne!(id_of(bare).simple().to_string(), bare);
        let nil = "00000000-0000-0000-0000-000000000000";
        assert!(!id_of(nil).is_nil());
    }
}
