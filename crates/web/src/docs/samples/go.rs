//! Samples in Go.

use super::{Request, lines, quoted};
use crate::docs::description::{Encoding, Shape};

pub(super) fn write(request: &Request<'_>) -> String {
    let (fields, call) = call(request);
    format!(
        "package main\n\nimport (\n{})\n\nfunc main() {{\n{fields}\treply, err := {call}\n\
         \tif err != nil {{\n\t\tlog.Fatal(err)\n\t}}\n\tdefer reply.Body.Close()\n\
         \tbody, err := io.ReadAll(reply.Body)\n\tif err != nil {{\n\t\tlog.Fatal(err)\n\t}}\n\n{}}}\n",
        imports(request),
        ending(request)
    )
}

fn imports(request: &Request<'_>) -> String {
    let mut names = vec!["fmt", "io", "log", "net/http"];
    if request.is_envelope() || request.shape == Shape::Status {
        names.push("encoding/json");
    }
    match request.encoding {
        Encoding::Form | Encoding::Query => names.push("net/url"),
        Encoding::Json => names.push("strings"),
    }
    if matches!(request.shape, Shape::Object | Shape::List) && !request.is_json() {
        names.push("strings");
    }
    if request.shape == Shape::Number {
        names.push("strconv");
    }
    names.sort_unstable();
    lines(names.into_iter(), "\t", quoted)
}

fn call(request: &Request<'_>) -> (String, String) {
    let url = quoted(&request.url);
    if request.is_json() {
        let json = format!("\tjson := `{}`\n", request.json());
        let call = format!("http.Post({url}, \"application/json\", strings.NewReader(json))");
        return (json, call);
    }
    // As gofmt aligns them: the values in one column.
    let width = request
        .texts()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    let fields = lines(request.texts(), "\t\t", |(name, text)| {
        let space = " ".repeat(width - name.len());
        format!("{}: {space}{{{}}},", quoted(name), quoted(&text))
    });
    let fields = format!("\tfields := url.Values{{\n{fields}\t}}\n");
    let call = match request.encoding {
        Encoding::Query => format!("http.Get({url} + \"?\" + fields.Encode())"),
        Encoding::Form | Encoding::Json => format!("http.PostForm({url}, fields)"),
    };
    (fields, call)
}

fn ending(request: &Request<'_>) -> String {
    let failed = match request.shape {
        Shape::Data | Shape::Verdict => return envelope(request.success),
        Shape::Object => "!strings.HasPrefix(string(body), \"{\")",
        Shape::List => "list := string(body); list != \"[]\" && !strings.HasPrefix(list, `[\"`)",
        Shape::Number => "_, err := strconv.Atoi(string(body)); err != nil",
        Shape::Status => return status(),
    };
    format!(
        "\tif {failed} {{\n\t\tlog.Fatalf(\"error: %s\", body)\n\t}}\n\tfmt.Println(string(body))\n"
    )
}

fn envelope(success: u16) -> String {
    format!(
        "\tvar answer []any\n\
         \tif err := json.Unmarshal(body, &answer); err != nil || len(answer) != 2 {{\n\
         \t\tlog.Fatalf(\"no answer of the service: %s\", body)\n\t}}\n\
         \tif answer[0] != float64({success}) {{\n\
         \t\tlog.Fatalf(\"error %v: %v\", answer[0], answer[1])\n\t}}\n\
         \tfmt.Println(answer[1])\n"
    )
}

fn status() -> String {
    "\tvar answer struct {\n\t\tStatus struct {\n\t\t\tCode    int\n\t\t\tMessage string\n\t\t}\n\t}\n\
     \tif err := json.Unmarshal(body, &answer); err != nil || answer.Status.Code != 0 {\n\
     \t\tlog.Fatalf(\"error: %s\", body)\n\t}\n\tfmt.Println(string(body))\n"
        .into()
}
