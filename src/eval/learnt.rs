//! The order in which members of objects came last time: the next name is compared with the one that came there, and
//! searched only when it differs.

use super::layout::Action;

/// Members that an order holds at most: an API has no more, and a hostile record must not fill the memory.
const ORDER_MAX: usize = 256;

/// Bytes of a name that are compared at once, with its closing quote and colon.
const AT_ONCE: usize = 32;

/// Orders by entity.
#[derive(Default)]
pub(crate) struct Learnt {
    orders: Vec<Vec<Member>>,
}

/// A member that came before.
struct Member {
    /// Its name as it stands behind the opening quote: `name":`.
    name: Box<[u8]>,
    /// The beginning of the name, and which of its bits count: few names are longer.
    words: [u64; AT_ONCE / 8],
    masks: [u64; AT_ONCE / 8],
    action: Action,
}

impl Member {
    fn new(name: &str, action: Action) -> Self {
        let name: Box<[u8]> = [name.as_bytes(), b"\":"].concat().into();
        let (mut start, mut mask) = ([0; AT_ONCE], [0; AT_ONCE]);
        for (n, byte) in name.iter().take(AT_ONCE).enumerate() {
            start[n] = *byte;
            mask[n] = u8::MAX;
        }
        Self { words: words(&start), masks: words(&mask), name, action }
    }

    /// Whether the bytes begin with it.
    #[inline]
    fn begins(&self, bytes: &[u8]) -> bool {
        match bytes.first_chunk::<AT_ONCE>() {
            Some(start) if self.name.len() <= AT_ONCE => {
                let there = words(start);
                let differ = |n: usize| (there[n] ^ self.words[n]) & self.masks[n];
                differ(0) | differ(1) | differ(2) | differ(3) == 0
            }
            _ => bytes.starts_with(&self.name),
        }
    }

    fn is(&self, name: &str) -> bool {
        self.name.len() == name.len() + 2 && self.name.starts_with(name.as_bytes())
    }
}

#[inline]
fn words(bytes: &[u8; AT_ONCE]) -> [u64; AT_ONCE / 8] {
    let word = |n: usize| {
        let eight = bytes[n * 8..].first_chunk::<8>().expect("the words divide the bytes");
        u64::from_le_bytes(*eight)
    };
    [word(0), word(1), word(2), word(3)]
}

impl Learnt {
    /// The member that came at this position of an entity last time, if these bytes begin with it: what is done with it,
    /// and the bytes that its name takes with quote and colon.
    #[inline]
    pub(crate) fn expected(&self, entity: usize, position: usize, bytes: &[u8]) -> Option<(Action, usize)> {
        let member = self.orders.get(entity)?.get(position)?;
        member.begins(bytes).then_some((member.action, member.name.len()))
    }

    /// What is done with a member that came elsewhere last time, or never; `position` goes on behind it.
    pub(crate) fn find(
        &mut self,
        entity: usize,
        position: &mut usize,
        name: &str,
        action: impl FnOnce() -> Action,
    ) -> Action {
        if self.orders.len() <= entity {
            self.orders.resize_with(entity + 1, Vec::new);
        }
        let order = &mut self.orders[entity];
        // A member that was left out this time: go on behind it.
        if let Some(n) = order.iter().skip(*position).position(|known| known.is(name)) {
            *position += n + 1;
            return order[*position - 1].action;
        }
        if let Some(known) = order.iter().find(|known| known.is(name)) {
            return known.action;
        }
        let action = action();
        if order.len() < ORDER_MAX {
            order.insert(*position, Member::new(name, action));
            *position += 1;
        }
        action
    }
}
