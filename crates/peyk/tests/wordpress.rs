//! The plugin of `plugins/wordpress/` in a real WordPress, on a MariaDB of its own, against the real
//! service. WooCommerce is a stand-in that fires the same actions.
//!
//! Where a program or WordPress is missing, the tests are not run, and the runner says why.

mod support;

use libtest_mimic::{Arguments, Trial};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use support::demo::{Demo, succeeds};
use support::home::free_port;
use support::peer::{folder, unavailable};

/// What the PHP here must have.
const PROBE: &str = "foreach (['mysqli', 'curl', 'dom', 'mbstring'] as $name) {
    if (!extension_loaded($name)) { fwrite(STDERR, \"the extension $name is missing\"); exit(1); }
}";

/// MariaDB without a network, without accounts and without waiting for the disk.
const DATABASE_OPTIONS: [&str; 8] = [
    "--no-defaults",
    "--user=root",
    "--skip-networking",
    "--skip-grant-tables",
    "--skip-log-bin",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-buffer-pool-size=32M",
    "--innodb-log-file-size=8M",
];

fn plugins() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../plugins/wordpress")
}

/// Where scripts/test unpacks WordPress.
fn wordpress() -> PathBuf {
    folder().join("wordpress/usr/share/wordpress")
}

/// A site with its database and its service. All of it ends with the test.
struct Site {
    demo: Demo,
    servers: Vec<Child>,
    folder: tempfile::TempDir,
    port: u16,
}

impl Site {
    fn start() -> Self {
        let mut site = Self {
            demo: Demo::start(),
            servers: Vec::new(),
            folder: tempfile::tempdir().expect("a private folder"),
            port: free_port(),
        };
        site.copy_plugins();
        site.start_database();
        let said = succeeds(site.php("install.php"));
        assert!(said.ends_with("installed\n"), "{said}");
        site.start_pages();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn copy_plugins(&self) {
        let target = self.path("content/plugins/peyk");
        for part in ["includes", "languages", "assets", "."] {
            let (from, to) = (plugins().join("peyk").join(part), target.join(part));
            fs::create_dir_all(&to).expect("a folder");
            for entry in fs::read_dir(from).expect("the plugin").flatten() {
                if entry.path().is_file() {
                    fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
                }
            }
        }
        let stand_in = "woocommerce-stand-in.php";
        let tests = plugins().join("tests");
        fs::copy(
            tests.join(stand_in),
            self.path("content/plugins").join(stand_in),
        )
        .expect("a copy");
        // Debian's points to /etc; ours reads the environment, and is the same for every run.
        fs::copy(
            tests.join("wp-config.php"),
            wordpress().join("wp-config.php"),
        )
        .expect("a copy");
    }

    fn start_database(&mut self) {
        let data = self.path("data");
        fs::create_dir(&data).expect("a folder");
        let mut command = Command::new("mariadbd");
        command.args(DATABASE_OPTIONS);
        command.arg(format!("--datadir={}", data.display()));
        command.arg(format!("--socket={}", self.path("db.sock").display()));
        self.start_server(command, "database.log");
    }

    /// The site over HTTP, for what is done in a browser.
    fn start_pages(&mut self) {
        let mut command = Command::new("php");
        command.args(["-q", "-S", &format!("127.0.0.1:{}", self.port), "-t"]);
        command.arg(wordpress());
        self.environment(&mut command);
        self.start_server(command, "pages.log");
        let port = self.port;
        support::home::wait_until("the site answers", support::demo::PATIENCE, || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
    }

    fn start_server(&mut self, mut command: Command, log: &str) {
        let log = File::create(self.path(log)).expect("a log");
        let errors = log.try_clone().expect("a log");
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        self.servers.push(command.spawn().expect("a server starts"));
    }

    fn environment(&self, command: &mut Command) {
        command
            .env("WP_TEST_SOCKET", self.path("db.sock"))
            .env("WP_TEST_URL", format!("http://127.0.0.1:{}", self.port))
            .env("WP_TEST_CONTENT", self.path("content"))
            .env("WP_TEST_ROOT", wordpress())
            .env("WP_TEST_DEMO", self.demo.file().path());
    }

    /// A program of the plugin's tests.
    fn php(&self, name: &str) -> Command {
        let mut command = Command::new("php");
        command.arg(plugins().join("tests").join(name));
        self.environment(&mut command);
        command
    }

    fn run(&self, scenario: &str) {
        let mut command = self.php("run.php");
        command.arg(scenario);
        // PHP ends some failures with success, so that the last word counts.
        let said = succeeds(command);
        assert!(said.ends_with("done\n"), "{scenario}: {said}");
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        for server in &mut self.servers {
            // Fails where it has ended already.
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn missing() -> Option<String> {
    let wordpress = wordpress().join("wp-load.php");
    unavailable("php", &["-r", PROBE])
        .or_else(|| unavailable("mariadbd", &["--version"]))
        .or_else(|| {
            let why = format!("WordPress is not in {}", folder().display());
            (!wordpress.is_file()).then_some(why)
        })
}

/// The names of the scenarios, as they stand in their file.
fn scenarios() -> Vec<String> {
    let file = plugins().join("tests/scenarios.php");
    let code = fs::read_to_string(file).expect("the scenarios");
    let names = code
        .lines()
        .filter_map(|line| line.strip_prefix("function scenario_"));
    names
        .filter_map(|rest| Some(rest.split_once('(')?.0.to_owned()))
        .collect()
}

fn main() {
    let arguments = Arguments::from_args();
    let missing = missing();
    // One site for all: they take turns, and the first one starts it.
    let site: Arc<Mutex<Option<Site>>> = Arc::default();
    let trials = scenarios().into_iter().map(|name| {
        let title = format!("wordpress_{name}");
        if let Some(why) = &missing {
            println!("skipped: {title}: {why}");
        }
        let site = Arc::clone(&site);
        let run = move || {
            let mut turn = site.lock().unwrap_or_else(PoisonError::into_inner);
            turn.get_or_insert_with(Site::start).run(&name);
            Ok(())
        };
        Trial::test(title, run).with_ignored_flag(missing.is_some())
    });
    let outcome = libtest_mimic::run(&arguments, trials.collect());
    // `exit` does not unwind, which would leave the servers running.
    drop(site.lock().unwrap_or_else(PoisonError::into_inner).take());
    outcome.exit();
}
