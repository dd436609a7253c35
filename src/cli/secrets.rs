//! Where `secret("NAME")` is read from: the environment, else `.flowc/secrets` beside the project.

use super::Trouble;
use crate::connector::Secrets;
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

/// The folder of what a project keeps to itself.
pub(crate) const PRIVATE_FOLDER: &str = ".flowc";
/// The file of its secrets, a `NAME=value` a line.
const SECRETS_FILE: &str = "secrets";

/// The secrets of a project.
pub(crate) struct ProjectSecrets {
    kept: BTreeMap<String, SecretString>,
}

impl ProjectSecrets {
    /// Reads the file, when there is one.
    pub(crate) fn of(root: &Path) -> Result<Self, Trouble> {
        let path = root.join(PRIVATE_FOLDER).join(SECRETS_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => zeroize::Zeroizing::new(text),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => zeroize::Zeroizing::default(),
            Err(e) => return Err(Trouble::Misuse(format!("the secrets in {} can't be read: {e}", path.display()))),
        };
        Ok(Self { kept: parse(&text) })
    }
}

impl Secrets for ProjectSecrets {
    fn secret(&self, name: &str) -> Option<SecretString> {
        match std::env::var(name) {
            Ok(value) if !value.is_empty() => Some(SecretString::from(value)),
            _ => self.kept.get(name).cloned(),
        }
    }
}

fn parse(text: &str) -> BTreeMap<String, SecretString> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.strip_prefix("export ").unwrap_or(line).split_once('='))
        .map(|(name, value)| (name.trim().to_owned(), unquoted(value.trim())))
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| (name, SecretString::from(value)))
        .collect()
}

/// As a shell would read it: quotes around all of it are no part of a secret.
fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// Writes the secrets of a new project, readable by its owner alone from the first byte on.
pub(crate) fn write(root: &Path, secrets: &[(&str, String)]) -> std::io::Result<()> {
    let folder = root.join(PRIVATE_FOLDER);
    std::fs::create_dir_all(&folder)?;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(folder.join(SECRETS_FILE))?;
    writeln!(file, "# Secrets of this project; git ignores this file. The environment goes before it.")?;
    for (name, value) in secrets {
        writeln!(file, "{name}={value}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret as _;

    #[test]
    fn what_is_written_is_read_and_only_the_owner_may() {
        let root = tempfile::tempdir().expect("a temporary folder");
        write(root.path(), &[("FLOWC_TEST_KEY", "a=b c".into()), ("FLOWC_TEST_EMPTY", String::new())])
            .expect("written");
        let secrets = ProjectSecrets::of(root.path()).expect("read");
        assert_eq!(secrets.secret("FLOWC_TEST_KEY").map(|s| s.expose_secret().to_owned()), Some("a=b c".to_owned()));
        assert!(secrets.secret("FLOWC_TEST_EMPTY").is_none());
        let shell = parse("export A='x y'\nB=\"z\"\nC=\"");
        let told = |name: &str| shell.get(name).map(|s| s.expose_secret().to_owned());
        assert_eq!([told("A"), told("B"), told("C")], ["x y", "z", "\""].map(|text| Some(text.to_owned())));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let meta = std::fs::metadata(root.path().join(".flowc/secrets")).expect("the file");
            assert_eq!(meta.permissions().mode() & 0o777, 0o600);
        }
    }
}
