//! The order in which members of objects came last time: the next name is compared with the one that came there, and
//! searched only when it differs.

use super::layout::Action;
use super::scan::is_plain;

/// Members that an order holds at most: an API has no more, and a hostile record must not fill the memory.
const ORDER_MAX: usize = 256;

/// The order of one entity's members.
pub(crate) type Order = Vec<Member>;

/// Orders by entity.
#[derive(Default)]
pub(crate) struct Learnt {
    orders: Vec<Order>,
}

/// Words that a name is compared in: with its quotes and the colon, few are longer.
const WORDS: usize = 3;

/// A member that came before.
pub(crate) struct Member {
    /// Its name as it stands: `"name":`.
    name: Box<[u8]>,
    /// Its first bytes, and which of their bits count.
    start: [u64; WORDS],
    mask: [u64; WORDS],
    action: Action,
}

impl Member {
    fn new(name: &str, action: Action) -> Self {
        let name: Box<[u8]> = [b"\"", name.as_bytes(), b"\":"].concat().into();
        let mut member = Self { name, start: [0; WORDS], mask: [0; WORDS], action };
        for (n, word) in member.name.chunks(8).take(WORDS).enumerate() {
            let padded = |byte: fn(u8) -> u8| {
                let mut bytes = [0; 8];
                bytes.iter_mut().zip(word).for_each(|(to, from)| *to = byte(*from));
                u64::from_le_bytes(bytes)
            };
            member.start[n] = padded(|byte| byte);
            member.mask[n] = padded(|_| u8::MAX);
        }
        member
    }

    /// Whether these bytes begin with it.
    #[inline]
    pub(crate) fn begins(&self, bytes: &[u8]) -> bool {
        match bytes.first_chunk::<{ 8 * WORDS }>() {
            Some(first) => {
                let (words, _) = first.as_chunks::<8>();
                let differ = |n: usize| (u64::from_le_bytes(words[n]) ^ self.start[n]) & self.mask[n];
                (0..WORDS).fold(0, |bits, n| bits | differ(n)) == 0
                    && (self.name.len() <= 8 * WORDS || bytes.starts_with(&self.name))
            }
            None => bytes.starts_with(&self.name),
        }
    }

    /// Bytes that its name takes, with quotes and colon.
    #[inline]
    pub(crate) fn length(&self) -> usize {
        self.name.len()
    }

    /// What is done with it.
    #[inline]
    pub(crate) fn action(&self) -> Action {
        self.action
    }

    fn is(&self, name: &str) -> bool {
        self.name[1..self.name.len() - 2] == *name.as_bytes()
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

/// What is done with a member that came elsewhere last time, or never, and where its order goes on.
pub(crate) fn find(order: &mut Order, position: usize, name: &str, action: impl FnOnce() -> Action) -> (Action, usize) {
    // A member that was left out this time: go on behind it.
    if let Some(n) = order.iter().skip(position).position(|known| known.is(name)) {
        let n = position + n;
        return (order[n].action, n + 1);
    }
    if let Some(known) = order.iter().find(|known| known.is(name)) {
        return (known.action, position);
    }
    let action = action();
    // A name that is written with escapes does not stand as it is, and one with a quote in it might stand for more.
    if order.len() == ORDER_MAX || !is_plain(name.as_bytes()) {
        return (action, position);
    }
    order.insert(position, Member::new(name, action));
    (action, position + 1)
}
