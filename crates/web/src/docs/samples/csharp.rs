//! Samples in C#. They decode no JSON, since .NET Framework has nothing for it at hand.

use super::{Request, lines, quoted};
use crate::docs::description::{Encoding, Shape};

pub(super) fn write(request: &Request<'_>) -> String {
    let url = quoted(&request.url);
    let fields = lines(request.texts(), "            ", |(name, text)| {
        format!("[{}] = {},", quoted(name), quoted(&text))
    });
    let fields = format!(
        "        var fields = new Dictionary<string, string>\n        {{\n{fields}        }};\n"
    );
    let (using, fields, call) = match request.encoding {
        Encoding::Form => (
            "using System.Collections.Generic;\n",
            fields,
            format!(
                "            var reply = await http.PostAsync({url}, new FormUrlEncodedContent(fields));\n            \
                 var body = await reply.Content.ReadAsStringAsync();\n"
            ),
        ),
        Encoding::Query => (
            "using System.Collections.Generic;\n",
            fields,
            format!(
                "            var query = await new FormUrlEncodedContent(fields).ReadAsStringAsync();\n            \
                 var body = await http.GetStringAsync({url} + \"?\" + query);\n"
            ),
        ),
        Encoding::Json => (
            "",
            format!("        var json = {};\n", verbatim(&request.json())),
            format!(
                "            var content = new StringContent(json, Encoding.UTF8, \"application/json\");\n            \
                 var reply = await http.PostAsync({url}, content);\n            \
                 var body = await reply.Content.ReadAsStringAsync();\n"
            ),
        ),
    };
    let encoding = if request.is_json() {
        "using System.Text;\n"
    } else {
        ""
    };
    format!(
        "using System;\n{using}using System.Net.Http;\n{encoding}using System.Threading.Tasks;\n\n\
         class Sample\n{{\n    static void Main()\n    {{\n        Run().GetAwaiter().GetResult();\n    }}\n\n    \
         static async Task Run()\n    {{\n{fields}        \
         using (var http = new HttpClient())\n        {{\n{call}            \
         if ({})\n            {{\n                throw new Exception(body);\n            }}\n            \
         Console.WriteLine(body);\n        }}\n    }}\n}}\n",
        failed(request)
    )
}

fn failed(request: &Request<'_>) -> String {
    match request.opening() {
        Some(opening) if request.shape == Shape::List => {
            format!("body != \"[]\" && !body.StartsWith({})", quoted(&opening))
        }
        Some(opening) => format!("!body.StartsWith({})", quoted(&opening)),
        None => "!long.TryParse(body, out _)".into(),
    }
}

fn verbatim(text: &str) -> String {
    format!("@\"{}\"", text.replace('"', "\"\""))
}
