//! Lanes: for every key that a record may create, one record at a time, in the order of the page; different keys go on
//! side by side.

use std::collections::{HashSet, VecDeque};

/// Records of a page that are to be acted on, by number, each with the keys that it may create.
#[derive(Debug)]
pub(crate) struct Lanes {
    waiting: VecDeque<(usize, Vec<String>)>,
    held: HashSet<String>,
    running: usize,
    side_by_side: usize,
}

impl Lanes {
    /// Lanes for so many records at a time.
    pub(crate) fn new(side_by_side: usize) -> Self {
        Self { waiting: VecDeque::new(), held: HashSet::new(), running: 0, side_by_side }
    }

    /// A record more, behind the others.
    pub(crate) fn add(&mut self, record: usize, keys: Vec<String>) {
        self.waiting.push_back((record, keys));
    }

    /// A record again, with further keys, ahead of the others: it came before them.
    pub(crate) fn again(&mut self, record: usize, keys: Vec<String>) {
        self.waiting.push_front((record, keys));
    }

    /// The next record whose keys are free: none of them is held, nor wanted by a record before it.
    pub(crate) fn next(&mut self) -> Option<(usize, Vec<String>)> {
        if self.running >= self.side_by_side {
            return None;
        }
        let mut wanted: HashSet<&String> = HashSet::new();
        let free = self.waiting.iter().position(|(_, keys)| {
            let free = keys.iter().all(|k| !self.held.contains(k) && !wanted.contains(k));
            wanted.extend(keys);
            free
        })?;
        let (record, keys) = self.waiting.remove(free)?;
        self.held.extend(keys.iter().cloned());
        self.running += 1;
        Some((record, keys))
    }

    /// A record has ended: its keys are free.
    pub(crate) fn free(&mut self, keys: &[String]) {
        assert!(self.running > 0, "what is freed was running");
        self.running -= 1;
        for key in keys {
            self.held.remove(key);
        }
    }

    /// Nothing runs and nothing waits.
    pub(crate) fn is_done(&self) -> bool {
        self.running == 0 && self.waiting.is_empty()
    }

    /// Takes out what has not begun.
    pub(crate) fn stop(&mut self) {
        self.waiting.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Lanes;

    fn keys(keys: &[&str]) -> Vec<String> {
        keys.iter().map(|k| (*k).to_owned()).collect()
    }

    #[test]
    fn one_key_is_held_by_one_record_and_order_is_kept() {
        let mut lanes = Lanes::new(4);
        lanes.add(0, keys(&["order 1", "ann"]));
        lanes.add(1, keys(&["order 2", "ann", "bob"]));
        lanes.add(2, keys(&["order 3", "bob"]));
        lanes.add(3, keys(&["order 4", "cid"]));
        let first = lanes.next().unwrap();
        assert_eq!(first.0, 0);
        // Record 2 shares no key with record 0, but record 1, which waits, comes before it.
        assert_eq!(lanes.next().unwrap().0, 3);
        assert!(lanes.next().is_none());
        lanes.free(&first.1);
        let second = lanes.next().unwrap();
        assert_eq!(second.0, 1);
        assert!(lanes.next().is_none());
        lanes.free(&second.1);
        assert_eq!(lanes.next().unwrap().0, 2);
    }

    #[test]
    fn runs_no_more_than_allowed() {
        let mut lanes = Lanes::new(2);
        (0..5).for_each(|n| lanes.add(n, vec![n.to_string()]));
        assert!(lanes.next().is_some());
        assert!(lanes.next().is_some());
        assert!(lanes.next().is_none());
        lanes.free(&keys(&["0"]));
        assert_eq!(lanes.next().unwrap().0, 2);
        assert!(!lanes.is_done());
        lanes.stop();
        lanes.free(&keys(&["1"]));
        lanes.free(&keys(&["2"]));
        assert!(lanes.is_done());
    }
}
