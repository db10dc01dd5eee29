//! `peyk.toml` and the environment over embedded defaults, every value checked before use.
//!
//! Not here: what the settings do. A setting that is not among the defaults does not exist, so
//! every setting has a default, and an unknown key is an error that names it.

mod store;

pub use store::StoreConfig;

use crate::exit::cannot_open;
use crate::process::ProcessConfig;
use anyhow::{Context, Result, bail};
use directory::{Areas, Jobs};
use domain::operator::Operators;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use toml::{Table, Value};

/// The file that is read when it lies in the working directory and no other is named.
pub const FILE_DEFAULT: &str = "peyk.toml";
/// The name of the database inside the folder that `--data` names.
pub const DATABASE: &str = "peyk.db";
/// The name of the directory beside the database, where no other is set.
pub const DIRECTORY: &str = "people.directory";
/// What the names of environment variables begin with.
const ENV_PREFIX: &str = "PEYK_";
/// Settings that may hold a password.
const SECRETS: &[&str] = &["store.url"];
/// Bytes that a configuration file or a table (operators, areas, jobs) may have.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// All settings.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the data lies.
    pub store: StoreConfig,
    /// This process among those that share the store.
    pub process: ProcessConfig,
    /// The web service.
    pub web: WebConfig,
    /// How much a request may ask for.
    pub limits: app::Limits,
    /// How customers are told that their tickets were answered.
    pub tickets: app::Notice,
    /// How messages from handsets are put together.
    pub inbox: inbound::InboxSettings,
    /// How customers' URLs are called.
    pub callbacks: inbound::CallbackSettings,
    /// What is logged.
    pub log: LogConfig,
    /// The mobile operators.
    pub operators: OperatorsConfig,
    /// The demographic directory.
    pub directory: DirectoryConfig,
}

/// The web service: where it listens, and the web crate's own settings.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default)]
pub struct WebConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// Where the key form (`GET /?apikey=…`) listens beside that; nowhere when it is empty.
    #[serde(with = "maybe_address")]
    pub key_listen: Option<SocketAddr>,
    /// Everything else about it.
    #[serde(flatten)]
    pub settings: web::WebSettings,
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            key_listen: None,
            settings: web::WebSettings::default(),
        }
    }
}

/// An address that may be left out, which is written as an empty text: a setting without a default
/// would not exist.
pub(crate) mod maybe_address {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::net::SocketAddr;

    pub(crate) fn serialize<S: Serializer>(
        address: &Option<SocketAddr>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match address {
            Some(address) => serializer.collect_str(address),
            None => serializer.serialize_str(""),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SocketAddr>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(D::Error::custom)
    }
}

/// What is logged.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogConfig {
    /// How a log line looks.
    pub format: LogFormat,
    /// Which log lines are written, in the syntax of `tracing`.
    pub filter: String,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self {
            format: LogFormat::Text,
            filter: "info".into(),
        }
    }
}

/// How a log line looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// The mobile operators.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OperatorsConfig {
    /// A table that replaces the embedded one; empty for the embedded one.
    pub file: PathBuf,
}

/// The demographic directory.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DirectoryConfig {
    /// Its file; empty for one beside the database. There need not be one.
    pub path: PathBuf,
    /// A table of areas that replaces the embedded one; empty for the embedded one.
    pub areas_file: PathBuf,
    /// A table of jobs and trends that replaces the embedded one; empty for the embedded one.
    pub jobs_file: PathBuf,
}

impl Config {
    /// The defaults, then the file, then the environment, then `--data`; all checked.
    ///
    /// # Errors
    /// A sentence that names the place, the key and what is wrong with it.
    pub fn load(
        file: Option<&Path>,
        data: Option<&Path>,
        env: impl Iterator<Item = (String, String)>,
    ) -> Result<Self> {
        let mut merged = Merged::new()?;
        let default_file = Path::new(FILE_DEFAULT);
        match file {
            Some(file) => merged.file(file)?,
            None if default_file.exists() => merged.file(default_file)?,
            None => {}
        }
        for (name, value) in env {
            merged.variable(&name, &value)?;
        }
        let both = merged.path_and_url();
        let mut config: Self = Value::Table(merged.table).try_into().map_err(refused)?;
        match data {
            Some(data) => config.store.set_folder(data),
            None if both => return Err(refused("store.path and store.url are both set")),
            None => config.store.settle().map_err(refused)?,
        }
        config.check().map_err(refused)?;
        Ok(config)
    }

    /// Whether the values can be used.
    fn check(&self) -> Result<(), String> {
        self.store.check().map_err(|said| format!("store.{said}"))?;
        if self.web.key_listen == Some(self.web.listen) && self.web.listen.port() != 0 {
            return Err("web.key_listen must not be web.listen; the key form is there too".into());
        }
        self.process
            .check()
            .map_err(|said| format!("process.{said}"))?;
        let probes = self.process.probe_listen;
        if probes.is_some_and(|at| at == self.web.listen && at.port() != 0) {
            return Err(
                "process.probe_listen must not be web.listen; the probes are there too".into(),
            );
        }
        self.web
            .settings
            .check()
            .map_err(|said| format!("web.{said}"))?;
        self.limits
            .check()
            .map_err(|said| format!("limits.{said}"))?;
        self.tickets
            .check()
            .map_err(|said| format!("tickets: {said}"))?;
        self.inbox.check().map_err(|said| format!("inbox.{said}"))?;
        self.callbacks
            .check()
            .map_err(|said| format!("callbacks.{said}"))?;
        tracing_subscriber::EnvFilter::try_new(&self.log.filter).map_err(|_| {
            format!(
                "log.filter must be a level (error, warn, info, debug, trace) or a list such as \
                 info,dispatch=debug, and is `{}`",
                self.log.filter
            )
        })?;
        self.directory
            .areas()
            .and_then(|_| self.directory.jobs())
            .map_err(|error| format!("{error:#}"))?;
        self.operators()
            .map(drop)
            .map_err(|error| format!("{error:#}"))
    }

    /// The file of the directory, whether there is one or not.
    pub fn directory_path(&self) -> PathBuf {
        if self.directory.path.as_os_str().is_empty() {
            self.store.path.with_file_name(DIRECTORY)
        } else {
            self.directory.path.clone()
        }
    }

    /// The table of operators.
    ///
    /// # Errors
    /// The file cannot be read, or a line of it cannot be used.
    pub fn operators(&self) -> Result<Operators> {
        let file = &self.operators.file;
        if file.as_os_str().is_empty() {
            return Ok(Operators::embedded());
        }
        let text = read(file).with_context(|| format!("operators.file {}", file.display()))?;
        Operators::parse(&text).with_context(|| format!("operators.file {}", file.display()))
    }
}

impl DirectoryConfig {
    /// The postal areas.
    ///
    /// # Errors
    /// The file cannot be read, or a line of it cannot be used.
    pub fn areas(&self) -> Result<Areas> {
        let file = &self.areas_file;
        if file.as_os_str().is_empty() {
            return Ok(Areas::embedded());
        }
        let named = || format!("directory.areas_file {}", file.display());
        Areas::parse(&read(file).with_context(named)?).with_context(named)
    }

    /// The jobs and trends.
    ///
    /// # Errors
    /// The file cannot be read, or a line of it cannot be used.
    pub fn jobs(&self) -> Result<Jobs> {
        let file = &self.jobs_file;
        if file.as_os_str().is_empty() {
            return Ok(Jobs::embedded());
        }
        let named = || format!("directory.jobs_file {}", file.display());
        Jobs::parse(&read(file).with_context(named)?).with_context(named)
    }
}

fn refused(error: impl std::fmt::Display) -> anyhow::Error {
    cannot_open(format!("the configuration cannot be used: {error}"))
}

fn read(file: &Path) -> Result<String> {
    let length = std::fs::metadata(file)?.len();
    if length > FILE_BYTES_MAX {
        bail!("the file is larger than {FILE_BYTES_MAX} bytes");
    }
    Ok(std::fs::read_to_string(file)?)
}

/// The settings while they are put together.
struct Merged {
    table: Table,
    /// The names of those that the file or the environment set.
    set: BTreeSet<String>,
}

impl Merged {
    fn new() -> Result<Self> {
        Ok(Self {
            table: Table::try_from(Config::default()).context("the embedded defaults")?,
            set: BTreeSet::new(),
        })
    }

    fn file(&mut self, file: &Path) -> Result<()> {
        let name = file.display();
        let text =
            read(file).map_err(|error| cannot_open(format!("cannot read {name}: {error}")))?;
        let given: Table = toml::from_str(&text)
            .map_err(|error| cannot_open(format!("{name} is no TOML: {}", one_line(&error))))?;
        for (section, value) in given {
            let Value::Table(keys) = value else {
                return Err(cannot_open(format!(
                    "{name}: `{section}` stands outside a section; settings go under {}",
                    self.sections()
                )));
            };
            self.section(&section, keys)
                .map_err(|said| cannot_open(format!("{name}: {said}")))?;
        }
        Ok(())
    }

    /// Takes a section of the file, and the sections in it.
    fn section(&mut self, section: &str, keys: Table) -> Result<(), String> {
        for (key, value) in keys {
            match (self.known(section, &key), value) {
                (Some(Value::Table(_)), Value::Table(keys)) => {
                    self.section(&format!("{section}.{key}"), keys)?;
                }
                (_, value) => self.set(section, &key, value)?,
            }
        }
        Ok(())
    }

    /// Takes `PEYK_SECTION__KEY`; other variables are none of ours. A section in a section is
    /// written `PEYK_SECTION__INNER__KEY`.
    fn variable(&mut self, name: &str, text: &str) -> Result<()> {
        let Some(path) = name.strip_prefix(ENV_PREFIX) else {
            return Ok(());
        };
        let Some((section, key)) = path.rsplit_once("__") else {
            return Ok(());
        };
        let (section, key) = (
            section.to_lowercase().replace("__", "."),
            key.to_lowercase(),
        );
        let value = match self.known(&section, &key) {
            Some(Value::String(_)) => Value::String(text.to_owned()),
            // Numbers, true and false, lists: written as in the file.
            _ => toml::from_str::<Table>(&format!("value = {text}"))
                .ok()
                .and_then(|mut table| table.remove("value"))
                .unwrap_or_else(|| Value::String(text.to_owned())),
        };
        self.set(&section, &key, value)
            .map_err(|said| cannot_open(format!("{name}: {said}")))
    }

    fn known(&self, section: &str, key: &str) -> Option<&Value> {
        let mut table = &self.table;
        for name in section.split('.') {
            table = table.get(name)?.as_table()?;
        }
        table.get(key)
    }

    fn sections(&self) -> String {
        self.table
            .keys()
            .map(|section| format!("[{section}]"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// Sets one value, if there is such a setting and it takes this value.
    fn set(&mut self, section: &str, key: &str, value: Value) -> Result<(), String> {
        let sections = self.sections();
        let mut keys = Some(&mut self.table);
        for name in section.split('.') {
            keys = keys
                .and_then(|table| table.get_mut(name))
                .and_then(Value::as_table_mut);
        }
        let Some(keys) = keys else {
            return Err(format!("unknown section [{section}]; there are {sections}"));
        };
        let Some(place) = keys.get_mut(key) else {
            let known = keys
                .keys()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(", ");
            return Err(format!(
                "unknown key {section}.{key}; [{section}] has {known}"
            ));
        };
        let name = format!("{section}.{key}");
        // What may hold a password is not shown, neither when it is right nor when it is wrong.
        let shown = if SECRETS.contains(&name.as_str()) {
            "(not shown)".to_owned()
        } else {
            value.to_string()
        };
        if place.type_str() != value.type_str() {
            let wanted = article(place.type_str());
            return Err(format!("{name} must be {wanted}, and is {shown}"));
        }
        *place = value;
        // Read with this value alone changed, the whole tells whether the value fits.
        let read: Result<Config, _> = Value::Table(self.table.clone()).try_into();
        match read {
            Ok(_) => {
                self.set.insert(name);
                Ok(())
            }
            Err(error) => Err(format!("{name} = {shown}: {}", one_line(&error))),
        }
    }

    /// Whether the store is named twice. An empty address is none.
    fn path_and_url(&self) -> bool {
        let url = self.known("store", "url").and_then(Value::as_str);
        self.set.contains("store.path") && url.is_some_and(|url| !url.is_empty())
    }
}

fn article(kind: &str) -> String {
    match kind {
        "integer" => "a whole number".into(),
        "boolean" => "true or false".into(),
        "string" => "a text in quotes".into(),
        "array" => "a list".into(),
        "table" => "a section".into(),
        other => format!("a {other}"),
    }
}

/// The message of an error without the picture of the place that follows it.
fn one_line(error: &toml::de::Error) -> String {
    error.message().replace('\n', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("peyk.toml");
        std::fs::write(&file, text).unwrap();
        let env = env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::load(Some(&file), None, env).map_err(|error| {
            format!("{error:#}").replace(&format!("{}/", dir.path().display()), "")
        })
    }

    #[test]
    fn the_environment_goes_before_the_file_and_the_file_before_the_defaults() {
        let text = "[web]\nlisten = \"127.0.0.1:9000\"\n[limits]\nrecipients_max = 10\n";
        let config = load(
            text,
            &[("PEYK_LIMITS__RECIPIENTS_MAX", "20"), ("HOME", "/")],
        )
        .unwrap();
        assert_eq!(config.web.listen.port(), 9_000);
        assert_eq!(config.limits.recipients_max, 20);
        assert_eq!(
            config.limits.text_chars_max,
            app::Limits::default().text_chars_max
        );
    }

    #[test]
    fn a_setting_that_cannot_be_is_named_with_its_place() {
        for (text, env, said) in [
            (
                "[web]\nlisten_on = 1\n",
                [("", "")],
                "peyk.toml: unknown key web.listen_on",
            ),
            (
                "[sms]\nx = 1\n",
                [("", "")],
                "peyk.toml: unknown section [sms]",
            ),
            (
                "path = \"x\"\n",
                [("", "")],
                "`path` stands outside a section",
            ),
            ("[web\n", [("", "")], "peyk.toml is no TOML"),
            (
                "[web]\nlisten = 8080\n",
                [("", "")],
                "web.listen must be a text in quotes, and is 8080",
            ),
            (
                "[web]\nlisten = \"here\"\n",
                [("", "")],
                "web.listen = \"here\"",
            ),
            (
                "[web]\nkey_listen = \"8080\"\n",
                [("", "")],
                "web.key_listen = \"8080\"",
            ),
            (
                "[web]\nkey_listen = \"127.0.0.1:8080\"\n",
                [("", "")],
                "web.key_listen must not be web.listen",
            ),
            (
                "[process]\nroles = [\"links\"]\n",
                [("", "")],
                "process.roles = [\"links\"]",
            ),
            (
                "[process]\nroles = []\n",
                [("", "")],
                "process.roles must name web, dispatch or both",
            ),
            (
                "[process]\nlease_seconds = 1\n",
                [("", "")],
                "process.lease_seconds must be 3 to 300",
            ),
            (
                "[process]\nprobe_listen = \"127.0.0.1:8080\"\n",
                [("", "")],
                "process.probe_listen must not be web.listen",
            ),
            (
                "[limits]\nnumbers_max = -1\n",
                [("", "")],
                "limits.numbers_max = -1",
            ),
            (
                "[limits]\nnumbers_max = 0\n",
                [("", "")],
                "limits.numbers_max must be 1 to",
            ),
            (
                "[log]\nformat = \"xml\"\n",
                [("", "")],
                "log.format = \"xml\"",
            ),
            (
                "[log]\nfilter = \"info,=,\"\n",
                [("", "")],
                "log.filter must be",
            ),
            (
                "[operators]\nfile = \"/no/such.tsv\"\n",
                [("", "")],
                "operators.file /no/such.tsv",
            ),
            (
                "[store]\npath = \"x.db\"\n",
                [("PEYK_STORE__URL", "sqlite:y.db")],
                "store.path and store.url are both set",
            ),
            (
                "[store]\nurl = \"mysql://h/d\"\n",
                [("", "")],
                "store.url must begin with sqlite: or postgres://",
            ),
            (
                "[store.postgres]\nwriter = 1\n",
                [("", "")],
                "unknown key store.postgres.writer; [store.postgres] has ca_file, connections",
            ),
            (
                "[store]\npostgres = 1\n",
                [("", "")],
                "store.postgres must be a section, and is 1",
            ),
            (
                "[web.listen]\nport = 1\n",
                [("", "")],
                "web.listen must be a text in quotes",
            ),
            (
                "",
                [("PEYK_STORE__POSTGRES__WRITERS", "0")],
                "store.postgres.writers must be 1 to",
            ),
            (
                "",
                [("PEYK_STORE__POSTGRE__WRITERS", "1")],
                "unknown section [store.postgre]",
            ),
            (
                "",
                [("PEYK_WEB__LISTENS", "x")],
                "PEYK_WEB__LISTENS: unknown key web.listens",
            ),
            (
                "",
                [("PEYK_LIMITS__NUMBERS_MAX", "many")],
                "limits.numbers_max must be a whole number",
            ),
        ] {
            let error = load(text, &env).unwrap_err();
            assert!(error.contains(said), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_section_in_a_section_is_set_by_file_and_environment() {
        let text = "[store.postgres]\nwriters = 4\nconnections = 3\n";
        let config = load(text, &[("PEYK_STORE__POSTGRES__CONNECTIONS", "6")]).unwrap();
        let postgres = &config.store.postgres;
        assert_eq!((postgres.writers, postgres.connections), (4, 6));
        assert_eq!(postgres.patience_seconds, 30);
    }

    #[test]
    fn an_address_of_a_file_leads_to_all_that_lies_beside_it() {
        let config = load("[store]\nurl = \"sqlite:/data/x.db\"\n", &[("", "")]).unwrap();
        assert_eq!(config.store.path, Path::new("/data/x.db"));
        assert_eq!(config.directory_path(), Path::new("/data/people.directory"));
        let config = load("[store]\npath = \"x.db\"\n", &[("PEYK_STORE__URL", "")]).unwrap();
        assert_eq!(config.store.path, Path::new("x.db"));
    }

    #[test]
    fn a_password_in_the_wrong_place_is_not_shown() {
        for (text, env) in [
            ("[store]\nurl = [\"postgres://u:s3cret@h/d\"]\n", [("", "")]),
            ("[store]\nurl = \"postgres://u:s3cret@h\"\n", [("", "")]),
            ("", [("PEYK_STORE__URL", "u:s3cret@h/d")]),
        ] {
            let error = load(text, &env).unwrap_err();
            assert!(error.contains("store.url"), "{error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn the_data_folder_of_the_command_line_goes_before_everything() {
        let env = [("PEYK_STORE__URL".to_owned(), "postgres://h/d".to_owned())];
        let config = Config::load(None, Some(Path::new("/d")), env.into_iter()).unwrap();
        assert_eq!(config.store.path, Path::new("/d/peyk.db"));
        assert_eq!(config.store.place().unwrap().to_string(), "/d/peyk.db");
    }
}
