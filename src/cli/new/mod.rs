//! `flowc new`: a project with its connections, the default flows, answers to what they ask, and rows for its tables.

mod chosen;
mod held;
mod rows;
mod shipped;
mod text;

use super::project::PROJECT_FILE;
use super::remote::Control;
use super::screen::{Paint, Screen};
use super::{Answer, Format, Outcome, Trouble, render, runtime, secrets};
use crate::check;
use crate::source::Disk;
use crate::workspace::{Defaults, LOCK_FILE, Texts};
pub(crate) use chosen::Chosen;
use held::Held;
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use text::Project;

/// The arguments of `new`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The project's folder, made when it is not there.
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Ask nothing: what the flags don't say stays at its default.
    #[arg(long)]
    yes: bool,
    /// Connect it to the sandbox whose first line this file holds; `-` for stdin.
    #[arg(long, value_name = "FILE")]
    sandbox: Option<PathBuf>,
    /// A flow that is on, such as `customers.customers_to_ledger`; a module, `customers`, for all of its flows; `all` for each
    /// that ships. May be said several times.
    #[arg(long = "flow", value_name = "NAME", default_value = "orders.orders")]
    flows: Vec<String>,
    /// The shop's address.
    #[arg(long, value_name = "URL", conflicts_with = "sandbox")]
    shop_url: Option<String>,
    /// The country of the Exact Online site, such as NL.
    #[arg(long, value_name = "COUNTRY", conflicts_with = "sandbox")]
    country: Option<String>,
    /// The number of the administration.
    #[arg(long, value_name = "NUMBER", conflicts_with = "sandbox")]
    division: Option<u64>,
    /// The time zone in which the books are kept.
    #[arg(long, value_name = "ZONE", default_value = "Europe/Amsterdam")]
    zone: String,
    /// Answers a setting: `shipping_item=SHIP`, or `orders.shipping_item=SHIP`.
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = super::open::name_and_value)]
    set: Vec<(String, String)>,
}

/// What a sandbox prints first.
#[derive(Deserialize)]
struct FirstLine {
    shop: Shop,
    ledger: Ledger,
    control: Address,
}

#[derive(Deserialize)]
struct Shop {
    url: String,
    key: String,
    secret: String,
    #[serde(default)]
    media_user: Option<String>,
    #[serde(default)]
    media_password: Option<String>,
}

#[derive(Deserialize)]
struct Ledger {
    url: String,
    client_id: String,
    client_secret: String,
    refresh_token: String,
    access_token: String,
    division: serde_json::Value,
}

#[derive(Deserialize)]
struct Address {
    url: String,
}

/// What a project is made of.
pub(crate) struct Plan {
    zone: String,
    shop: Vec<(&'static str, String)>,
    books: Vec<(&'static str, String)>,
    secrets: Vec<(&'static str, String)>,
    held: Option<Held>,
    given: BTreeMap<String, String>,
    chosen: Chosen,
}

/// Writes a project and checks it.
pub(crate) fn run(screen: &Screen, arguments: &Arguments) -> Answer {
    let root = &arguments.folder;
    if root.join(PROJECT_FILE).exists() {
        return Err(Trouble::Misuse(format!(
            "{} is a project already: change its {PROJECT_FILE}, or name another folder",
            root.display()
        )));
    }
    let chosen = Chosen::of(&arguments.flows.iter().map(String::as_str).collect::<Vec<_>>())?;
    arguments.set.iter().try_for_each(|(name, _)| chosen.asks(name))?;
    let plan = match &arguments.sandbox {
        Some(file) => of_sandbox(&first_line(file)?, &arguments.zone, &arguments.set, chosen)?,
        None => of_answers(screen, arguments, chosen)?,
    };
    let project = create(root, &plan)?;
    let checked = check::check_project(&Disk, root, &[]);
    let texts = Texts::of(&checked.sources);
    let defaults = Defaults::of(&checked.sources, &checked.changes).with(&texts);
    defaults.lock(&texts, root).map_err(|e| Trouble::Misuse(format!("{LOCK_FILE} can't be written: {e}")))?;
    match screen.format() {
        Format::Human => {
            if !checked.diagnostics.is_empty() {
                Screen::tell(&render::reports(screen, &checked.sources, &checked.diagnostics));
            }
            Screen::tell(&next_steps(screen, root, &plan, &project.open));
        }
        Format::Json | Format::Sarif => Screen::answer(
            &json!({ "project": root, "flows": project.flows, "open": project.open, "errors": !checked.is_sound() })
                .to_string(),
        )?,
    }
    // A project with open questions is a project; one that the sandbox's answers can't make sound is not.
    Ok(if checked.is_sound() || !project.open.is_empty() { Outcome::Done } else { Outcome::Wrong })
}

/// The plan of a project for the sandbox that printed this line.
pub(crate) fn of_sandbox(line: &str, zone: &str, given: &[(String, String)], chosen: Chosen) -> Result<Plan, Trouble> {
    let line: FirstLine = serde_json::from_str(line)
        .map_err(|e| Trouble::Misuse(format!("this is not the first line of `flowc sandbox --format json`: {e}")))?;
    let control = Control::new(&line.control.url)?;
    let held = runtime()?.block_on(Held::of_sandbox(&control))?;
    let media = line.shop.media_user.zip(line.shop.media_password);
    let entries = media
        .iter()
        .flat_map(|(user, _)| [("media_user", quoted(user)), ("media_password", secret("SHOP_MEDIA_PASSWORD"))]);
    let entries: Vec<(&'static str, String)> = entries.collect();
    Ok(Plan {
        zone: zone.to_owned(),
        shop: [
            ("url", quoted(&line.shop.url)),
            ("key", secret("SHOP_KEY")),
            ("secret", secret("SHOP_SECRET")),
            ("clock", quoted(&line.control.url)),
        ]
        .into_iter()
        .chain(entries)
        .collect(),
        books: vec![
            ("base_url", quoted(&line.ledger.url)),
            ("country", quoted(&held.home)),
            ("division", line.ledger.division.to_string().trim_matches('"').to_owned()),
            ("client_id", secret("EXACT_CLIENT_ID")),
            ("client_secret", secret("EXACT_CLIENT_SECRET")),
            ("refresh_token", secret("EXACT_REFRESH_TOKEN")),
            ("access_token", secret("EXACT_ACCESS_TOKEN")),
            ("clock", quoted(&line.control.url)),
        ],
        secrets: [
            ("SHOP_KEY", line.shop.key),
            ("SHOP_SECRET", line.shop.secret),
            ("EXACT_CLIENT_ID", line.ledger.client_id),
            ("EXACT_CLIENT_SECRET", line.ledger.client_secret),
            ("EXACT_REFRESH_TOKEN", line.ledger.refresh_token),
            ("EXACT_ACCESS_TOKEN", line.ledger.access_token),
        ]
        .into_iter()
        .chain(media.map(|(_, password)| ("SHOP_MEDIA_PASSWORD", password)))
        .collect(),
        held: Some(held),
        given: given.iter().cloned().collect(),
        chosen,
    })
}

fn first_line(file: &Path) -> Result<String, Trouble> {
    let named = if file == Path::new("-") { "stdin".to_owned() } else { file.display().to_string() };
    let text = if file == Path::new("-") {
        // The sandbox goes on running: only its first line is there to be read.
        let mut line = String::new();
        std::io::stdin().lock().take(1 << 20).read_line(&mut line).map(|_| line)
    } else {
        std::fs::read_to_string(file)
    };
    let text = text.map_err(|e| Trouble::Misuse(format!("{named} can't be read: {e}")))?;
    match text.lines().next() {
        Some(line) if !line.trim().is_empty() => Ok(line.to_owned()),
        _ => {
            Err(Trouble::Misuse(format!("{named} is empty: it holds the first line of `flowc sandbox --format json`")))
        }
    }
}

/// A project for real systems: from the flags, and from questions where somebody can answer.
fn of_answers(screen: &Screen, arguments: &Arguments, chosen: Chosen) -> Result<Plan, Trouble> {
    let asks = !arguments.yes && screen.format() == Format::Human && std::io::stdin().is_terminal();
    let said = |given: Option<String>, question: &str, default: &str| -> Result<String, Trouble> {
        match given {
            Some(given) => Ok(given),
            None if asks => ask(screen, question, default),
            None => Ok(default.to_owned()),
        }
    };
    let url = said(arguments.shop_url.clone(), "Address of the shop", "https://shop.example.com")?;
    let country = said(arguments.country.clone(), "Country of the Exact Online site", "NL")?;
    let question = "Number of the administration (division); nothing for the one that the user works in";
    let division = said(arguments.division.map(|n| n.to_string()), question, "")?;
    if !division.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Trouble::Misuse(format!("`{division}` is no number of an administration")));
    }
    let mut given: BTreeMap<String, String> = arguments.set.iter().cloned().collect();
    if asks {
        for module in &chosen.modules {
            for question in module.questions.iter().filter(|q| !q.optional) {
                if given.contains_key(&question.name) {
                    continue;
                }
                let about = question.doc.as_deref().unwrap_or(&question.name).replace('\n', " ");
                let answer = ask(screen, &format!("{}.{}: {about}", module.name, question.name), "")?;
                if !answer.is_empty() {
                    given.insert(question.name.clone(), answer);
                }
            }
        }
    }
    let names = ["SHOP_KEY", "SHOP_SECRET", "EXACT_CLIENT_ID", "EXACT_CLIENT_SECRET"];
    Ok(Plan {
        zone: arguments.zone.clone(),
        shop: vec![("url", quoted(&url)), ("key", secret("SHOP_KEY")), ("secret", secret("SHOP_SECRET"))],
        books: std::iter::once(("country", quoted(&country)))
            .chain((!division.is_empty()).then(|| ("division", division.clone())))
            .chain([("client_id", secret("EXACT_CLIENT_ID")), ("client_secret", secret("EXACT_CLIENT_SECRET"))])
            .collect(),
        secrets: names.iter().map(|name| (*name, String::new())).collect(),
        held: None,
        given,
        chosen,
    })
}

fn ask(screen: &Screen, question: &str, default: &str) -> Result<String, Trouble> {
    let hint = if default.is_empty() { String::new() } else { format!(" [{default}]") };
    Screen::tell(&format!("{}{hint}", screen.paint(question, Paint::Bold)));
    let mut line = String::new();
    std::io::stdin().lock().take(1 << 16).read_line(&mut line)?;
    let line = line.trim();
    Ok(if line.is_empty() { default } else { line }.to_owned())
}

fn quoted(text: &str) -> String {
    let escaped: String = text
        .trim()
        .chars()
        .flat_map(|c| match c {
            '"' | '\\' | '{' | '}' => vec!['\\', c],
            c if c.is_control() => Vec::new(),
            c => vec![c],
        })
        .collect();
    format!("\"{escaped}\"")
}

fn secret(name: &str) -> String {
    format!("secret(\"{name}\")")
}

/// Writes the project's files.
pub(crate) fn create(root: &Path, plan: &Plan) -> Result<Project, Trouble> {
    let project = text::project(plan);
    write(root, plan, &project.text)
        .map_err(|e| Trouble::Misuse(format!("the project in {} can't be written: {e}", root.display())))?;
    Ok(project)
}

fn write(root: &Path, plan: &Plan, project: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(root)?;
    secrets::write(root, &plan.secrets)?;
    if let Some(held) = &plan.held {
        std::fs::create_dir_all(root.join("data"))?;
        std::fs::write(root.join("data/shipping_methods.csv"), rows::shipping(held))?;
    }
    let ignored = root.join(".gitignore");
    let kept = std::fs::read_to_string(&ignored).unwrap_or_default();
    if !kept.lines().any(|line| line.trim() == ".flowc/") {
        std::fs::write(&ignored, format!("{kept}.flowc/\n"))?;
    }
    // Last: the folder is a project only when all of it is there.
    std::fs::write(root.join(PROJECT_FILE), project)
}

fn next_steps(screen: &Screen, root: &Path, plan: &Plan, open: &[String]) -> String {
    let at = root.display();
    let mut text = format!("{} {at}\n", screen.paint("made", Paint::Green));
    if plan.secrets.iter().any(|(_, value)| value.is_empty()) {
        let _ = writeln!(text, "  put the keys of both systems into {at}/.flowc/secrets, or into the environment");
    }
    if !open.is_empty() {
        let _ = writeln!(text, "  answer in {at}/{PROJECT_FILE}: {}", open.join(", "));
    }
    let _ = writeln!(text, "  next: flowc check {at}");
    text
}
