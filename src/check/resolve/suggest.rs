//! The real name that somebody probably meant.

/// The nearest of these names, when it is near enough to be meant: a third of the letters may differ, a swap counts once.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let (word, length) = (word.to_lowercase(), word.chars().count());
    let limit = (length / 3).max(1);
    // A name that is longer or shorter by more than that needs no look.
    let near = |name: &&str| !name.is_empty() && name.chars().count().abs_diff(length) <= limit;
    names
        .into_iter()
        .filter(near)
        .map(|name| (strsim::osa_distance(&word, &name.to_lowercase()), name))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, name)| (*d, name.len()))
        .map(|(_, name)| name)
}

/// ` (did you mean …?)` or nothing.
pub(crate) fn hint(word: &str, names: Vec<String>) -> Option<String> {
    nearest(word, names.iter().map(String::as_str)).map(str::to_owned)
}

/// Names that a help lists before it only counts them.
const LISTED_MAX: usize = 30;

/// `a, b, c`, and how many more there are.
pub(crate) fn listed(names: &[String]) -> String {
    let shown = &names[..names.len().min(LISTED_MAX)];
    let more = names.len() - shown.len();
    let shown = shown.join(", ");
    if more > 0 { format!("{shown}, and {more} more") } else { shown }
}

/// `"a", "b" or "c"`
pub(crate) fn quoted(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("\"{n}\"")).collect();
    match quoted.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => quoted.join(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_swap_is_one_edit() {
        assert_eq!(nearest("OderedBy", ["OrderedBy", "OrderDate"]), Some("OrderedBy"));
        assert_eq!(nearest("toatl", ["total", "total_tax"]), Some("total"));
        assert_eq!(nearest("xyz", ["total"]), None);
    }
}
