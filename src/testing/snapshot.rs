//! RecordOutcome that are kept beside the tests, and what differs from them.

use crate::source::Files;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// The payloads that are kept beside a project's tests.
pub struct Snapshots<'f> {
    files: &'f dyn Files,
    root: PathBuf,
    /// What differs is written anew.
    update: bool,
}

impl<'f> Snapshots<'f> {
    /// Those of the project in a folder; with `update` what differs is kept from now on.
    pub fn new(files: &'f dyn Files, root: PathBuf, update: bool) -> Self {
        Self { files, root, update }
    }

    /// What differs between the payload and the one that is kept, or why it cannot be told.
    pub(super) fn compare(&mut self, flow: &Path, title: &str, number: usize, made: &Value) -> Result<(), String> {
        let path = file(flow, title, number);
        let whole = self.root.join(&path);
        let kept = self.files.read(&whole).ok().and_then(|text| serde_json::from_str::<Value>(&text).ok());
        let mut differs = Vec::new();
        match &kept {
            Some(kept) => differences("", kept, made, &mut differs),
            None => differs.push(format!("no payload is kept in {}", path.display())),
        }
        if differs.is_empty() {
            return Ok(());
        }
        if !self.update {
            differs.push("`flowc test --update` keeps what is made now".to_owned());
            return Err(differs.join("\n"));
        }
        let written = whole.parent().map_or(Ok(()), std::fs::create_dir_all);
        let text = serde_json::to_string_pretty(made).unwrap_or_default();
        written
            .and_then(|()| std::fs::write(&whole, text + "\n"))
            .map_err(|e| format!("{} can't be written: {e}", path.display()))
    }
}

/// `snapshots/orders.a-dutch-order.json`, beside the flow file.
fn file(flow: &Path, title: &str, number: usize) -> PathBuf {
    let words: Vec<&str> = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let module = flow.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let again = if number == 0 { String::new() } else { format!("-{}", number + 1) };
    let name = format!("{module}.{}{again}.json", words.join("-").to_lowercase());
    flow.parent().unwrap_or(Path::new("")).join("snapshots").join(name)
}

/// Each place where the two differ, with what stood there and what stands there now.
fn differences(path: &str, before: &Value, now: &Value, out: &mut Vec<String>) {
    let null = Value::Null;
    match (before, now) {
        (Value::Object(a), Value::Object(b)) => {
            let added = b.keys().filter(|name| !a.contains_key(*name));
            for name in a.keys().chain(added) {
                let dot = if path.is_empty() { "" } else { "." };
                let below = format!("{path}{dot}{name}");
                differences(&below, a.get(name).unwrap_or(&null), b.get(name).unwrap_or(&null), out);
            }
        }
        (Value::Array(a), Value::Array(b)) => {
            for n in 0..a.len().max(b.len()) {
                let below = format!("{path}[{n}]");
                differences(&below, a.get(n).unwrap_or(&null), b.get(n).unwrap_or(&null), out);
            }
        }
        _ if before == now => {}
        (Value::Null, now) => out.push(format!("{path} is new: {now}")),
        (before, Value::Null) => out.push(format!("{path} is gone: it was {before}")),
        (before, now) => out.push(format!("{path} is {now}; it was {before}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Disk;

    #[test]
    fn differences_name_their_places() {
        let value = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        let (before, now) =
            (r#"{"a": 1, "l": [{"p": 1.10}, 2], "gone": "x"}"#, r#"{"a": 1, "l": [{"p": 1.1}], "new": true}"#);
        let mut out = Vec::new();
        differences("", &value(before), &value(now), &mut out);
        assert_eq!(
            out,
            ["l[0].p is 1.1; it was 1.10", "l[1] is gone: it was 2", "gone is gone: it was \"x\"", "new is new: true"]
        );
    }

    #[test]
    fn a_payload_that_is_not_kept_is_told_and_kept_on_demand() {
        let root = tempfile::tempdir().unwrap();
        let compare = |update: bool, payload: &str| {
            let payload = serde_json::from_str(payload).unwrap();
            let mut kept = Snapshots::new(&Disk, root.path().into(), update);
            kept.compare(Path::new("orders.flow"), "An order: one", 1, &payload)
        };
        assert!(compare(false, "{\"a\": 1}").unwrap_err().contains("snapshots/orders.an-order-one-2.json"));
        assert_eq!(compare(true, "{\"a\": 1}"), Ok(()));
        assert_eq!(compare(false, "{\"a\": 1}"), Ok(()));
        assert!(compare(false, "{\"a\": 2}").unwrap_err().starts_with("a is 2; it was 1"));
    }
}
