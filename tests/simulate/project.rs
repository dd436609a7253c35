//! The projects that are run: the default flow, and small ones that each have one thing in them; in versions, as
//! somebody edits them.

use super::story::Kind;
use flowc::check::check_project;
use flowc::engine::Project;
use flowc::eval::Compiled;
use flowc::ir::Program;
use flowc::source::{Memory, Sources};
use flowc::store::Place;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

/// In this version orders of several lines are refused by the project itself: what parks goes on with another one.
pub(crate) const STRICT: u8 = 2;

/// A checked project.
#[derive(Clone)]
pub(crate) struct Ready {
    pub(crate) program: Arc<Program>,
    compiled: Arc<Compiled>,
    sources: Arc<Sources>,
    hash: String,
    /// Its flows, in their order.
    pub(crate) flows: Vec<String>,
}

impl Ready {
    /// The project of a kind in a version; each is checked and compiled once.
    pub(crate) fn of(kind: Kind, version: u8) -> Self {
        static READY: LazyLock<Mutex<BTreeMap<(Kind, u8), Ready>>> = LazyLock::new(Mutex::default);
        let mut ready = READY.lock().unwrap();
        ready.entry((kind, version)).or_insert_with(|| Self::new(kind, version)).clone()
    }

    fn new(kind: Kind, version: u8) -> Self {
        let root = Path::new("/project");
        let files: BTreeMap<PathBuf, String> =
            texts(kind, version).into_iter().map(|(name, text)| (root.join(name), text)).collect();
        let checked = check_project(&Memory(files), root, &[]);
        let problems: Vec<String> = checked
            .diagnostics
            .iter()
            .filter(|d| d.severity == flowc::source::Severity::Error)
            .map(|d| format!("{}: {}", checked.sources.place(d.span), d.message))
            .collect();
        assert!(checked.is_sound(), "{kind:?}: {}", problems.join("\n"));
        let program = Arc::new(checked.program);
        let flows = program.flows.iter().filter(|flow| flow.on).map(|flow| flow.name.to_string()).collect();
        Self {
            compiled: Arc::new(Compiled::new(Arc::clone(&program))),
            program,
            sources: Arc::new(checked.sources),
            hash: format!("{kind:?} {version}"),
            flows,
        }
    }

    /// For a runner.
    pub(crate) fn project(&self) -> Project {
        let sources = Arc::clone(&self.sources);
        Project {
            program: Arc::clone(&self.program),
            evaluator: Arc::clone(&self.compiled) as Arc<_>,
            plan_hash: self.hash.clone(),
            sources: Vec::new(),
            place: Arc::new(move |span| {
                let at = sources.position(span);
                let number = |n: usize| u32::try_from(n).unwrap();
                let file = sources.get(span.file).path.display().to_string();
                Some(Place { file, line: number(at.line), column: number(at.column) })
            }),
            log_days: 14,
        }
    }
}

const HEAD: &str = r#"
edition 2026
zone "Europe/Amsterdam"

connect books to exact {
  country       = "NL"
  division      = 1
  client_id     = secret("A")
  client_secret = secret("B")
  refresh_token = secret("C")
}
use woocommerce as woo
use exact
"#;

fn shop(name: &str) -> String {
    format!(
        "connect {name} to woocommerce {{\n  url = \"https://{name}.example\"\n  key = secret(\"K\")\n  secret = secret(\"S\")\n}}\n"
    )
}

fn texts(kind: Kind, version: u8) -> Vec<(&'static str, String)> {
    let one = format!("{HEAD}{}", shop("shop"));
    match kind {
        Kind::Shipped => vec![("project.flow", shipped(&one, version))],
        Kind::TwoShops => {
            let used =
                "use small as nl with woo = shop\nuse small as be with woo = shop_be\nrun nl.orders, be.orders\n";
            vec![
                ("project.flow", format!("{one}{}{used}", shop("shop_be"))),
                (
                    "small.flow",
                    small("  on change update while was.DeliveryStatus == \"open\" else alert", "", version),
                ),
            ]
        }
        Kind::Customers => {
            vec![("project.flow", format!("{one}use small\nrun small.customers\n")), ("small.flow", customers(version))]
        }
        Kind::TwoFlows => {
            let orders = small("  on change update while was.DeliveryStatus == \"open\" else alert", "", version);
            let flow = "\nflow customers {\n  from woo.Customer as customer\n  every 5 minutes\n  write person(customer.billing)\n}\n";
            vec![
                ("project.flow", format!("{one}use small\nrun small.orders, small.customers\n")),
                ("small.flow", orders + flow),
            ]
        }
        Kind::Update | Kind::Alert | Kind::Note | Kind::Tag => {
            let (change, more) = match kind {
                Kind::Alert => ("  on change alert", ""),
                Kind::Note => ("  on change note(order)", NOTE),
                Kind::Tag => ("  on change update while was.DeliveryStatus == \"open\" else alert", TAG),
                _ => ("  on change update while was.DeliveryStatus == \"open\" else alert", ""),
            };
            vec![
                ("project.flow", format!("{one}use small\nrun small.orders\n")),
                ("small.flow", small(change, more, version)),
            ]
        }
    }
}

/// What the description of a document ends with, in a version of the project.
pub(crate) fn mark(version: u8) -> &'static str {
    ["", ".", "", "!"][usize::from(version % 4)]
}

fn small(change: &str, more: &str, version: u8) -> String {
    let strict = if version == STRICT {
        "  check order.line_items.count() < 2 else fail \"too many lines for this version\"\n"
    } else {
        ""
    };
    let then = if more.contains("mapping tag") { "  then write tag(\"T{it.OrderNumber}\")\n" } else { "" };
    format!(
        r#"use woocommerce as woo
use exact

flow orders {{
  from  woo.Order as order
  where order.status in ["processing", "completed"]
  every 5 minutes
  write document(order)
}}

mapping document(order: woo.Order) -> exact.SalesOrder {{
  create once by YourRef
{change}

  YourRef          = "{{order.number}}"
  Description      = "Order {{order.number}}{mark}".fit()
  PaymentReference = order.transaction_id?.fit()
  Remarks          = order.customer_note
  on create {{
    OrderedBy = ensure person(order.billing)
  }}
  SalesOrderLines = [for line in order.line_items: goods(line)]
{strict}
  balance AmountFC to order.total within 0.01 each
    else fail "the lines come to {{sum}}, the order to {{order.total}}"
{then}}}

fields goods(line: woo.LineItem) for exact.SalesOrderLine {{
  Item     = exact.Item(line.sku ?? fail "no SKU") ?? fail "there is no item {{line.sku ?? ""}}"
  Quantity = line.quantity
  VATCode  = "5"
  NetPrice = (price(line.total, line.total_tax) / line.quantity).round(4)
}}

mapping person(billing: woo.Billing) -> exact.Account {{
  upsert by Email

  Name  = billing.full_name().fit()
  Email = billing.email
  Phone = billing.phone?.fit()
  on create {{
    Status = "customer"
  }}
}}
{more}"#,
        mark = mark(version)
    )
}

const NOTE: &str = r#"
mapping note(order: woo.Order) -> exact.Item {
  upsert linked to order or by Code

  Code        = "N{order.id}"
  Description = (order.customer_note ?? "no note").fit()
}
"#;

const TAG: &str = r#"
mapping tag(code: text) -> exact.Item {
  create once by Code

  Code        = code
  Description = "a tag"
}
"#;

fn customers(version: u8) -> String {
    format!(
        r#"use woocommerce as woo
use exact

flow customers {{
  from woo.Customer as customer
  every 5 minutes
  write account(customer)
}}

mapping account(customer: woo.Customer) -> exact.Account {{
  upsert linked to customer or by Email

  Name              = customer.billing.full_name().fit()
  Email             = customer.email
  Phone             = customer.billing.phone?.fit()
  ChamberOfCommerce = "{{customer.id}}".fit()
  AddressLine3      = "version {version}".fit()
  on create {{
    Status = "customer"
  }}
}}
"#
    )
}

fn shipped(head: &str, version: u8) -> String {
    let strict = if version == STRICT {
        "  default_debtor_for = \"everybody\"\n  default_debtor     = \"NOBODY\"\n"
    } else {
        ""
    };
    format!(
        r#"{head}
use flows.tables
use flows.customers
use flows.orders

run orders.orders

# Version {version}.
settings for orders {{
  shipping_item = "SHIP"
  fee_item      = "FEE"
  rounding_item = "ROUND"
{strict}}}
"#
    )
}
