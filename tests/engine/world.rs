//! A sandbox and a project that is connected to it.

use flowc::connector::{self, Secrets};
use flowc::engine::{Engine, Project};
use flowc::eval::Compiled;
use flowc::sandbox::{Options, Running, start};
use flowc::source::Disk;
use flowc::store::{Embedded, Key, Place, Store, StoreError};
use secrecy::SecretString;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

/// A sandbox and a project that is connected to it.
pub(crate) struct World {
    pub(crate) running: Running,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) secrets: BTreeMap<&'static str, String>,
}

struct Known(BTreeMap<&'static str, String>);

impl Secrets for Known {
    fn secret(&self, name: &str) -> Option<SecretString> {
        self.0.get(name).cloned().map(SecretString::from)
    }
}

impl World {
    pub(crate) async fn new(options: Options) -> Self {
        let running = start(Options { clock_rate: 60, ..options }).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let line = running.first_line();
        let text = |system: &str, name: &str| line[system][name].as_str().unwrap_or_default().to_owned();
        let project = include_str!("project.flow")
            .replace("SHOP_URL", &running.shop_url)
            .replace("LEDGER_URL", &running.ledger_url)
            .replace("CONTROL_URL", &running.control_url)
            .replace("DIVISION", &line["ledger"]["division"].to_string());
        std::fs::write(folder.path().join("project.flow"), project).unwrap();
        std::fs::create_dir(folder.path().join("data")).unwrap();
        std::fs::write(folder.path().join("more.flow"), include_str!("more.flow")).unwrap();
        let csv = include_str!("shipping_methods.csv");
        std::fs::write(folder.path().join("data/shipping_methods.csv"), csv).unwrap();
        let secrets = BTreeMap::from([
            ("SHOP_KEY", text("shop", "key")),
            ("SHOP_SECRET", text("shop", "secret")),
            ("EXACT_CLIENT_ID", text("ledger", "client_id")),
            ("EXACT_CLIENT_SECRET", text("ledger", "client_secret")),
            ("EXACT_REFRESH_TOKEN", text("ledger", "refresh_token")),
            ("EXACT_ACCESS_TOKEN", text("ledger", "access_token")),
        ]);
        Self { running, folder, secrets }
    }

    /// A runner as a fresh process has one.
    pub(crate) async fn engine(&self, overrides: &[(String, String)]) -> Engine {
        let checked = flowc::check::check_project(&Disk, self.folder.path(), overrides);
        for diagnostic in &checked.diagnostics {
            println!("{} {}", checked.sources.place(diagnostic.span), diagnostic.message);
        }
        assert!(checked.is_sound());
        let program = Arc::new(checked.program);
        let store: Arc<dyn Store> = Arc::new(self.store().await);
        let mut connections = Vec::new();
        for connection in &program.connections {
            let habits = program.connector(&connection.connector).unwrap();
            let opened = connector::open(connection, habits, &Known(self.secrets.clone()), Arc::clone(&store)).await;
            connections.push((connection.name.to_string(), opened.unwrap()));
        }
        let sources = checked.sources;
        let project = Project {
            evaluator: Arc::new(Compiled::new(Arc::clone(&program))),
            program,
            plan_hash: format!("{overrides:?}"),
            sources: Vec::new(),
            place: Arc::new(move |span| {
                let position = sources.position(span);
                let file = sources.get(span.file).path.display().to_string();
                let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
                Some(Place { file, line: number(position.line), column: number(position.column) })
            }),
            log_days: 14,
        };
        Engine::new(project, connections, store)
    }

    /// The store: what was cut short lets go of it as soon as its tasks have ended.
    pub(crate) async fn store(&self) -> Embedded {
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            match Embedded::open(&self.path("store.redb"), &Key::from_text("a test")) {
                Err(StoreError::InUse { .. }) if std::time::Instant::now() < patience => {
                    tokio::task::yield_now().await;
                }
                opened => return opened.unwrap(),
            }
        }
    }

    /// An hour later, another process.
    pub(crate) async fn later(&self, engine: Engine) -> Engine {
        drop(engine);
        self.control(reqwest::Method::POST, "/clock", Some("+1h".into())).await;
        self.engine(&[]).await
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) async fn control(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let mut request = reqwest::Client::new().request(method, format!("{}{path}", self.running.control_url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or_default()
    }

    pub(crate) async fn held(&self, resource: &str) -> Vec<Value> {
        self.control(reqwest::Method::GET, &format!("/{resource}"), None).await.as_array().cloned().unwrap_or_default()
    }

    /// Calls of a system: reads, writes.
    pub(crate) async fn calls(&self, system: &str) -> (u64, u64) {
        let mut counts = (0, 0);
        for row in self.held("calls").await {
            if row["system"] == system && !row["resource"].as_str().unwrap().contains("token") {
                let count = row["count"].as_u64().unwrap();
                if row["method"] == "GET" { counts.0 += count } else { counts.1 += count }
            }
        }
        counts
    }

    /// Every order that is sent is in the ledger, once, and every customer has one account.
    pub(crate) async fn all_landed_once(&self) {
        let sent = |o: &&Value| ["processing", "completed"].contains(&o["status"].as_str().unwrap());
        let text = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_lowercase();
        let orders = self.held("shop/orders").await;
        let mut wanted: Vec<String> = orders.iter().filter(sent).map(|o| text(o, "number")).collect();
        let documents = self.held("ledger/salesorder/SalesOrders").await;
        let mut there: Vec<String> = documents.iter().map(|o| text(o, "YourRef")).collect();
        wanted.sort();
        there.sort();
        assert_eq!(there, wanted, "nothing twice, nothing lost");
        let accounts = self.held("ledger/crm/Accounts").await;
        let mut emails: Vec<String> = accounts.iter().map(|a| text(a, "Email")).filter(|e| !e.is_empty()).collect();
        emails.sort();
        let all = emails.len();
        emails.dedup();
        assert_eq!(all, emails.len(), "one account a customer");
    }

    pub(crate) async fn forget_calls(&self) {
        self.control(reqwest::Method::DELETE, "/calls", None).await;
    }
}
