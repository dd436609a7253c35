//! WordPress's media library, `wp/v2/media`: it knows no key of WooCommerce, but a user with an application password.

use std::collections::BTreeMap;

use axum::http::header;
use axum::http::request::Parts;
use serde_json::{Map, Value, json};

/// The library, and who may add to it.
#[derive(Debug, Default)]
pub(crate) struct Library {
    pub(crate) user: String,
    pub(crate) password: String,
    rows: BTreeMap<u64, Value>,
}

/// What it answers.
pub(crate) enum Reply {
    Shown(Value),
    Listed(Vec<Value>),
    Created(Value),
    /// Status, code and words.
    Refused(u16, &'static str, &'static str),
}

fn refused(status: u16, code: &'static str, words: &'static str) -> Reply {
    Reply::Refused(status, code, words)
}

/// A file that a form brings, with the form's other fields.
#[derive(Debug, Default)]
struct Upload {
    name: String,
    kind: String,
    bytes: Vec<u8>,
    fields: Vec<(String, String)>,
}

/// A call below `wp/v2`.
pub(crate) struct Asked<'a> {
    pub(crate) method: &'a str,
    pub(crate) segments: &'a [&'a str],
    pub(crate) query: &'a Map<String, Value>,
    /// User and password, as far as the web server passes them on.
    pub(crate) login: Option<(String, String)>,
    pub(crate) parts: &'a Parts,
    pub(crate) body: &'a [u8],
    pub(crate) base: &'a str,
    /// The id of what is made, should something be.
    pub(crate) number: u64,
}

/// Answers a call.
pub(crate) fn answer(library: &mut Library, asked: &Asked<'_>) -> Reply {
    let user = match &asked.login {
        None => false,
        Some((name, password)) if *name == library.user && *password == library.password => true,
        Some(_) => {
            return refused(401, "incorrect_password", "The provided password is an invalid application password.");
        }
    };
    match (asked.method, asked.segments) {
        ("GET", ["users", "me"]) if !user => refused(401, "rest_not_logged_in", "You are not currently logged in."),
        ("GET", ["users", "me"]) => {
            let mut me = json!({"id": 1, "name": library.user});
            // What a user may do is shown for editing alone.
            if asked.query.get("context").is_some_and(|context| context == "edit") {
                me["capabilities"] = json!({"upload_files": true});
            }
            Reply::Shown(me)
        }
        ("GET", ["media"]) => {
            let one_of = |name: &str, shown: &str| {
                let wanted = asked.query.get(name).and_then(Value::as_str).unwrap_or_default();
                wanted.is_empty() || wanted.split(',').any(|wanted| wanted == shown)
            };
            let fits = |row: &&Value| {
                one_of("slug", row["slug"].as_str().unwrap_or_default()) && one_of("include", &row["id"].to_string())
            };
            Reply::Listed(library.rows.values().filter(fits).cloned().collect())
        }
        ("GET", ["media", number]) => match number.parse().ok().and_then(|number: u64| library.rows.get(&number)) {
            Some(row) => Reply::Shown(row.clone()),
            None => refused(404, "rest_post_invalid_id", "Invalid post ID."),
        },
        ("POST", ["media"]) if !user => {
            refused(401, "rest_cannot_create", "Sorry, you are not allowed to create posts as this user.")
        }
        ("POST", ["media"]) => match upload(asked.parts, asked.body) {
            Ok(upload) => Reply::Created(library.add(&upload, (asked.base, asked.number))),
            Err(reply) => reply,
        },
        _ => refused(404, "rest_no_route", "No route was found matching the URL and request method."),
    }
}

/// The file of a body: the part `file` of a form, or the whole body under the name that its disposition gives.
fn upload(parts: &Parts, body: &[u8]) -> Result<Upload, Reply> {
    let text = |name: header::HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let kind = text(header::CONTENT_TYPE).unwrap_or_default();
    let upload = match kind.split_once("boundary=") {
        Some((_, boundary)) => of_form(body, boundary.trim_matches('"')),
        None => Upload {
            name: text(header::CONTENT_DISPOSITION).and_then(|value| named(value, "filename")).unwrap_or_default(),
            kind: kind.to_owned(),
            bytes: body.to_vec(),
            fields: Vec::new(),
        },
    };
    if upload.bytes.is_empty() {
        return Err(refused(400, "rest_upload_no_data", "No data supplied."));
    }
    if upload.name.is_empty() {
        return Err(refused(400, "rest_upload_no_content_disposition", "No Content-Disposition supplied."));
    }
    // WordPress believes what the file is by its name, and looks into it.
    let allowed = [(".png", "\u{89}PNG"), (".jpg", "\u{ff}"), (".jpeg", "\u{ff}"), (".gif", "GIF8"), (".webp", "RIFF")];
    let begins = |magic: &str| magic.chars().zip(&upload.bytes).all(|(c, byte)| u32::from(c) == u32::from(*byte));
    if !allowed.iter().any(|(end, magic)| upload.name.to_lowercase().ends_with(end) && begins(magic)) {
        let message = "Sorry, you are not allowed to upload this file type.";
        return Err(refused(500, "rest_upload_sideload_error", message));
    }
    Ok(upload)
}

/// `name="value"` of a header.
fn named(header: &str, name: &str) -> Option<String> {
    header
        .split(';')
        .filter_map(|part| part.trim().split_once('='))
        .find(|(its, _)| *its == name)
        .map(|(_, value)| value.trim_matches('"').to_owned())
}

fn of_form(body: &[u8], boundary: &str) -> Upload {
    let mut upload = Upload::default();
    let mark = format!("--{boundary}");
    for part in split(body, mark.as_bytes()) {
        let Some(at) = part.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let (head, content) = (String::from_utf8_lossy(&part[..at]).into_owned(), &part[at + 4..]);
        let content = content.strip_suffix(b"\r\n").unwrap_or(content);
        let line = |wanted: &str| {
            let lines = head.lines().filter_map(|line| line.split_once(':'));
            lines
                .filter(|(name, _)| name.trim().eq_ignore_ascii_case(wanted))
                .map(|(_, value)| value.trim().to_owned())
                .next()
        };
        let disposition = line("content-disposition").unwrap_or_default();
        let Some(field) = named(&disposition, "name") else { continue };
        match named(&disposition, "filename") {
            Some(name) if field == "file" => {
                upload.name = name;
                upload.kind = line("content-type").unwrap_or_default();
                upload.bytes = content.to_vec();
            }
            _ => upload.fields.push((field, String::from_utf8_lossy(content).into_owned())),
        }
    }
    upload
}

fn split<'b>(body: &'b [u8], mark: &[u8]) -> Vec<&'b [u8]> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at + mark.len() <= body.len() {
        if &body[at..at + mark.len()] == mark {
            parts.push(&body[start..at]);
            at += mark.len();
            start = at;
        } else {
            at += 1;
        }
    }
    parts
}

impl Library {
    fn add(&mut self, upload: &Upload, (base, number): (&str, u64)) -> Value {
        let field = |name: &str| upload.fields.iter().find(|(its, _)| its == name).map(|(_, value)| value.clone());
        let stem = upload.name.rsplit_once('.').map_or(upload.name.as_str(), |(stem, _)| stem).to_owned();
        let wanted = field("slug").unwrap_or_else(|| stem.to_lowercase());
        let numbered = (2..).map(|number| format!("{wanted}-{number}"));
        let mut slugs = std::iter::once(wanted.clone()).chain(numbered);
        let slug = slugs.find(|slug| !self.rows.values().any(|row| row["slug"] == **slug)).unwrap_or_default();
        let row = json!({
            "id": number, "slug": slug, "status": "inherit", "type": "attachment",
            "title": {"rendered": field("title").unwrap_or(stem)}, "alt_text": field("alt_text").unwrap_or_default(),
            "media_type": "image", "mime_type": upload.kind, "media_details": {"filesize": upload.bytes.len()},
            "source_url": format!("{base}/wp-content/uploads/{}", upload.name)
        });
        self.rows.insert(number, row.clone());
        row
    }

    /// The image of a product that a media id stands for.
    pub(crate) fn image(&self, number: u64) -> Option<Value> {
        let row = self.rows.get(&number)?;
        Some(json!({"id": number, "src": row["source_url"], "name": row["title"]["rendered"], "alt": row["alt_text"]}))
    }

    /// All of it.
    pub(crate) fn everything(&self) -> Value {
        self.rows.values().cloned().collect()
    }
}
