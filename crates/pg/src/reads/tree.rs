//! What an expression or a query mentions, as PostgreSQL prints it (`pg_node_tree`).
//!
//! The text is scanned once, whatever its shape is: a field that names a function or relation
//! counts wherever it stands. Names of users cannot look like a field, since what separates tokens
//! is escaped in them; a name that begins with a colon could be taken for a field that is not there,
//! which only makes more of what is mentioned.

use std::collections::BTreeSet;

use crate::introspect::Tokens;

/// `current_setting(text)` and `current_setting(text, boolean)`, whose identifiers never change.
const CURRENT_SETTING: [u32; 2] = [2077, 3294];

/// The last of the kinds of `SQLValueFunction` that tell the time (`SVFOP_LOCALTIMESTAMP_N`).
const LAST_OF_TIME: u32 = 8;

/// What a tree mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Mentions {
    pub(super) relations: BTreeSet<u32>,
    pub(super) functions: BTreeSet<u32>,
    /// Operators of which the tree does not say which function they stand for.
    pub(super) operators: BTreeSet<u32>,
    /// Names of settings that are read; an empty name where it is computed.
    pub(super) settings: BTreeSet<String>,
    /// The present time.
    pub(super) time: bool,
    /// A value of a sequence is taken.
    pub(super) sequence: bool,
}

/// What the tree mentions.
pub(super) fn mentions(tree: &str) -> Mentions {
    let mut found = Mentions::default();
    let mut tokens = Tokens::new(tree);
    let mut operator = 0;
    while let Some(token) = tokens.next() {
        match token {
            "SQLVALUEFUNCTION" => {
                // `:op n`
                tokens.next();
                found.time |= number(&mut tokens) <= LAST_OF_TIME;
            }
            "NEXTVALUEEXPR" => found.sequence = true,
            ":relid" => insert(&mut found.relations, number(&mut tokens)),
            ":opno" => operator = number(&mut tokens),
            ":opfuncid" => match number(&mut tokens) {
                0 => insert(&mut found.operators, operator),
                function => insert(&mut found.functions, function),
            },
            ":funcid" | ":aggfnoid" | ":winfnoid" => {
                let function = number(&mut tokens);
                insert(&mut found.functions, function);
                if CURRENT_SETTING.contains(&function) {
                    found
                        .settings
                        .insert(setting(tokens.clone()).unwrap_or_default());
                }
            }
            _ => {}
        }
    }
    found
}

fn insert(set: &mut BTreeSet<u32>, oid: u32) {
    if oid != 0 {
        set.insert(oid);
    }
}

fn number(tokens: &mut Tokens<'_>) -> u32 {
    let token = tokens.next();
    token
        .and_then(|token| token.parse().ok())
        .unwrap_or_default()
}

/// The first argument, if it is a constant: `:args ({CONST … :constvalue 24 [ 96 0 0 0 114 … ]`.
fn setting(mut tokens: Tokens<'_>) -> Option<String> {
    tokens.find(|token| *token == ":args")?;
    if [tokens.next(), tokens.next(), tokens.next()] != [Some("("), Some("{"), Some("CONST")] {
        return None;
    }
    tokens.find(|token| *token == ":constvalue")?;
    tokens.next();
    if tokens.next() != Some("[") {
        return None;
    }
    let bytes = tokens.map_while(|token| token.parse::<i16>().ok());
    // Four bytes tell the length; bytes are printed as numbers that are signed where `char` is.
    let text = bytes.skip(4).map(|byte| byte.to_le_bytes()[0]).collect();
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: &str = "{FUNCEXPR :funcid 3294 :funcresulttype 25 :args ({CONST :consttype 25 :constlen -1 \
        :constbyval false :constisnull false :location 49 :constvalue 8 [ 32 0 0 0 97 46 98 99 ]} \
        {CONST :consttype 16 :constvalue 1 [ 1 0 0 0 0 0 0 0 ]}) :location 33}";

    #[test]
    fn finds_what_is_called_and_read() {
        let tree = r"({QUERY :rtable ({RTE :eref {ALIAS :aliasname x\ :funcid\ 7 :colnames (a)} :rtekind 0 :relid 16400}
            {RTE :rtekind 1 :relid 0}) :jointree {FROMEXPR :quals {OPEXPR :opno 96 :opfuncid 65 :args ({FUNCEXPR
            :funcid 16401 :args <>})}} :x {AGGREF :aggfnoid 2803} :y {SCALARARRAYOPEXPR :opno 17 :opfuncid 0}})";
        let found = mentions(tree);
        assert_eq!(found.relations, [16400].into());
        assert_eq!(found.functions, [65, 2803, 16401].into());
        assert_eq!(found.operators, [17].into());
        assert!(!found.time && !found.sequence && found.settings.is_empty());
    }

    #[test]
    fn finds_names_of_settings() {
        assert_eq!(mentions(SETTING).settings, ["a.bc".to_owned()].into());
        let computed = "{FUNCEXPR :funcid 2077 :args ({VAR :varno 1})}";
        assert_eq!(mentions(computed).settings, [String::new()].into());
    }

    #[test]
    fn finds_the_time() {
        assert!(mentions("{SQLVALUEFUNCTION :op 3 :type 1184}").time);
        assert!(!mentions("{SQLVALUEFUNCTION :op 10 :type 19}").time);
        assert!(mentions("{NEXTVALUEEXPR :seqid 5}").sequence);
    }

    #[test]
    fn broken_text_is_no_harm() {
        for tree in [
            "",
            ":funcid",
            ":funcid x",
            "{SQLVALUEFUNCTION",
            "\\",
            ":opfuncid 0",
            ":funcid 2077 :args (",
        ] {
            let _ = mentions(tree);
        }
    }
}
