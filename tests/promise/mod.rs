//! What the promises' tests share: a sandbox in this process, a project that is connected to it, and the real binary.

#![allow(dead_code, reason = "each test file uses its part of this")]
#![allow(clippy::unwrap_used, reason = "a surprise fails the test")]

use flowc::sandbox::{Options, Running, start};
use rust_decimal::Decimal;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How often a running process is looked at.
const LOOK: Duration = Duration::from_millis(10);
/// The statuses that `flows/orders.flow` sends by default.
const SENT: [&str; 2] = ["processing", "completed"];

/// A sandbox and a project that is connected to it.
pub(crate) struct World {
    runtime: tokio::runtime::Runtime,
    running: Option<Running>,
    control_url: String,
    folder: tempfile::TempDir,
}

/// What a command said.
pub(crate) struct Said {
    /// Its exit code; none where it was killed.
    pub(crate) code: Option<i32>,
    /// Its answer.
    pub(crate) stdout: String,
    /// What it told people.
    pub(crate) stderr: String,
}

/// What a run that was watched has cost.
pub(crate) struct Watched {
    /// Its exit code.
    pub(crate) code: Option<i32>,
    /// Most memory that it held at once, in KB; none where the system does not tell.
    pub(crate) peak_kb: Option<u64>,
    /// How long it took.
    pub(crate) took: Duration,
}

impl Said {
    fn of(Output { status, stdout, stderr }: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: status.code(), stdout: text(stdout), stderr: text(stderr) }
    }

    /// Its answer, an object a line.
    pub(crate) fn lines(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl World {
    /// A sandbox with these options, and the project of `tests/recorded/project` connected to it.
    pub(crate) fn new(options: Options) -> Self {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let running = runtime.block_on(start(Options { clock_rate: 60, ..options })).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let line = running.first_line();
        let text = |system: &str, name: &str| line[system][name].as_str().unwrap_or_default().to_owned();
        let project = include_str!("../recorded/project/project.flow")
            .replace("SHOP_URL", &running.shop_url)
            .replace("LEDGER_URL", &running.ledger_url)
            .replace("CONTROL_URL", &running.control_url)
            .replace("DIVISION", &line["ledger"]["division"].to_string());
        let root = folder.path();
        std::fs::write(root.join("project.flow"), project).unwrap();
        std::fs::create_dir(root.join("data")).unwrap();
        let csv = include_str!("../recorded/project/data/shipping_methods.csv");
        std::fs::write(root.join("data/shipping_methods.csv"), csv).unwrap();
        let secrets: String = [
            ("SHOP_KEY", text("shop", "key")),
            ("SHOP_SECRET", text("shop", "secret")),
            ("EXACT_CLIENT_ID", text("ledger", "client_id")),
            ("EXACT_CLIENT_SECRET", text("ledger", "client_secret")),
            ("EXACT_REFRESH_TOKEN", text("ledger", "refresh_token")),
            ("EXACT_ACCESS_TOKEN", text("ledger", "access_token")),
        ]
        .iter()
        .map(|(name, value)| format!("{name}={value}\n"))
        .collect();
        std::fs::create_dir(root.join(".flowc")).unwrap();
        std::fs::write(root.join(".flowc/secrets"), secrets).unwrap();
        let control_url = running.control_url.clone();
        Self { runtime, running: Some(running), control_url, folder }
    }

    /// Both systems are away from now on, and their clock with them.
    pub(crate) fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            self.runtime.block_on(running.stop());
        }
    }

    /// What the sandbox prints first.
    pub(crate) fn first_line(&self) -> Value {
        self.running.as_ref().unwrap().first_line()
    }

    /// The project's folder.
    pub(crate) fn root(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        // Another build may be meant: a release build where a large run is measured.
        let binary = std::env::var_os("FLOWC").unwrap_or_else(|| env!("CARGO_BIN_EXE_flowc").into());
        let mut command = Command::new(binary);
        command
            .args(arguments)
            .current_dir(self.root())
            .env("NO_COLOR", "1")
            .env("COLUMNS", "200")
            .stdin(Stdio::null());
        command
    }

    /// Runs the binary in the project.
    pub(crate) fn flowc(&self, arguments: &[&str]) -> Said {
        Said::of(self.command(arguments).output().unwrap())
    }

    /// Runs this in a shell in the project; `$FLOWC` is the binary.
    pub(crate) fn shell(&self, script: &str) -> Said {
        let flowc = self.command(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).env("FLOWC", flowc.get_program()).env("NO_COLOR", "1").env("COLUMNS", "200");
        Said::of(shell.current_dir(self.root()).stdin(Stdio::null()).output().unwrap())
    }

    /// The same, with these lines on its stdin.
    pub(crate) fn flowc_reading(&self, arguments: &[&str], lines: &str) -> Said {
        let input = self.root().join("stdin");
        std::fs::write(&input, lines).unwrap();
        let mut command = self.command(arguments);
        Said::of(command.stdin(std::fs::File::open(input).unwrap()).output().unwrap())
    }

    /// Starts the binary in the project; its output is to be read.
    pub(crate) fn listen(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Changes `project.flow`.
    pub(crate) fn edit(&self, change: impl FnOnce(String) -> String) {
        let path = self.root().join("project.flow");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, change(text)).unwrap();
    }

    /// What a browser shows at this address.
    pub(crate) fn browse(&self, address: &str) -> String {
        self.runtime.block_on(async { reqwest::get(address).await.unwrap().text().await.unwrap() })
    }

    /// Starts the binary in the project; nobody listens to it.
    pub(crate) fn spawn(&self, arguments: &[&str]) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// Runs the binary in the project and watches its memory.
    pub(crate) fn watched(&self, arguments: &[&str]) -> Watched {
        let began = Instant::now();
        let mut child = self.spawn(arguments);
        let mut peak_kb = None;
        loop {
            // The last look before the end counts: a high-water mark only rises.
            peak_kb = peak(child.id()).max(peak_kb);
            if let Some(status) = child.try_wait().unwrap() {
                return Watched { code: status.code(), peak_kb, took: began.elapsed() };
            }
            std::thread::sleep(LOOK);
        }
    }

    /// Asks the sandbox's control API.
    pub(crate) fn control(&self, method: reqwest::Method, path: &str, body: Option<&Value>) -> Value {
        self.runtime.block_on(async {
            let mut request = reqwest::Client::new().request(method, format!("{}{path}", self.control_url));
            if let Some(body) = body {
                request = request.json(body);
            }
            let answer = request.send().await.unwrap();
            let well = answer.status().is_success();
            let text = answer.text().await.unwrap();
            assert!(well, "the control API says: {text}");
            serde_json::from_str(&text).unwrap_or_default()
        })
    }

    /// Everything that a side holds: `shop/orders`, `ledger/crm/Accounts`.
    pub(crate) fn held(&self, resource: &str) -> Vec<Value> {
        match self.control(reqwest::Method::GET, &format!("/{resource}"), None) {
            Value::Array(rows) => rows,
            _ => Vec::new(),
        }
    }

    /// Both systems' clocks move on: `+10m`.
    pub(crate) fn later(&self, by: &str) {
        self.control(reqwest::Method::POST, "/clock", Some(&by.into()));
    }

    /// How both systems misbehave from now on.
    pub(crate) fn faults(&self, faults: &Value) {
        self.control(reqwest::Method::PUT, "/faults", Some(faults));
    }

    /// The calls of a system since they were last forgotten: reads and writes, without those for tokens.
    pub(crate) fn calls(&self, system: &str) -> (u64, u64) {
        let mut counts = (0, 0);
        for row in self.held("calls") {
            if row["system"] == system && !text(&row, "resource").contains("token") {
                let count = row["count"].as_u64().unwrap();
                if row["method"] == "GET" { counts.0 += count } else { counts.1 += count }
            }
        }
        counts
    }

    /// Counts calls from here.
    pub(crate) fn forget_calls(&self) {
        self.control(reqwest::Method::DELETE, "/calls", None);
    }

    /// What `flowc records` lists, by the key in the shop.
    pub(crate) fn records(&self) -> BTreeMap<String, Value> {
        let said = self.flowc(&["records", "--format", "json"]);
        assert_eq!(said.code, Some(0), "{}", said.stderr);
        let lines = said.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|row| (text(&row, "id").trim_start_matches("orders:").to_owned(), row)).collect()
    }

    /// Writes whose outcome is not known, as the store has them; nobody else may have it open.
    pub(crate) fn open_intents(&self) -> Vec<flowc::store::Intent> {
        use flowc::store::{Embedded, Key, Store as _};
        let private = self.root().join(".flowc");
        let path = private.join("store.redb");
        if !path.exists() {
            return Vec::new();
        }
        self.runtime.block_on(async {
            let store = Embedded::open(&path, &Key::find(&private, &[&path]).unwrap()).unwrap();
            store.open_intents(None).await.unwrap()
        })
    }
}

/// The orders that are to be sent.
pub(crate) fn sent(orders: &[Value]) -> impl Iterator<Item = &Value> {
    orders.iter().filter(|order| SENT.contains(&text(order, "status")))
}

/// A member that is text; nothing where it is not.
pub(crate) fn text<'v>(value: &'v Value, member: &str) -> &'v str {
    value[member].as_str().unwrap_or_default()
}

/// An amount, however it is written; nought where there is none.
pub(crate) fn amount(value: &Value) -> Decimal {
    let written = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Decimal::ZERO,
    };
    let parsed = written.parse().or_else(|_| Decimal::from_scientific(&written));
    parsed.unwrap_or_else(|_| panic!("`{written}` is no amount"))
}

/// How many, unless somebody wants more: `KILLS=300 cargo test --test kill`.
pub(crate) fn size(name: &str, usually: u64) -> u64 {
    std::env::var(name).ok().and_then(|n| n.parse().ok()).unwrap_or(usually)
}

/// Compares a text with a file of `tests/golden`; `UPDATE=1` writes it.
pub(crate) fn golden(name: &str, now: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, now).unwrap();
        return;
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == now, "tests/golden/{name} says otherwise; if this is right, run with UPDATE=1:\n{now}");
}

fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}
