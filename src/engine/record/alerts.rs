//! What a person is told of a record that goes on: once as long as it holds, and that it holds no longer.

use super::acting::Acting;
use crate::source::Span;

impl Acting<'_> {
    /// Notes what an evaluation has to tell. It is told when the record is settled: who corrects what parks it, corrects that.
    pub(crate) fn note_alerts(&mut self, alerts: &[(String, Span)]) {
        for alert in alerts {
            if !self.to_tell.contains(alert) {
                self.to_tell.push(alert.clone());
            }
        }
    }

    /// Tells what the last evaluation has to tell and those before it had, each text once as long as it holds, and what was
    /// told and holds no longer. What differs from it in its numbers alone stands in its place.
    pub(crate) fn tell_alerts(&mut self, now: &[(String, Span)]) {
        self.note_alerts(now);
        self.tell_noted();
        let still = |text: &String| {
            let mut now = now.iter().map(|(text, _)| text).chain(&self.told);
            now.any(|now| without_numbers(now).eq(without_numbers(text)))
        };
        let over: Vec<String> = self.alerts_before().iter().filter(|text| !still(text)).cloned().collect();
        for text in over {
            self.alert(format!("no longer so: {text}"), self.pass.flow().span);
        }
        self.alerted = Some(now.iter().map(|(text, _)| text.clone()).collect());
    }

    /// Tells what was noted, though more may come of the record. What is told so may be told again.
    pub(crate) fn tell_noted(&mut self) {
        for (text, span) in std::mem::take(&mut self.to_tell) {
            if !self.alerts_before().contains(&text) && self.told.insert(text.clone()) {
                self.alert(text, span);
            }
        }
    }

    /// Tells what a record that is left out has to tell. It has not been looked at whole: what was told before may still hold.
    pub(crate) fn tell_skipped(&mut self, now: &[(String, Span)]) {
        self.note_alerts(now);
        self.tell_noted();
        let mut held = self.alerts_before().to_vec();
        held.extend(now.iter().map(|(text, _)| text).filter(|text| !self.alerts_before().contains(text)).cloned());
        self.alerted = Some(held);
    }
}

/// A text by its words: amounts and numbers in it may change.
fn without_numbers(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_ascii_digit() && *c != '.')
}
