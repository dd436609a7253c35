//! What a person is told of a record that goes on: once as long as it holds, and that it holds no longer.

use super::event::Event;
use super::record::Acting;
use crate::source::Span;

impl Acting<'_> {
    /// Notes what an evaluation has to tell. It is told when the record is settled: who corrects what parks it, corrects that.
    pub(crate) fn holds(&mut self, alerts: Vec<(String, Span)>) {
        for alert in &alerts {
            if !self.to_tell.contains(alert) {
                self.to_tell.push(alert.clone());
            }
        }
        self.alerted = Some(alerts.into_iter().map(|(text, _)| text).collect());
    }

    /// Tells what holds, each text once as long as it does, and what was told and holds no longer. What differs from it in
    /// its numbers alone stands in its place.
    pub(crate) fn tell_alerts(&mut self) {
        self.tell_new();
        let still = |text: &String| {
            let mut now = self.alerted.iter().flatten().chain(&self.told);
            now.any(|now| without_numbers(now).eq(without_numbers(text)))
        };
        let over: Vec<String> = self.alerts_before().iter().filter(|text| !still(text)).cloned().collect();
        for text in over {
            self.alert(format!("no longer so: {text}"), self.pass.flow().span);
        }
    }

    pub(crate) fn tell_new(&mut self) {
        for (text, span) in std::mem::take(&mut self.to_tell) {
            if !self.alerts_before().contains(&text) && self.told.insert(text.clone()) {
                self.alert(text, span);
            }
        }
    }

    /// Tells what a record that is left out has to tell. It has not been looked at whole: what was told before may still hold.
    pub(crate) fn tell_skipped(&mut self, alerts: Vec<(String, Span)>) {
        let mut held = self.alerts_before().to_vec();
        self.holds(alerts);
        let new = self.alerted.take().unwrap_or_default();
        held.extend(new.into_iter().filter(|text| !self.alerts_before().contains(text)));
        self.alerted = Some(held);
        self.tell_alerts();
    }

    /// Tells a person; the record goes on.
    pub(crate) fn alert(&mut self, reason: String, place: Span) {
        let mut told = self.told_of(None);
        told.reason = Some(reason);
        told.place = self.pass.place(place);
        self.events.push(Event::Alert(told));
    }
}

/// A text by its words: amounts and numbers in it may change.
fn without_numbers(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_ascii_digit() && *c != '.')
}
