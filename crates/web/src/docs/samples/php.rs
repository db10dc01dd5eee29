//! Samples in PHP.

use serde_json::Value;

use super::{Request, lines};
use crate::docs::description::{Encoding, Shape};

pub(super) fn write(request: &Request<'_>) -> String {
    format!(
        "<?php\n{}{}{}",
        call(request),
        "$body = curl_exec($curl);\nif ($body === false) {\n    exit('no answer: ' . curl_error($curl) . PHP_EOL);\n}\n\n",
        ending(request)
    )
}

fn call(request: &Request<'_>) -> String {
    let url = literal(&request.url);
    let fields = lines(request.fields.iter(), "    ", |(name, value)| {
        let value = match (request.encoding, value) {
            (Encoding::Json, value) => native(value),
            (_, Value::Array(_) | Value::Object(_)) => format!("json_encode({})", native(value)),
            (_, value) => native(value),
        };
        format!("{} => {value},", literal(name))
    });
    let (address, options) = match request.encoding {
        Encoding::Query => (format!("{url} . '?' . http_build_query($fields)"), ""),
        Encoding::Form => (
            url,
            "    CURLOPT_POSTFIELDS => http_build_query($fields),\n",
        ),
        Encoding::Json => (
            url,
            "    CURLOPT_HTTPHEADER => ['Content-Type: application/json'],\n    CURLOPT_POSTFIELDS => json_encode($fields),\n",
        ),
    };
    format!(
        "$fields = [\n{fields}];\n$curl = curl_init({address});\ncurl_setopt_array($curl, [\n    \
         CURLOPT_RETURNTRANSFER => true,\n    CURLOPT_TIMEOUT => 30,\n{options}]);\n"
    )
}

fn ending(request: &Request<'_>) -> String {
    let failed = match request.shape {
        Shape::Data | Shape::Verdict => {
            return format!(
                "[$code, $data] = json_decode($body, true);\nif ($code !== {}) {{\n    \
                 exit(\"error $code: $data\\n\");\n}}\necho $data, PHP_EOL;\n",
                request.success
            );
        }
        Shape::Object => "$body[0] !== '{'",
        Shape::List => "$body !== '[]' && substr($body, 0, 2) !== '[\"'",
        Shape::Number => "!ctype_digit($body)",
        Shape::Status => "json_decode($body, true)['status']['code'] !== 0",
    };
    format!("if ({failed}) {{\n    exit(\"error: $body\\n\");\n}}\necho $body, PHP_EOL;\n")
}

fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

fn native(value: &Value) -> String {
    match value {
        Value::String(text) => literal(text),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(native).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{} => {}", literal(name), native(value)))
                .collect();
            format!("[{}]", members.join(", "))
        }
        other => other.to_string(),
    }
}
