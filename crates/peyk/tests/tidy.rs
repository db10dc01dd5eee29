//! Holds the code to the rules that ARCHITECTURE.md and CONTRIBUTING.md state: which crate may
//! depend on which, how long a file and a function may be, and that documents name what exists.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use syn::spanned::Spanned;
use syn::visit::Visit;

/// Lines that a source file may have, its `#[cfg(test)]` items apart.
const FILE_LINES_MAX: usize = 500;
/// Lines that a function may have.
const FUNCTION_LINES_MAX: usize = 70;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../..")
        .canonicalize()
        .expect("the workspace")
}

/// The arrows between our crates that are allowed outside tests. A crate that is not named here
/// has not been thought about.
fn allowed() -> BTreeMap<&'static str, &'static [&'static str]> {
    BTreeMap::from([
        ("peyk-domain", &[][..]),
        ("peyk-smpp", &[]),
        ("peyk-store", &["peyk-domain"]),
        ("peyk-store-sqlite", &["peyk-store", "peyk-domain"]),
        ("peyk-store-postgres", &["peyk-store", "peyk-domain"]),
        ("peyk-directory", &["peyk-domain"]),
        ("peyk-app", &["peyk-directory", "peyk-store", "peyk-domain"]),
        ("peyk-dispatch", &["peyk-store", "peyk-smpp", "peyk-domain"]),
        ("peyk-web", &["peyk-app", "peyk-domain"]),
        ("peyk-inbound", &["peyk-app", "peyk-domain"]),
        ("peyk-smsc-sim", &["peyk-smpp"]),
        ("peyk-private-postgres", &[]),
        (
            "bench",
            &["peyk-directory", "peyk-private-postgres", "peyk-smpp"],
        ),
        (
            "peyk",
            &[
                "peyk-app",
                "peyk-directory",
                "peyk-dispatch",
                "peyk-domain",
                "peyk-inbound",
                "peyk-smpp",
                "peyk-smsc-sim",
                "peyk-store",
                "peyk-store-postgres",
                "peyk-store-sqlite",
                "peyk-web",
            ],
        ),
    ])
}

#[test]
fn crates_depend_only_along_the_allowed_arrows() {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let allowed = allowed();
    for package in metadata["packages"].as_array().expect("packages") {
        let name = package["name"].as_str().expect("a name");
        let may = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} has no place in the map"));
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let on = dependency["name"].as_str().expect("a name");
            if dependency["kind"] == "dev" || !on.starts_with("peyk") {
                continue;
            }
            assert!(may.contains(&on), "{name} must not depend on {on}");
        }
    }
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
}

/// Files that hold tests alone are as long as their tables.
fn is_test_file(path: &Path) -> bool {
    let text = path.to_string_lossy();
    text.contains("/tests/") || text.ends_with("tests.rs") || text.contains("/conformance/")
}

fn is_test_only(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|ident| ident == "test")
    })
}

#[derive(Default)]
struct Measured {
    long: Vec<(String, usize)>,
    test_lines: usize,
}

fn lines(span: proc_macro2::Span) -> usize {
    span.end().line - span.start().line + 1
}

impl<'ast> Visit<'ast> for Measured {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if is_test_only(&module.attrs) {
            self.test_lines += lines(module.span());
        } else {
            syn::visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast syn::ItemFn) {
        self.long
            .push((function.sig.ident.to_string(), lines(function.span())));
        syn::visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast syn::ImplItemFn) {
        self.long
            .push((function.sig.ident.to_string(), lines(function.span())));
        syn::visit::visit_impl_item_fn(self, function);
    }
}

#[test]
fn files_and_functions_stay_short_enough_to_read() {
    let mut files = Vec::new();
    rust_files(&root().join("crates"), &mut files);
    assert!(files.len() > 50, "the sources were not found");
    let mut offences = Vec::new();
    for path in files.iter().filter(|path| !is_test_file(path)) {
        let text = fs::read_to_string(path).expect("a readable source");
        let file = syn::parse_file(&text).expect("a source that parses");
        let mut measured = Measured::default();
        measured.visit_file(&file);
        let own = text.lines().count().saturating_sub(measured.test_lines);
        if own > FILE_LINES_MAX {
            offences.push(format!("{}: {own} lines", path.display()));
        }
        for (name, length) in measured.long {
            if length > FUNCTION_LINES_MAX {
                offences.push(format!("{}: fn {name} has {length} lines", path.display()));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_test_that_architecture_names_exists() {
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).expect("ARCHITECTURE.md");
    let mut sources = Vec::new();
    rust_files(&root().join("crates"), &mut sources);
    let code: String = sources
        .iter()
        .map(|path| fs::read_to_string(path).expect("a source"))
        .collect();
    let named: Vec<_> = document
        .lines()
        .filter(|line| line.contains("Held by:"))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .collect();
    assert!(named.len() >= 8, "the invariants do not name their tests");
    for name in named {
        let claim = name.rsplit("::").next().unwrap_or(name);
        assert!(
            code.contains(&format!("fn {claim}")),
            "ARCHITECTURE.md names {name}"
        );
    }
}

#[test]
fn the_unsafe_code_of_our_crates_is_none() {
    let mut sources = Vec::new();
    rust_files(&root().join("crates"), &mut sources);
    let roots = sources
        .iter()
        .filter(|path| path.ends_with("src/lib.rs") || path.ends_with("src/main.rs"));
    for path in roots {
        let text = fs::read_to_string(path).expect("a source");
        assert!(
            text.contains("#![forbid(unsafe_code)]"),
            "{}",
            path.display()
        );
    }
}

/// The command lines in a document's shell blocks, without their comments.
fn shell_commands(document: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(document)).expect("a document");
    let blocks = text.split("```sh\n").skip(1);
    let lines = blocks.flat_map(|block| block.split("```").next().unwrap_or_default().lines());
    lines
        .map(|line| {
            line.split(" # ")
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned()
        })
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn the_readme_has_the_same_commands_in_both_languages() {
    let english = shell_commands("README.md");
    assert!(english.len() >= 8, "{english:?}");
    assert_eq!(english, shell_commands("README.fa.md"));
}
