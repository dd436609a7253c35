//! The real name that somebody probably meant.

/// The nearest of these names, when it is near enough to be meant: a third of the letters may differ, a swap counts once.
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (word.chars().count() / 3).max(1);
    names
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(|name| (distance(&word.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, name)| (*d, name.len()))
        .map(|(_, name)| name)
}

/// Edits between two words: insert, delete, replace, swap neighbours.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![vec![0usize; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replace = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = replace.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
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
