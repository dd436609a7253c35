//! The order in which members of objects came last time: the next name is compared with the one that came there, and
//! searched only when it differs.

use super::layout::Action;

/// Members that an order holds at most: an API has no more, and a hostile record must not fill the memory.
const ORDER_MAX: usize = 256;

/// The order of one entity's members.
pub(crate) type Order = Vec<Member>;

/// Orders by entity.
#[derive(Default)]
pub(crate) struct Learnt {
    orders: Vec<Order>,
}

/// A member that came before.
pub(crate) struct Member {
    /// Its name as it stands behind the opening quote: `name":`.
    name: Box<[u8]>,
    /// Its first sixteen bytes, and which of their bits count: few names are longer.
    start: u128,
    mask: u128,
    action: Action,
}

impl Member {
    fn new(name: &str, action: Action) -> Self {
        let name: Box<[u8]> = [name.as_bytes(), b"\":"].concat().into();
        let (mut start, mut mask) = ([0; 16], [0; 16]);
        for (n, byte) in name.iter().take(16).enumerate() {
            start[n] = *byte;
            mask[n] = u8::MAX;
        }
        Self { start: u128::from_le_bytes(start), mask: u128::from_le_bytes(mask), name, action }
    }

    /// What is done with it and how many bytes its name takes, if these bytes begin with it.
    #[inline]
    pub(crate) fn begins(&self, bytes: &[u8]) -> Option<(Action, usize)> {
        let begins = match bytes.first_chunk::<16>() {
            Some(first) => {
                (u128::from_le_bytes(*first) ^ self.start) & self.mask == 0
                    && (self.name.len() <= 16 || bytes.starts_with(&self.name))
            }
            None => bytes.starts_with(&self.name),
        };
        begins.then_some((self.action, self.name.len()))
    }

    fn is(&self, name: &str) -> bool {
        self.name.len() == name.len() + 2 && self.name.starts_with(name.as_bytes())
    }
}

impl Learnt {
    /// The order of an entity, for as long as one of its objects is read. Objects of the same entity within it learn
    /// their own, which is forgotten: parts rarely hold their like.
    pub(crate) fn take(&mut self, entity: usize) -> Order {
        self.orders.get_mut(entity).map(std::mem::take).unwrap_or_default()
    }

    /// The order goes back.
    pub(crate) fn give_back(&mut self, entity: usize, order: Order) {
        if self.orders.len() <= entity {
            self.orders.resize_with(entity + 1, Vec::new);
        }
        self.orders[entity] = order;
    }
}

/// What is done with a member that came elsewhere last time, or never; `position` goes on behind it.
pub(crate) fn find(order: &mut Order, position: &mut usize, name: &str, action: impl FnOnce() -> Action) -> Action {
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
