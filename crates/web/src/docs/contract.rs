//! The table of `docs/contract.md`: operation × encoding × error, for whoever changes the code.

use std::fmt::Write;

use domain::refusal;

use super::description::{DESCRIPTION, Group, Operation, SERVICE_PATH, Shape};
use super::words::Lang;

/// Encodings that every operation of the one address takes.
const ENCODINGS: &str = "all";

/// The generated part of `docs/contract.md`, in Markdown.
#[must_use]
pub fn table() -> String {
    format!("{}\n{}", operations(), codes())
}

fn operations() -> String {
    let mut out = String::from(
        "| operation | encodings | success | errors, in the order of the checks |\n\
         | --- | --- | --- | --- |\n",
    );
    for (group, operation) in DESCRIPTION.operations() {
        let names: Vec<_> = std::iter::once(&operation.name)
            .chain(&operation.also)
            .map(|name| format!("`{name}`"))
            .collect();
        let name = match group {
            Group::Endpoints => format!("`{}`", operation.request.path),
            _ => names.join(", "),
        };
        let encodings = if operation.request.path == SERVICE_PATH {
            ENCODINGS
        } else {
            "query, form, JSON"
        };
        let _ = writeln!(
            out,
            "| {name} | {encodings} | {} | {} |",
            success(operation),
            errors(operation)
        );
    }
    out
}

fn success(operation: &Operation) -> String {
    match operation.reply.shape {
        Shape::Data => "`[0,data]`".into(),
        Shape::Object => "bare object".into(),
        Shape::Number => "bare number".into(),
        Shape::List => "bare array".into(),
        Shape::Status => "object with `status`".into(),
        Shape::Verdict => format!("`[{},text]`", operation.reply.success),
    }
}

fn errors(operation: &Operation) -> String {
    let mut words: Vec<String> = operation
        .all_errors()
        .iter()
        .map(ToString::to_string)
        .collect();
    let after_login = operation.login_errors().len();
    words.insert(after_login, "`deny`".into());
    words.join(", ")
}

fn codes() -> String {
    let mut out =
        String::from("| code | name | meaning | answered by |\n| --- | --- | --- | --- |\n");
    for row in refusal::TABLE.iter() {
        let answers = |operation: &Operation| {
            operation.errors.contains(&row.code)
                || (operation.reply.success == row.code && row.code != 0)
        };
        let users: Vec<_> = DESCRIPTION
            .operations()
            .filter(|(_, operation)| answers(operation))
            .map(|(_, operation)| format!("`{}`", operation.name))
            .collect();
        let is_common = DESCRIPTION
            .operations()
            .any(|(_, operation)| operation.all_errors().contains(&row.code));
        let users = match (users.is_empty(), is_common) {
            (false, _) => users.join(", "),
            (true, true) => "every operation".into(),
            // Kept in the table for its text; nothing here answers it.
            (true, false) => continue,
        };
        let meaning = DESCRIPTION
            .code(row.code, Lang::En)
            .map_or("", |code| code.meaning);
        let _ = writeln!(out, "| {} | {} | {meaning} | {users} |", row.code, row.name);
    }
    out
}
