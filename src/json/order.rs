//! The order in which members of objects came last time: the next name is compared with the one that came there, and
//! searched only when it differs.

use super::error::Decoded;
use super::scan::Scanner;
use super::text::is_plain;

/// Members that an order holds at most: an API has no more, and a hostile record must not fill the memory.
const ORDER_MAX: usize = 256;

/// The order of the members of one kind of object; of each it is kept what is done with it.
pub(crate) type Order<A> = Vec<Member<A>>;

/// Words that a name is compared in: with its quotes and the colon, few are longer.
const WORDS: usize = 3;

/// A member that came before.
pub(crate) struct Member<A> {
    /// Its name as it stands: `"name":`.
    name: Box<[u8]>,
    /// Its first bytes, and which of their bits count.
    start: [u64; WORDS],
    mask: [u64; WORDS],
    action: A,
}

impl<A: Copy> Member<A> {
    fn new(name: &str, action: A) -> Self {
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
    fn begins(&self, bytes: &[u8]) -> bool {
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

    fn is(&self, name: &str) -> bool {
        self.name[1..self.name.len() - 2] == *name.as_bytes()
    }
}

/// The orders of all kinds of objects, by number.
pub(crate) struct Orders<A> {
    orders: Vec<Order<A>>,
}

impl<A> Default for Orders<A> {
    fn default() -> Self {
        Self { orders: Vec::new() }
    }
}

impl<A> Orders<A> {
    /// The order of a kind, for as long as one of its objects is read. Objects of the same kind within it learn their
    /// own, which is forgotten: parts rarely hold their like.
    pub(crate) fn take(&mut self, kind: usize) -> Order<A> {
        self.orders.get_mut(kind).map(std::mem::take).unwrap_or_default()
    }

    /// The order goes back.
    pub(crate) fn give_back(&mut self, kind: usize, order: Order<A>) {
        if self.orders.len() <= kind {
            self.orders.resize_with(kind + 1, Vec::new);
        }
        self.orders[kind] = order;
    }
}

/// What is done with a member that came elsewhere last time, or never, and where its order goes on.
fn find<A: Copy>(order: &mut Order<A>, position: usize, name: &str, action: impl FnOnce(&str) -> A) -> (A, usize) {
    // A member that was left out this time: go on behind it.
    if let Some(n) = order.iter().skip(position).position(|known| known.is(name)) {
        let n = position + n;
        return (order[n].action, n + 1);
    }
    if let Some(known) = order.iter().find(|known| known.is(name)) {
        return (known.action, position);
    }
    let action = action(name);
    // A name that is written with escapes does not stand as it is, and one with a quote in it might stand for more.
    if order.len() == ORDER_MAX || !is_plain(name.as_bytes()) {
        return (action, position);
    }
    order.insert(position, Member::new(name, action));
    (action, position + 1)
}

impl Scanner<'_> {
    /// Past the name and the colon of the next member, behind that byte (an object's first brace, or a comma), with what
    /// is done with it; none when the object ends, whose end is passed. Blanks may stand before its value.
    #[inline]
    pub(crate) fn member<A: Copy>(
        &mut self,
        before: u8,
        order: &mut Order<A>,
        position: &mut usize,
        action: impl Fn(&str) -> A,
    ) -> Decoded<Option<A>> {
        match self.bytes.get(self.at..) {
            // Most often it is the one that came here last time.
            Some([first, rest @ ..])
                if *first == before
                    && let Some(member) = order.get(*position)
                    && member.begins(rest) =>
            {
                self.at += 1 + member.name.len();
                *position += 1;
                return Ok(Some(member.action));
            }
            Some([b'}', ..]) if before == b',' => {
                self.at += 1;
                return Ok(None);
            }
            _ => {}
        }
        let (action, behind) = self.unexpected(before, order, *position, action)?;
        *position = behind;
        Ok(action)
    }

    /// A member that is not the one that came here last time, and its position; none when the object ends.
    #[cold]
    fn unexpected<A: Copy>(
        &mut self,
        before: u8,
        order: &mut Order<A>,
        position: usize,
        action: impl Fn(&str) -> A,
    ) -> Decoded<(Option<A>, usize)> {
        let Some(name) = self.name_behind(before)? else { return Ok((None, position)) };
        let (action, position) = find(order, position, name, action);
        Ok((Some(action), position))
    }
}
