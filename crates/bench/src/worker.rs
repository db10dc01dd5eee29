//! A helper process of the measurement: this binary again, with a hidden command. It is spoken to
//! in lines: one line in, one JSON line out.

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running helper. It does not outlive its handle.
pub struct Worker {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    name: String,
}

impl Worker {
    /// Starts this binary with the given arguments.
    ///
    /// # Errors
    /// The process cannot be started.
    pub fn start(arguments: &[String]) -> Result<Self> {
        let own = std::env::current_exe().context("where am I?")?;
        let mut child = Command::new(own)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start a helper process")?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            bail!("a helper process without pipes");
        };
        Ok(Self {
            child,
            stdin,
            stdout: BufReader::new(stdout),
            name: arguments.first().cloned().unwrap_or_default(),
        })
    }

    /// Its process.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Writes one line.
    ///
    /// # Errors
    /// The helper is gone.
    pub fn tell(&mut self, line: &str) -> Result<()> {
        writeln!(self.stdin, "{line}").with_context(|| format!("the {} is gone", self.name))?;
        Ok(self.stdin.flush()?)
    }

    /// Reads one line of JSON.
    ///
    /// # Errors
    /// The helper ended, or said something else.
    pub fn hear<T: DeserializeOwned>(&mut self) -> Result<T> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            bail!("the {} ended: {:?}", self.name, self.child.wait()?);
        }
        serde_json::from_str(&line)
            .with_context(|| format!("the {} said {}", self.name, line.trim_end()))
    }

    /// Writes one line and reads the answer.
    ///
    /// # Errors
    /// As [`Self::tell`] and [`Self::hear`].
    pub fn ask<T: DeserializeOwned>(&mut self, line: &str) -> Result<T> {
        self.tell(line)?;
        self.hear()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // Fails where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prints one JSON line to the process that started this helper.
///
/// # Errors
/// Nobody reads any more.
pub fn say<T: serde::Serialize>(value: &T) -> Result<()> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, value)?;
    out.write_all(b"\n")?;
    Ok(out.flush()?)
}
