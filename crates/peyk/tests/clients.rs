//! The client packages of `clients/`: their own tests, and their calls of the real service.
//!
//! Where a language is missing, its tests are not run, and the runner says why. The same holds for the
//! operations that this service does not have.

mod support;

use libtest_mimic::{Arguments, Trial};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use support::demo::{Demo, DemoFile, succeeds};
use support::peer::unavailable;

/// Operations that the clients know beside the seven that every service has.
const MORE: [&str; 18] = [
    "booklist",
    "booklistV2",
    "booknumberlist",
    "phoneBookAdd",
    "booksend",
    "inboxlist",
    "pattern",
    "patternInfo",
    "postalcodearea",
    "postalcodecount",
    "postalcodesend",
    "jobslist",
    "jobstrendlist",
    "jobscount",
    "jobssend",
    "accesslist",
    "newuser",
    "ticketadd",
];

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients")
}

/// A client package, and how its programs are run.
#[derive(Clone, Copy)]
struct Language {
    name: &'static str,
    program: &'static str,
    /// What must run for its tests to run.
    probe: &'static [&'static str],
    unit: fn() -> Command,
    /// The program that calls the real service; given `demo.json` and a scenario.
    end_to_end: &'static str,
    /// Its name in Markdown.
    fence: &'static str,
    /// Writes the README's example into a folder, and gives what runs it.
    example: fn(&Path, &str) -> Command,
}

impl Language {
    fn command(&self) -> Command {
        let mut command = Command::new(self.program);
        command.env("PYTHONPATH", clients().join("python/src"));
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command.env("PYTHONUTF8", "1");
        command
    }

    fn run(&self, demo: &DemoFile, more: &[&str]) {
        let mut command = self.command();
        command.arg(clients().join(self.end_to_end));
        command.arg(demo.path()).args(more);
        print!("{}", succeeds(command));
    }

    /// The first example of the README, with the address and the password of a demo.
    fn first_example(&self, demo: &DemoFile) {
        let file = clients().join(self.name).join("README.md");
        let readme = fs::read_to_string(file).expect("a README");
        let begin = format!("```{}\n", self.fence);
        let (_, rest) = readme.split_once(&begin).expect("an example");
        let (example, _) = rest.split_once("\n```").expect("its end");
        let code = example
            .replace("http://127.0.0.1:8080", &demo.base())
            .replace("PASSWORD", &demo.field("pass"));
        assert_ne!(code, example);
        let folder = tempfile::tempdir().expect("a folder");
        let said = succeeds((self.example)(folder.path(), &code));
        let bulk = said.split(' ').next().and_then(|id| id.parse().ok());
        assert!(bulk.is_some_and(|bulk: u32| bulk > 10_000), "{said}");
        assert!(said.contains("\n+989121111111 "), "{said}");
    }
}

fn python_unit() -> Command {
    let mut command = PYTHON.command();
    command.args(["-m", "unittest", "discover", "-s", "tests"]);
    command.current_dir(clients().join("python"));
    command
}

fn python_example(folder: &Path, code: &str) -> Command {
    let file = folder.join("first.py");
    fs::write(&file, code).expect("a file");
    let mut command = PYTHON.command();
    command.arg(file);
    command
}

const PYTHON: Language = Language {
    name: "python",
    program: "python3",
    probe: &["-c", "import sys; assert sys.version_info >= (3, 8)"],
    unit: python_unit,
    end_to_end: "python/tests/end_to_end.py",
    fence: "python",
    example: python_example,
};

fn javascript_unit() -> Command {
    let mut command = JAVASCRIPT.command();
    command.args(["--test", "tests/calls.test.mjs", "tests/client.test.mjs"]);
    command.current_dir(clients().join("javascript"));
    command
}

/// The example imports the package by its name, as an installed one.
fn javascript_example(folder: &Path, code: &str) -> Command {
    let modules = folder.join("node_modules");
    fs::create_dir(&modules).expect("a folder");
    let package = clients().join("javascript").canonicalize();
    std::os::unix::fs::symlink(package.expect("the package"), modules.join("peyk-client"))
        .expect("a link");
    let file = folder.join("first.mjs");
    fs::write(&file, code).expect("a file");
    let mut command = JAVASCRIPT.command();
    command.arg(file);
    command
}

const JAVASCRIPT: Language = Language {
    name: "javascript",
    program: "node",
    probe: &[
        "-e",
        "process.exit(+process.versions.node.split('.')[0] >= 18 ? 0 : 1)",
    ],
    unit: javascript_unit,
    end_to_end: "javascript/tests/end-to-end.mjs",
    fence: "js",
    example: javascript_example,
};

fn php_unit() -> Command {
    let mut command = Command::new("phpunit");
    command.current_dir(clients().join("php"));
    command
}

fn php_example(folder: &Path, code: &str) -> Command {
    let autoload = clients().join("php/autoload.php");
    let code = code.replace("vendor/autoload.php", autoload.to_str().expect("text"));
    let file = folder.join("first.php");
    fs::write(&file, format!("<?php\n{code}")).expect("a file");
    let mut command = PHP.command();
    command.arg(file);
    command
}

const PHP: Language = Language {
    name: "php",
    program: "php",
    probe: &[
        "-r",
        "exit(PHP_VERSION_ID >= 70400 && extension_loaded('curl') ? 0 : 1);",
    ],
    unit: php_unit,
    end_to_end: "php/tests/end-to-end.php",
    fence: "php",
    example: php_example,
};

/// A trial whose name is made from its parts.
fn trial(name: String, skipped: Option<&String>, run: impl FnOnce() + Send + 'static) -> Trial {
    if let Some(why) = skipped {
        println!("skipped: {name}: {why}");
    }
    let run = move || {
        run();
        Ok(())
    };
    Trial::test(name, run).with_ignored_flag(skipped.is_some())
}

/// The trials of one language; `lacking` are the operations that the service does not have.
fn trials(language: Language, demo: &DemoFile, lacking: &[&str]) -> Vec<Trial> {
    let name = language.name;
    let missing = unavailable(language.program, language.probe);
    let mut trials = vec![];
    let no_unit = match name {
        "php" => missing
            .clone()
            .or_else(|| unavailable("phpunit", &["--version"])),
        _ => missing.clone(),
    };
    trials.push(trial(
        format!("the_tests_of_the_{name}_package_pass"),
        no_unit.as_ref(),
        move || drop(succeeds((language.unit)())),
    ));
    let transports: &[&str] = if name == "php" {
        &["curl", "streams"]
    } else {
        &[""]
    };
    for transport in transports {
        let words: Vec<&str> = ["everything", transport]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect();
        let with = if transport.is_empty() {
            String::new()
        } else {
            format!("_over_{transport}")
        };
        trials.push(trial(
            format!("the_{name}_client_sends_follows_and_cancels{with}"),
            missing.as_ref(),
            // The credit is compared to the rial, so that it has a demo of its own.
            move || {
                let demo = Demo::start();
                language.run(&demo.file(), &words);
            },
        ));
    }
    trials.push(trial(
        format!("the_first_example_for_{name}_works_against_the_demo"),
        missing.as_ref(),
        {
            let demo = demo.clone();
            move || language.first_example(&demo)
        },
    ));
    for operation in MORE {
        let no_operation = lacking
            .contains(&operation)
            .then(|| "this service answers it with 963".to_owned());
        let demo = demo.clone();
        trials.push(trial(
            format!("the_{name}_client_understands_{operation}"),
            missing.as_ref().or(no_operation.as_ref()),
            move || language.run(&demo, &[operation]),
        ));
    }
    trials
}

fn main() {
    let arguments = Arguments::from_args();
    let demo = Demo::start();
    let file = demo.file();
    let lacking: Vec<&str> = MORE
        .into_iter()
        .filter(|operation| !file.has(operation))
        .collect();
    let mut all = Vec::new();
    for language in [PYTHON, JAVASCRIPT, PHP] {
        all.extend(trials(language, &file, &lacking));
    }
    let outcome = libtest_mimic::run(&arguments, all);
    // `exit` does not unwind, which would leave the server running.
    drop(demo);
    outcome.exit();
}
