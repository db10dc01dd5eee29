//! Samples for the shell.

use super::Request;
use crate::docs::description::Encoding;

pub(super) fn write(request: &Request<'_>) -> String {
    let url = word(&request.url);
    if request.is_json() {
        let json = word(&request.json());
        return format!(
            "curl {url} \\\n  --header 'Content-Type: application/json' \\\n  --data {json}\n"
        );
    }
    let get = match request.encoding {
        Encoding::Query => "--get ",
        Encoding::Form | Encoding::Json => "",
    };
    let fields = request.texts().map(|(name, text)| {
        format!(
            " \\\n  --data-urlencode {}",
            word(&format!("{name}={text}"))
        )
    });
    format!("curl {get}{url}{}\n", fields.collect::<String>())
}

/// One word of a shell's command line.
fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}
