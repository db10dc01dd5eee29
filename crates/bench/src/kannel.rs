//! Kannel from Debian's package, set up as its guide says for speed, on loopback.

use crate::process;
use anyhow::{Context, Result, bail};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// How long a box may take to start.
const START_MAX: Duration = Duration::from_secs(30);

/// Where Kannel keeps what it has accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Store {
    /// In memory: nothing survives its end.
    None,
    /// In a file that it appends to, never synced.
    File,
    /// One file for each message.
    Spool,
}

/// A running bearerbox with its smsbox. They do not outlive their handle.
pub struct Kannel {
    bearerbox: Child,
    smsbox: Child,
    /// Where `sendsms` is.
    pub address: SocketAddr,
}

impl Kannel {
    /// Starts both in an empty folder, bound to the sink.
    ///
    /// # Errors
    /// It is not installed and cannot be, or does not start.
    pub fn start(folder: &Path, sink_port: u16, window: u32, store: Store) -> Result<Self> {
        install()?;
        std::fs::create_dir_all(folder)?;
        let (admin, boxes, web) = ports()?;
        let config = folder.join("kannel.conf");
        std::fs::write(
            &config,
            configuration(folder, [admin, boxes, web], sink_port, window, store),
        )?;
        let start = |program: &str| {
            let mut command = Command::new(program);
            command
                .arg(&config)
                .current_dir(folder)
                .stdin(Stdio::null());
            command.stdout(Stdio::null()).stderr(Stdio::null());
            command
                .spawn()
                .with_context(|| format!("cannot run {program}"))
        };
        let bearerbox = start("/usr/sbin/bearerbox")?;
        let smsbox = match wait_port(boxes).and_then(|()| start("/usr/sbin/smsbox")) {
            Ok(smsbox) => smsbox,
            Err(error) => {
                let mut bearerbox = bearerbox;
                let _ = bearerbox.kill();
                let _ = bearerbox.wait();
                return Err(error);
            }
        };
        let address = SocketAddr::from(([127, 0, 0, 1], web));
        let kannel = Self {
            bearerbox,
            smsbox,
            address,
        };
        wait_port(web)?;
        Ok(kannel)
    }

    /// Both processes.
    #[must_use]
    pub fn pids(&self) -> [u32; 2] {
        [self.bearerbox.id(), self.smsbox.id()]
    }
}

impl Drop for Kannel {
    fn drop(&mut self) {
        for child in [&mut self.smsbox, &mut self.bearerbox] {
            // What waits in it is of no use any more. Fails where it has ended already.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn wait_port(port: u16) -> Result<()> {
    process::wait_until("Kannel starts", START_MAX, || {
        Ok(TcpStream::connect(("127.0.0.1", port))
            .is_ok()
            .then_some(()))
    })
}

fn ports() -> Result<(u16, u16, u16)> {
    let mut ports = Vec::new();
    while ports.len() < 3 {
        let port = process::free_port()?;
        if !ports.contains(&port) {
            ports.push(port);
        }
    }
    Ok((ports[0], ports[1], ports[2]))
}

/// Installs Debian's package when it is missing.
fn install() -> Result<()> {
    let installed = || Path::new("/usr/sbin/bearerbox").exists();
    if installed() {
        return Ok(());
    }
    eprintln!("Kannel is not here: apt-get install kannel");
    for words in [&["update", "-qq"][..], &["install", "-y", "-qq", "kannel"]] {
        let mut command = Command::new("apt-get");
        command.args(words).stdout(Stdio::null());
        let _ = command.env("DEBIAN_FRONTEND", "noninteractive").status();
    }
    if !installed() {
        bail!("Kannel cannot be installed; `apt-get install kannel` as root makes it possible");
    }
    Ok(())
}

fn configuration(
    folder: &Path,
    [admin, boxes, web]: [u16; 3],
    sink_port: u16,
    window: u32,
    store: Store,
) -> String {
    let folder = folder.display();
    let store = match store {
        Store::None => String::new(),
        Store::File => format!("store-type = file\nstore-location = {folder}/kannel.store\n"),
        Store::Spool => format!("store-type = spool\nstore-location = {folder}/spool\n"),
    };
    format!(
        "group = core\nadmin-port = {admin}\nadmin-interface = 127.0.0.1\nadmin-password = bench\n\
         smsbox-port = {boxes}\nsmsbox-interface = 127.0.0.1\nsmsbox-max-pending = 10000\n\
         dlr-storage = internal\nlog-file = {folder}/bearerbox.log\nlog-level = 3\n{store}\n\
         group = smsc\nsmsc = smpp\nsmsc-id = sink\nhost = 127.0.0.1\nport = {sink_port}\n\
         smsc-username = kannel\nsmsc-password = pw\nsystem-type = \"\"\ntransceiver-mode = true\n\
         interface-version = 34\nmax-pending-submits = {window}\nsource-addr-ton = 1\n\
         source-addr-npi = 1\ndest-addr-ton = 1\ndest-addr-npi = 1\n\n\
         group = smsbox\nbearerbox-host = 127.0.0.1\nbearerbox-port = {boxes}\n\
         sendsms-port = {web}\nsendsms-interface = 127.0.0.1\nlog-file = {folder}/smsbox.log\n\
         log-level = 3\n\n\
         group = sendsms-user\nusername = bench\npassword = bench\nconcatenation = true\n\
         max-messages = 10\n"
    )
}
