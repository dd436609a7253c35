//! Outcomes of tests as JUnit XML, which every build server reads.

use crate::testing::{Mismatch, Outcome, Tested};
use std::fmt::Write as _;

/// The report of these tests.
pub(crate) fn report(tested: &[Tested]) -> String {
    let count = |is: fn(&Outcome) -> bool| tested.iter().filter(|test| is(&test.outcome)).count();
    let failures = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let errors = count(|outcome| matches!(outcome, Outcome::Broken(_)));
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let tests = tested.len();
    let _ = writeln!(out, "<testsuite name=\"flowc\" tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\">");
    for test in tested {
        let case = test.case.as_ref().map_or(String::new(), |case| format!(" [{case}]"));
        let name = escaped(&format!("{}{case}", test.title));
        let _ = write!(out, "  <testcase classname=\"{}\" name=\"{name}\"", escaped(&test.module));
        if let Some(place) = &test.place {
            let _ = write!(out, " file=\"{}\" line=\"{}\"", escaped(&place.file), place.line);
        }
        match &test.outcome {
            Outcome::Passed => out.push_str("/>\n"),
            Outcome::Failed(mismatches) => {
                out.push_str(">\n");
                mismatches.iter().for_each(|mismatch| told("failure", mismatch, &mut out));
                out.push_str("  </testcase>\n");
            }
            Outcome::Broken(mismatch) => {
                out.push_str(">\n");
                told("error", mismatch, &mut out);
                out.push_str("  </testcase>\n");
            }
        }
    }
    out.push_str("</testsuite>\n");
    out
}

fn told(tag: &str, mismatch: &Mismatch, out: &mut String) {
    let _ = write!(out, "    <{tag} message=\"{}\">{}", escaped(&mismatch.came), escaped(&mismatch.said));
    for part in &mismatch.parts {
        let _ = write!(out, "\n{} = {}", escaped(&part.text), escaped(&part.value));
    }
    let _ = writeln!(out, "</{tag}>");
}

/// A text as XML holds it; characters that XML can't hold are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_reserves_is_escaped() {
        let came = "1 < 2 & \"x\"\u{1}\nnext".to_owned();
        let mismatch = Mismatch { place: None, said: "expect a".to_owned(), came, from: None, parts: Vec::new() };
        let outcome = Outcome::Broken(Box::new(mismatch));
        let test = Tested { module: "m".into(), title: "a".into(), case: Some("> b".into()), place: None, outcome };
        let text = report(&[test]);
        assert!(text.contains("name=\"a [&gt; b]\"") && text.contains("errors=\"1\""), "{text}");
        assert!(text.contains("message=\"1 &lt; 2 &amp; &quot;x&quot;&#10;next\">expect a</error>"), "{text}");
    }
}
