//! Samples in Python.

use serde_json::Value;

use super::{Request, lines, quoted};
use crate::docs::description::{Encoding, Shape};

pub(super) fn write(request: &Request<'_>) -> String {
    let is_nested = |(_, value): &(&str, Value)| value.is_array() || value.is_object();
    let reads_json = request.is_envelope() || request.shape == Shape::Status;
    let json = if reads_json || request.is_json() || request.fields.iter().any(is_nested) {
        "import json\n"
    } else {
        ""
    };
    let fields = lines(request.fields.iter(), "    ", |(name, value)| {
        let is_dumped = !request.is_json() && (value.is_array() || value.is_object());
        let value = if is_dumped {
            format!("json.dumps({})", native(value))
        } else {
            native(value)
        };
        format!("{}: {value},", quoted(name))
    });
    let url = quoted(&request.url);
    let (imports, call) = match request.encoding {
        Encoding::Form => (
            "from urllib.parse import urlencode\nfrom urllib.request import urlopen\n",
            format!("urlopen({url}, urlencode(fields).encode(), timeout=30)"),
        ),
        Encoding::Query => (
            "from urllib.parse import urlencode\nfrom urllib.request import urlopen\n",
            format!("urlopen({url} + \"?\" + urlencode(fields), timeout=30)"),
        ),
        Encoding::Json => (
            "from urllib.request import Request, urlopen\n",
            "urlopen(request, timeout=30)".to_owned(),
        ),
    };
    let request_line = if request.is_json() {
        format!(
            "request = Request(\n    {url},\n    json.dumps(fields).encode(),\n    \
             {{\"Content-Type\": \"application/json\"}},\n)\n"
        )
    } else {
        String::new()
    };
    format!(
        "{json}{imports}\nfields = {{\n{fields}}}\n{request_line}with {call} as reply:\n    \
         body = reply.read().decode()\n\n{}",
        ending(request)
    )
}

fn ending(request: &Request<'_>) -> String {
    let failed = match request.shape {
        Shape::Data | Shape::Verdict => {
            return format!(
                "code, data = json.loads(body)\nif code != {}:\n    \
                 raise SystemExit(f\"error {{code}}: {{data}}\")\nprint(data)\n",
                request.success
            );
        }
        Shape::Object => "not body.startswith(\"{\")",
        Shape::List => "body != \"[]\" and not body.startswith('[\"')",
        Shape::Number => "not body.isdigit()",
        Shape::Status => "json.loads(body)[\"status\"][\"code\"] != 0",
    };
    format!("if {failed}:\n    raise SystemExit(f\"error: {{body}}\")\nprint(body)\n")
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
                .map(|(name, value)| format!("{}: {}", quoted(name), native(value)))
                .collect();
            format!("{{{}}}", members.join(", "))
        }
        other => other.to_string(),
    }
}
