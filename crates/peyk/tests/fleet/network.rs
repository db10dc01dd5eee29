//! A network of its own for one process, with one cable that can be cut: everything that leaves on
//! either side is lost without a word, as behind a switch that failed.

use std::net::Ipv4Addr;
use std::process::Command;

/// The prefix of the cable's addresses, of the four in each block.
const BITS: u8 = 30;
/// Nobody's address on the wire.
const NOBODY: &str = "02:00:00:00:00:99";

/// A network namespace. It does not outlive the test.
pub struct Network {
    name: String,
    /// The ends of the cable: ours, and that of the namespace.
    ends: [String; 2],
    addresses: [Ipv4Addr; 2],
}

/// Runs `ip`; says what it complained about.
fn ip(words: &str) -> Result<(), String> {
    let output = Command::new("ip").args(words.split(' ')).output();
    let output = output.map_err(|error| format!("ip does not run: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!("ip {words}: {}", said.trim()))
}

/// Why no network can be made here; `None` when one can.
pub fn unavailable() -> Option<String> {
    Network::make().err()
}

impl Network {
    /// A namespace with a cable to it.
    ///
    /// # Errors
    /// The system does not let us.
    pub fn make() -> Result<Self, String> {
        let pid = std::process::id();
        let [_, _, third, low] = pid.to_be_bytes();
        let block = low & !3;
        let address = |host| Ipv4Addr::new(10, 213, third, block + host);
        let network = Self {
            name: format!("peyk-{pid}"),
            ends: [format!("pk{pid}a"), format!("pk{pid}b")],
            addresses: [address(1), address(2)],
        };
        let (name, [ours, theirs]) = (&network.name, &network.ends);
        let [here, there] = network.addresses;
        ip(&format!("netns add {name}"))?;
        ip(&format!(
            "link add {ours} type veth peer name {theirs} netns {name}"
        ))?;
        ip(&format!("addr add {here}/{BITS} dev {ours}"))?;
        ip(&format!("link set {ours} up"))?;
        ip(&format!("-n {name} addr add {there}/{BITS} dev {theirs}"))?;
        ip(&format!("-n {name} link set {theirs} up"))?;
        ip(&format!("-n {name} link set lo up"))?;
        Ok(network)
    }

    /// Our end, which both sides can reach.
    pub fn host(&self) -> Ipv4Addr {
        self.addresses[0]
    }

    /// The words that go before a program to run it in the namespace.
    pub fn wrapper(&self) -> Vec<String> {
        ["ip", "netns", "exec", &self.name]
            .map(str::to_owned)
            .into()
    }

    /// Loses everything from now on, in both directions.
    pub fn cut(&self) {
        self.each_side(&format!("replace % lladdr {NOBODY} nud permanent"));
    }

    /// Carries everything again.
    pub fn heal(&self) {
        self.each_side("del %");
    }

    fn each_side(&self, what: &str) {
        let (name, [ours, theirs]) = (&self.name, &self.ends);
        let [here, there] = self.addresses.map(|address| address.to_string());
        let outside = what.replace('%', &there);
        let inside = what.replace('%', &here);
        let done = ip(&format!("-n {name} neigh {inside} dev {theirs}"))
            .and_then(|()| ip(&format!("neigh {outside} dev {ours}")));
        done.unwrap_or_else(|error| panic!("{error}"));
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        // Fails where it was not made; the cable goes with the namespace.
        let _ = ip(&format!("netns del {}", self.name));
        let _ = ip(&format!("link del {}", self.ends[0]));
    }
}
