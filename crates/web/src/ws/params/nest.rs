//! Names: their canonical form, and PHP's brackets (`to[]`, `to[0]`, `input_data[code]`).
//!
//! Values are gathered here and become an array when all keys are numbers or empty, an object otherwise.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::{NAME_BYTES_MAX, NESTING_MAX, PARAMS_MAX, ParamsError, Value};

/// Gathers the parameters of one source.
#[derive(Default)]
pub(super) struct Builder {
    entries: Vec<(String, Node)>,
}

enum Node {
    Value(Value),
    Branch(Branch),
}

/// One level of brackets, in the order of first appearance.
#[derive(Default)]
struct Branch {
    items: Vec<(String, Node)>,
    /// Position by key. A scan would make `to[0]=…&to[1]=…` with 100,000 recipients quadratic.
    positions: HashMap<String, usize>,
    /// Key for the next `[]`.
    next: u64,
}

impl Builder {
    /// A field of a form.
    pub(super) fn put_text(&mut self, name: &str, value: String) -> Result<(), ParamsError> {
        if name.len() > NAME_BYTES_MAX {
            return Ok(());
        }
        let (base, keys) = split_brackets(name);
        if keys.len() > NESTING_MAX {
            return Err(ParamsError::TooDeep);
        }
        let leaf = Node::Value(Value::Text(value));
        let Some(slot) = self.slot(canonical(base))? else {
            return Ok(());
        };
        put(slot, &keys, leaf);
        Ok(())
    }

    /// A member of a JSON body. Null counts as not given.
    pub(super) fn put_json(&mut self, name: &str, value: Json) -> Result<(), ParamsError> {
        if name.len() > NAME_BYTES_MAX || value.is_null() {
            return Ok(());
        }
        let (base, keys) = split_brackets(name);
        // `{"to[]": [...]}` carries its brackets in vain: the value is an array as it stands.
        let base = if keys.iter().all(|key| key.is_empty()) {
            base
        } else {
            name
        };
        let value = match value {
            Json::String(text) => Value::Text(text),
            other => Value::Json(other),
        };
        if let Some(slot) = self.slot(canonical(base))? {
            *slot = Node::Value(value);
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Vec<(String, Value)> {
        let value = |node| match node {
            Node::Value(value) => value,
            Node::Branch(branch) => Value::Json(branch.into_json()),
        };
        self.entries
            .into_iter()
            .map(|(name, node)| (name, value(node)))
            .collect()
    }

    /// The place for a name; none for a name that is empty.
    fn slot(&mut self, name: String) -> Result<Option<&mut Node>, ParamsError> {
        if name.is_empty() {
            return Ok(None);
        }
        // Fields of one array follow one another, so the search begins at the end.
        let at = match self.entries.iter().rposition(|(other, _)| *other == name) {
            Some(at) => at,
            None if self.entries.len() == PARAMS_MAX => return Err(ParamsError::TooMany),
            None => {
                self.entries
                    .push((name, Node::Value(Value::Text(String::new()))));
                self.entries.len() - 1
            }
        };
        Ok(Some(&mut self.entries[at].1))
    }
}

/// Puts `leaf` at the end of the path `keys` below `node`. What stood in the way of the path is replaced, as in PHP.
fn put(mut node: &mut Node, keys: &[&str], leaf: Node) {
    for key in keys {
        if let Node::Value(_) = node {
            *node = Node::Branch(Branch::default());
        }
        let Node::Branch(branch) = node else { return };
        node = branch.slot(key);
    }
    *node = leaf;
}

impl Branch {
    fn slot(&mut self, key: &str) -> &mut Node {
        let key = if key.is_empty() {
            self.next.to_string()
        } else {
            key.to_owned()
        };
        let at = match self.positions.get(&key) {
            Some(&at) => at,
            None => {
                if let Ok(number) = key.parse::<u64>() {
                    self.next = self.next.max(number.saturating_add(1));
                }
                self.items
                    .push((key.clone(), Node::Value(Value::Text(String::new()))));
                self.positions.insert(key, self.items.len() - 1);
                self.items.len() - 1
            }
        };
        &mut self.items[at].1
    }

    /// Recursion is bounded by [`NESTING_MAX`].
    fn into_json(self) -> Json {
        let is_list = self
            .items
            .iter()
            .all(|(key, _)| key.bytes().all(|byte| byte.is_ascii_digit()));
        let json = |node| match node {
            Node::Value(Value::Text(text)) => Json::String(text),
            Node::Value(Value::Json(value)) => value,
            Node::Branch(branch) => branch.into_json(),
        };
        if is_list {
            Json::Array(self.items.into_iter().map(|(_, node)| json(node)).collect())
        } else {
            Json::Object(
                self.items
                    .into_iter()
                    .map(|(key, node)| (key, json(node)))
                    .collect(),
            )
        }
    }
}

/// `a[b][]` into `a` and `b`, ``. Brackets that are not closed belong to the name.
fn split_brackets(name: &str) -> (&str, Vec<&str>) {
    let name = name.trim();
    let Some(open) = name.find('[').filter(|_| name.ends_with(']')) else {
        return (name, Vec::new());
    };
    let inside = &name[open + 1..name.len() - 1];
    (&name[..open], inside.split("][").map(str::trim).collect())
}

/// Lower case, `_` for `-`, without blanks around: the form in which parameters are looked up.
pub(super) fn canonical(name: &str) -> String {
    let name =
        name.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
    name.chars()
        .map(|character| {
            if character == '-' {
                '_'
            } else {
                character.to_ascii_lowercase()
            }
        })
        .collect()
}
