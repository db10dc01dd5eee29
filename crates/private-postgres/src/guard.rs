//! A process that outlives its owner by an instant, to end the server and remove its folder.
//!
//! `Drop` alone is not enough: a test that is killed runs none, and a `static` has none.

use crate::programs;
use crate::user::User;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Stdio};

/// Waits for a line, or for the end of its input, which the system closes for an owner that was
/// killed. In that case a program that the owner had just started may still be making files, so it
/// looks again. Arguments: the folder of the programs, the folder of the server.
const SCRIPT: &str = "\
end() {
  \"$1/pg_ctl\" stop -D \"$2/data\" -m immediate -w -t 60 >/dev/null 2>&1
  rm -rf -- \"$2\"
}
if read -r _; then end \"$@\"; else end \"$@\"; sleep 10; end \"$@\"; fi";

/// Ends the server when it is dropped, or when this process ends.
#[derive(Debug)]
pub(crate) struct Guard(Child);

impl Guard {
    pub(crate) fn start(programs: &Path, folder: &Path, user: Option<User>) -> io::Result<Self> {
        let mut command = programs::command("sh", user);
        command
            .args(["-c", SCRIPT, "private-postgres"])
            .args([programs, folder])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.spawn().map(Self)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // An error would mean that the guard has gone already.
        if let Some(mut input) = self.0.stdin.take() {
            let _ = input.write_all(b"\n");
        }
        let _ = self.0.wait();
    }
}
