//! Faults at exact system calls, by strace.

use std::path::Path;
use std::process::Command;

/// Why faults cannot be injected here; `None` when they can.
pub fn unavailable() -> Option<String> {
    // `-D` makes the tracer a grandchild: the child that the test started is the program itself.
    let arguments = [
        "-D",
        "-f",
        "-qq",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync",
        "true",
    ];
    match Command::new("strace").args(arguments).output() {
        Err(error) => Some(format!("strace does not run: {error}")),
        Ok(output) if !output.status.success() => Some(format!(
            "strace may not trace: {}",
            String::from_utf8_lossy(&output.stderr)
        )),
        Ok(_) => None,
    }
}

/// The words that go before a program to run it with `fault` at its syncs, which are written to
/// `log` in their order with the paths of their files, together with `also`, other calls to be seen.
pub fn at_syncs(fault: &str, also: &str, log: &Path) -> Vec<String> {
    let syncs = "fsync,fdatasync";
    let words = [
        "strace",
        "-D",
        "-f",
        "-qq",
        "-y",
        "-s",
        "4096",
        "-e",
        "signal=none",
        "-o",
        &log.display().to_string(),
        "-e",
        &format!("trace={syncs}{also}"),
        "-e",
        &format!("inject={syncs}:{fault}"),
    ];
    words.map(str::to_owned).to_vec()
}
