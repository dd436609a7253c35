//! `flowc login CONNECTION`: a person's consent in the browser, and the tokens that come of it.

use super::open::{Answers, open};
use super::screen::{Paint, Screen};
use super::secrets::ProjectSecrets;
use super::{Answer, Format, Global, Outcome, Trouble, runtime, store};
use crate::check::nearest;
use crate::connector;
use crate::ir::Connection;
use crate::workspace::Workspace;
use serde_json::json;
use std::io::{BufRead as _, Read as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use url::Url;

/// Longest wait for the browser to come back.
const PATIENCE: Duration = Duration::from_mins(10);
/// Longest wait for a request on a connection.
const REQUEST_PATIENCE: Duration = Duration::from_secs(10);
/// Connections served at a time.
const CONNECTIONS_MAX: usize = 32;
/// Most bytes of the browser's request that are looked at: its first line holds the code.
const REQUEST_BYTES_MAX: usize = 16 << 10;

/// The arguments of `login`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The connection, as `connect NAME to …` names it.
    #[arg(value_name = "CONNECTION")]
    connection: String,
    /// The redirect address that the app is registered with. When it is on this machine, flowc listens there; else it
    /// asks for the address that the browser ends up at.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8917/consent")]
    redirect: Url,
    /// The store, instead of the project's .flowc/store.redb.
    #[arg(long, value_name = "PATH")]
    store: Option<PathBuf>,
}

/// Asks for consent and keeps the tokens.
pub(crate) fn run(screen: &Screen, global: &Global, arguments: &Arguments) -> Answer {
    let workspace = open(screen, global, &Answers::default())?;
    let connection = named(&workspace, &arguments.connection)?;
    let habits = workspace
        .program()
        .connector(&connection.connector)
        .filter(|habits| habits.word("login").is_some_and(|login| login.starts_with("oauth2")))
        .ok_or_else(|| {
            Trouble::Misuse(format!("`{}` logs in with keys: put them into .flowc/secrets", connection.name))
        })?;
    runtime()?.block_on(async {
        let store = store::of(workspace.root(), arguments.store.as_deref(), "login")?;
        let secrets = ProjectSecrets::of(workspace.root())?;
        let consent = connector::consent(connection, habits, &secrets, Arc::clone(&store)).await;
        let consent = consent.map_err(|e| Trouble::Misuse(e.to_string()))?;
        let state = uuid::Uuid::new_v4().simple().to_string();
        let address = consent.address(arguments.redirect.as_str(), &state);
        Screen::tell(&format!(
            "{}\n  {address}",
            screen.paint("Open this address in a browser, and consent:", Paint::Bold)
        ));
        let back = if is_here(&arguments.redirect) { listen(&arguments.redirect).await? } else { pasted()? };
        let code = code(&back, &state)?;
        consent.finish(&code, arguments.redirect.as_str()).await.map_err(|e| Trouble::Unreachable(e.to_string()))?;
        let done = format!("{} is authorised; its tokens are kept, sealed, in the project's store", connection.name);
        match screen.format() {
            Format::Human => Screen::tell(&screen.paint(&done, Paint::Green)),
            Format::Json | Format::Sarif => {
                Screen::answer(&json!({ "connection": &*connection.name, "authorised": true }).to_string())?;
            }
        }
        Ok(Outcome::Done)
    })
}

fn named<'r>(workspace: &'r Workspace, name: &str) -> Result<&'r Connection, Trouble> {
    let all = &workspace.program().connections;
    all.iter().find(|connection| *connection.name == *name).ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|connection| &*connection.name).collect();
        let near =
            nearest(name, names.iter().copied()).map_or(String::new(), |near| format!(" (did you mean `{near}`?)"));
        Trouble::Misuse(format!("there is no connection `{name}`{near}; the project has {}", names.join(", ")))
    })
}

/// Plain HTTP to this machine, where flowc can be what the browser comes back to.
fn is_here(redirect: &Url) -> bool {
    redirect.scheme() == "http" && matches!(redirect.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

/// Waits for the browser; the address that it came back to.
async fn listen(redirect: &Url) -> Result<Url, Trouble> {
    let (host, port) = (redirect.host_str().unwrap_or("127.0.0.1"), redirect.port_or_known_default().unwrap_or(80));
    let listener = TcpListener::bind((host.trim_matches(['[', ']']), port)).await.map_err(|e| {
        Trouble::Misuse(format!(
            "flowc can't listen at {redirect}: {e}. Free the port, or register another redirect address"
        ))
    })?;
    tokio::time::timeout(PATIENCE, come_back(&listener, redirect)).await.map_err(|_| {
        Trouble::Misuse(format!("the browser did not come back to {redirect} within ten minutes: try again"))
    })
}

/// The address that the browser comes back to. It opens connections in advance that say nothing: each is served by itself.
async fn come_back(listener: &TcpListener, redirect: &Url) -> Url {
    let mut served = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if served.len() < CONNECTIONS_MAX => {
                if let Ok((stream, _)) = accepted {
                    served.spawn(tokio::time::timeout(REQUEST_PATIENCE, serve(stream, redirect.clone())));
                }
            }
            Some(done) = served.join_next() => {
                if let Ok(Ok(Some(back))) = done {
                    return back;
                }
            }
        }
    }
}

/// Answers one request; the address, if it is the one that is waited for.
async fn serve(mut stream: TcpStream, redirect: Url) -> Option<Url> {
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while request.len() < REQUEST_BYTES_MAX && !request.contains(&b'\n') {
        match stream.read(&mut part).await {
            Ok(0) | Err(_) => break,
            Ok(n) => request.extend_from_slice(&part[..n]),
        }
    }
    let line = String::from_utf8_lossy(&request);
    let target = line.split_whitespace().nth(1).and_then(|target| redirect.join(target).ok());
    let back = target.filter(|target| target.path() == redirect.path());
    let (status, said) = match &back {
        Some(_) => ("200 OK", "Thank you. flowc goes on in its window; this one can be closed."),
        None => ("404 Not Found", "Nothing is here."),
    };
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
        said.len()
    );
    // Whether the browser reads the thanks changes nothing.
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
    back
}

/// The address that a person copies out of the browser.
fn pasted() -> Result<Url, Trouble> {
    Screen::tell("Then copy the address that the browser ends up at, and paste it here:");
    let mut line = String::new();
    std::io::stdin().lock().take(REQUEST_BYTES_MAX as u64).read_line(&mut line)?;
    Url::parse(line.trim()).map_err(|e| Trouble::Misuse(format!("that is no address: {e}")))
}

fn code(back: &Url, state: &str) -> Result<String, Trouble> {
    let part = |name: &str| back.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    if let Some(error) = part("error") {
        let more = part("error_description").map_or(String::new(), |more| format!(": {more}"));
        return Err(Trouble::Unreachable(format!("consent was not given ({error}{more})")));
    }
    if part("state").as_deref() != Some(state) {
        return Err(Trouble::Misuse(
            "the answer belongs to another question: run `flowc login` again, and use its address".into(),
        ));
    }
    part("code").ok_or_else(|| Trouble::Misuse("the address holds no code: copy all of it".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect("an address")
    }

    #[test]
    fn the_code_is_taken_from_the_answer_to_our_question_only() {
        let back = url("https://app.example/consent?code=stamp%21a&state=mine");
        assert_eq!(code(&back, "mine").ok(), Some("stamp!a".to_owned()));
        assert!(code(&back, "other").is_err());
        let denied = url("https://app.example/consent?error=access_denied&state=mine");
        assert!(matches!(code(&denied, "mine"), Err(Trouble::Unreachable(_))));
    }

    #[tokio::test]
    async fn a_connection_that_says_nothing_holds_nobody_up() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let here = listener.local_addr().expect("its address");
        let redirect = url(&format!("http://{here}/consent"));
        let idle = TcpStream::connect(here).await.expect("a connection");
        let browser = async {
            let mut stream = TcpStream::connect(here).await.expect("a connection");
            stream.write_all(b"GET /consent?code=c&state=s HTTP/1.1\r\n\r\n").await.expect("it is read");
            let mut thanks = String::new();
            stream.read_to_string(&mut thanks).await.expect("an answer");
            thanks
        };
        let waited = tokio::time::timeout(REQUEST_PATIENCE / 2, come_back(&listener, &redirect));
        let (back, thanks) = tokio::join!(waited, browser);
        assert_eq!(back.expect("it comes back").query(), Some("code=c&state=s"));
        assert!(thanks.ends_with("this one can be closed."), "{thanks}");
        drop(idle);
    }

    #[test]
    fn only_this_machine_is_listened_on() {
        assert!(is_here(&url("http://127.0.0.1:8917/consent")));
        assert!(!is_here(&url("https://app.example/consent")));
        assert!(!is_here(&url("http://app.example/consent")));
    }
}
