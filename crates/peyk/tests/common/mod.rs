//! A folder of its own for each test, and processes that end with it.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How long anything may take before the test fails.
const WAIT_MAX: Duration = Duration::from_secs(60);

/// An empty folder that commands run in.
pub struct Sandbox(TempDir);

impl Sandbox {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_peyk"));
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("PEYK_")) {
            command.env_remove(name);
        }
        command
            .args(args)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }

    /// Exit code, stdout, stderr.
    pub fn output(&self, args: &[&str]) -> (Option<i32>, String, String) {
        finish(self.command(args))
    }

    /// Stdout of a command that must do its work.
    pub fn runs(&self, args: &[&str]) -> String {
        let (code, out, said) = self.output(args);
        assert_eq!(code, Some(0), "{args:?}: {out}{said}");
        out
    }

    pub fn json(&self, args: &[&str]) -> Value {
        serde_json::from_str(&self.runs(args)).unwrap()
    }

    /// Stderr of a command that must fail.
    pub fn fails(&self, with: i32, args: &[&str]) -> String {
        let (code, out, said) = self.output(args);
        assert_eq!(code, Some(with), "{args:?}: {out}{said}");
        said
    }

    pub fn fails_in_env(&self, with: i32, args: &[&str], env: (&str, &str)) -> String {
        let mut command = self.command(args);
        command.env(env.0, env.1);
        let (code, out, said) = finish(command);
        assert_eq!(code, Some(with), "{args:?}: {out}{said}");
        said
    }
}

/// Runs a command to its end, but not for ever.
fn finish(mut command: Command) -> (Option<i32>, String, String) {
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text)
    });
    let err = std::thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).map(|_| text)
    });
    let code = wait(&mut child);
    (
        code,
        out.join().unwrap().unwrap(),
        err.join().unwrap().unwrap(),
    )
}

fn wait(child: &mut Child) -> Option<i32> {
    let begun = Instant::now();
    while begun.elapsed() < WAIT_MAX {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    child.kill().unwrap();
    panic!("the process did not end within {WAIT_MAX:?}");
}

/// A process that goes on until it is told to end; killed when the test is over.
pub struct Running {
    child: std::cell::RefCell<Child>,
    lines: Receiver<String>,
}

impl Running {
    pub fn start(sandbox: &Sandbox, args: &[&str]) -> Self {
        let mut command = sandbox.command(args);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        follow(child.stdout.take().unwrap(), sender.clone());
        follow(child.stderr.take().unwrap(), sender);
        Self {
            child: std::cell::RefCell::new(child),
            lines,
        }
    }

    /// Waits for a line that contains `words`, and gives it.
    pub fn says(&self, words: &str) -> String {
        let begun = Instant::now();
        let mut said = String::new();
        while let Some(left) = WAIT_MAX.checked_sub(begun.elapsed()) {
            let Ok(line) = self.lines.recv_timeout(left) else {
                break;
            };
            if line.contains(words) {
                return line;
            }
            said.push_str(&line);
            said.push('\n');
        }
        panic!("`{words}` was never said, only:\n{said}");
    }

    /// Ctrl-C; gives the exit code.
    pub fn interrupt(&self) -> Option<i32> {
        self.end("-INT")
    }

    /// SIGTERM; gives the exit code.
    pub fn terminate(&self) -> Option<i32> {
        self.end("-TERM")
    }

    /// SIGKILL; there is no exit code.
    pub fn kill(&self) -> Option<i32> {
        self.end("-KILL")
    }

    fn end(&self, signal: &str) -> Option<i32> {
        let mut child = self.child.borrow_mut();
        let pid = child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &pid])
                .status()
                .unwrap()
                .success()
        );
        wait(&mut child)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let child = self.child.get_mut();
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn follow(from: impl Read + Send + 'static, to: Sender<String>) {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if to.send(line).is_err() {
                break;
            }
        }
    });
}

/// The whole reply to a GET.
pub fn get(url: &str) -> String {
    call(url, "GET", "")
}

/// The body of the reply to a form.
pub fn post(url: &str, form: &str) -> String {
    let reply = call(url, "POST", form);
    reply.split_once("\r\n\r\n").unwrap().1.to_owned()
}

fn call(url: &str, method: &str, body: &str) -> String {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(WAIT_MAX)).unwrap();
    let kind = "Content-Type: application/x-www-form-urlencoded";
    let head =
        format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\n{kind}\r\nConnection: close\r\n");
    write!(stream, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}
