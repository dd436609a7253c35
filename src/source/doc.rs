//! What a `##` comment says, and the names that screens and people have for what it stands above.

/// The word before those names: `## aka: naam, bedrijfsnaam`.
const AKA: &str = "aka:";

/// A `##` comment, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doc<'a> {
    /// What it says, in one line.
    pub says: String,
    /// Other names of the thing.
    pub aka: Vec<&'a str>,
}

impl<'a> Doc<'a> {
    /// The comment with these lines; the names stand behind `aka:` up to the end of their line.
    pub fn of(lines: &'a str) -> Self {
        let mut doc = Self::default();
        for line in lines.lines().map(str::trim) {
            let (says, names) = line.split_once(AKA).unwrap_or((line, ""));
            doc.aka.extend(names.split(',').map(|name| name.trim().trim_end_matches('.')).filter(|n| !n.is_empty()));
            if !says.trim().is_empty() {
                let blank = if doc.says.is_empty() { "" } else { " " };
                doc.says.push_str(blank);
                doc.says.push_str(says.trim());
            }
        }
        doc
    }
}

#[cfg(test)]
mod tests {
    use super::Doc;

    #[test]
    fn other_names_stand_on_a_line_of_their_own_or_behind_the_text() {
        let doc = Doc::of("What people call it.\naka: naam, bedrijfsnaam");
        assert_eq!((doc.says.as_str(), doc.aka), ("What people call it.", vec!["naam", "bedrijfsnaam"]));
        let doc = Doc::of("Digits only. aka: telefoon, tel.\nNo blanks.");
        assert_eq!((doc.says.as_str(), doc.aka), ("Digits only. No blanks.", vec!["telefoon", "tel"]));
        assert_eq!(Doc::of(""), Doc::default());
    }
}
