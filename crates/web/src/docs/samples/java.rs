//! Samples in Java. They decode no JSON, since the language comes without a reader for it.

use super::{Request, lines, quoted};
use crate::docs::description::{Encoding, Shape};

const FORM: &str = "        String form = fields.entrySet().stream()
            .map(field -> field.getKey() + \"=\"
                + URLEncoder.encode(field.getValue(), StandardCharsets.UTF_8))
            .collect(Collectors.joining(\"&\"));
";

pub(super) fn write(request: &Request<'_>) -> String {
    let url = quoted(&request.url);
    let imports = if request.is_json() {
        ""
    } else {
        "import java.net.URLEncoder;\nimport java.nio.charset.StandardCharsets;\n\
         import java.util.LinkedHashMap;\nimport java.util.Map;\n\
         import java.util.stream.Collectors;\n"
    };
    let body = match request.encoding {
        Encoding::Json => format!("        String json = {};\n", quoted(&request.json())),
        Encoding::Form | Encoding::Query => {
            let fields = lines(request.texts(), "        ", |(name, text)| {
                format!("fields.put({}, {});", quoted(name), quoted(&text))
            });
            format!("        Map<String, String> fields = new LinkedHashMap<>();\n{fields}{FORM}")
        }
    };
    let (address, method) = match request.encoding {
        Encoding::Form => (url, post("application/x-www-form-urlencoded", "form")),
        Encoding::Json => (url, post("application/json", "json")),
        Encoding::Query => (format!("{url} + \"?\" + form"), String::new()),
    };
    format!(
        "import java.net.URI;\nimport java.net.http.HttpClient;\nimport java.net.http.HttpRequest;\n\
         import java.net.http.HttpResponse;\nimport java.time.Duration;\n{imports}\n\
         public class Sample {{\n    public static void main(String[] args) throws Exception {{\n\
         {body}        HttpRequest request = HttpRequest.newBuilder(URI.create({address}))\n\
         {method}            .timeout(Duration.ofSeconds(30))\n            .build();\n        \
         String body = HttpClient.newHttpClient()\n            \
         .send(request, HttpResponse.BodyHandlers.ofString())\n            .body();\n\n        \
         if ({}) {{\n            throw new IllegalStateException(body);\n        }}\n        \
         System.out.println(body);\n    }}\n}}\n",
        failed(request)
    )
}

fn post(content_type: &str, variable: &str) -> String {
    format!(
        "            .header(\"Content-Type\", \"{content_type}\")\n            \
         .POST(HttpRequest.BodyPublishers.ofString({variable}))\n"
    )
}

fn failed(request: &Request<'_>) -> String {
    match request.opening() {
        Some(opening) if request.shape == Shape::List => format!(
            "!body.equals(\"[]\") && !body.startsWith({})",
            quoted(&opening)
        ),
        Some(opening) => format!("!body.startsWith({})", quoted(&opening)),
        None => "!body.matches(\"[0-9]+\")".into(),
    }
}
