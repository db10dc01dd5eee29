//! Samples in JavaScript, for Node and for every other runtime with `fetch`.

use serde_json::Value;

use super::{Request, lines, quoted};
use crate::docs::description::{Encoding, Shape};

pub(super) fn write(request: &Request<'_>) -> String {
    let members = lines(request.fields.iter(), "  ", |(name, value)| {
        let is_text = !request.is_json() && (value.is_array() || value.is_object());
        let value = if is_text {
            format!("JSON.stringify({})", native(value))
        } else {
            native(value)
        };
        format!("{}: {value},", key(name))
    });
    let url = quoted(&request.url);
    let call = match request.encoding {
        Encoding::Form => format!(
            "const fields = new URLSearchParams({{\n{members}}});\n\
             const reply = await fetch({url}, {{ method: \"POST\", body: fields }});\n"
        ),
        Encoding::Query => format!(
            "const fields = new URLSearchParams({{\n{members}}});\n\
             const reply = await fetch({url} + \"?\" + fields);\n"
        ),
        Encoding::Json => format!(
            "const fields = {{\n{members}}};\n\
             const reply = await fetch({url}, {{\n  method: \"POST\",\n  \
             headers: {{ \"Content-Type\": \"application/json\" }},\n  \
             body: JSON.stringify(fields),\n}});\n"
        ),
    };
    format!(
        "{call}const body = await reply.text();\n\n{}",
        ending(request)
    )
}

fn ending(request: &Request<'_>) -> String {
    let failed = match request.shape {
        Shape::Data | Shape::Verdict => {
            return format!(
                "const [code, data] = JSON.parse(body);\nif (code !== {}) {{\n  \
                 throw new Error(`error ${{code}}: ${{data}}`);\n}}\nconsole.log(data);\n",
                request.success
            );
        }
        Shape::Object => "!body.startsWith(\"{\")",
        Shape::List => "body !== \"[]\" && !body.startsWith('[\"')",
        Shape::Number => "!/^\\d+$/.test(body)",
        Shape::Status => "JSON.parse(body).status.code !== 0",
    };
    format!("if ({failed}) {{\n  throw new Error(body);\n}}\nconsole.log(body);\n")
}

/// The name of a member: bare where the language allows it.
fn key(name: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || character == '_';
    if name.chars().all(is_plain) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn native(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(native).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name), native(value)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        other => other.to_string(),
    }
}
