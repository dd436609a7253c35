//! The lossless tree: every byte of a file in one token, every token in the node of what it belongs to.
//!
//! It is built once and never changed. [`Tree::text`] of any tree is the source, however broken that was: the tokens
//! come from the scanner, and the grammar only says where they are grouped.

use super::grammar::Rule;
use super::token::{Lexeme, Token};
use std::ops::Range;
use std::sync::Arc;

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The whole file.
    File,
    /// A declaration with the comments and blank lines around it.
    Declaration,
    /// What a rule of the grammar matched.
    Rule(Rule),
    /// A token: it has bytes and no children.
    Token(Token),
}

/// The number of a node in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NodeId(u32);

#[derive(Clone, Copy, Debug)]
struct Node {
    kind: Kind,
    start: u32,
    end: u32,
    first_child: u32,
    next: u32,
}

const NONE: u32 = u32::MAX;

/// A file as nodes over its text, in one arena.
#[derive(Clone, Debug)]
pub struct Tree {
    nodes: Vec<Node>,
    /// The text, or the declaration's part of it.
    source: Arc<str>,
    /// Where that part begins in its file.
    offset: usize,
}

/// A node of a tree.
#[derive(Clone, Copy, Debug)]
pub struct NodeRef<'a> {
    tree: &'a Tree,
    id: u32,
}

impl Tree {
    /// The node of the whole file.
    pub fn root(&self) -> NodeRef<'_> {
        NodeRef { tree: self, id: 0 }
    }

    /// The node of that number.
    pub fn node(&self, id: NodeId) -> NodeRef<'_> {
        NodeRef { tree: self, id: id.0 }
    }

    /// The text that the tree was made from, put together from its tokens.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(self.source.len());
        for (id, node) in (0..).zip(&self.nodes) {
            if matches!(node.kind, Kind::Token(_)) {
                text.push_str(NodeRef { tree: self, id }.text());
            }
        }
        text
    }
}

impl<'a> NodeRef<'a> {
    /// What it is.
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// Its number.
    pub fn id(self) -> NodeId {
        NodeId(self.id)
    }

    /// Its text.
    pub fn text(self) -> &'a str {
        let Range { start, end } = self.range();
        let offset = self.tree.offset;
        self.tree.source.get(start - offset..end - offset).unwrap_or("")
    }

    /// Its bytes in the file.
    pub fn range(self) -> Range<usize> {
        self.node().start as usize..self.node().end as usize
    }

    /// Its children in their order.
    pub fn children(self) -> impl Iterator<Item = NodeRef<'a>> {
        let tree = self.tree;
        let some = move |id: u32| (id != NONE).then_some(NodeRef { tree, id });
        std::iter::successors(some(self.node().first_child), move |node| some(node.node().next))
    }

    fn node(self) -> &'a Node {
        &self.tree.nodes[self.id as usize]
    }
}

/// A group of tokens: its rule and the bytes between which it stands, outer groups before inner ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Group {
    pub(crate) rule: Rule,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// Builds a tree of tokens and of the groups over them. Both are in the order of the text.
pub(crate) struct Builder {
    nodes: Vec<Node>,
    /// Open nodes: their number, their end, their last child.
    open: Vec<(u32, usize, u32)>,
}

impl Builder {
    pub(crate) fn new(range: Range<usize>) -> Self {
        let mut builder = Self { nodes: Vec::new(), open: Vec::new() };
        builder.begin(Kind::File, range.start, range.end);
        builder
    }

    fn begin(&mut self, kind: Kind, start: usize, end: usize) {
        let clip = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let id = clip(self.nodes.len());
        self.nodes.push(Node { kind, start: clip(start), end: clip(end), first_child: NONE, next: NONE });
        if let Some((parent, _, last)) = self.open.last_mut() {
            match *last {
                NONE => self.nodes[*parent as usize].first_child = id,
                last => self.nodes[last as usize].next = id,
            }
            *last = id;
        }
        if !matches!(kind, Kind::Token(_)) {
            self.open.push((id, end, NONE));
        }
    }

    /// A declaration: a token goes into the innermost group in which it begins.
    pub(crate) fn declaration(&mut self, tokens: &[Lexeme], groups: &[Group]) {
        let (Some(first), Some(last)) = (tokens.first(), tokens.last()) else {
            return;
        };
        let depth = self.open.len();
        self.begin(Kind::Declaration, first.from(), last.to());
        let mut groups = groups.iter().filter(|group| group.end > group.start).peekable();
        for token in tokens {
            while self.open.len() > depth + 1 && self.open.last().is_some_and(|(_, end, _)| *end <= token.from()) {
                self.close();
            }
            while let Some(group) = groups.next_if(|group| group.start <= token.from()) {
                // A mended place may have moved a group behind its own tokens.
                if group.end > token.from() {
                    let end = self.open.last().map_or(group.end, |(_, end, _)| group.end.min(*end));
                    self.begin(Kind::Rule(group.rule), token.from(), end);
                }
            }
            self.begin(Kind::Token(token.kind), token.from(), token.to());
        }
        while self.open.len() > depth {
            self.close();
        }
    }

    /// A node ends with its last child: what begins in it, ends in it.
    fn close(&mut self) {
        if let Some((id, _, last)) = self.open.pop()
            && last != NONE
        {
            self.nodes[id as usize].end = self.nodes[last as usize].end;
        }
    }

    /// The tree of `source`, which begins at the byte `offset` of its file.
    pub(crate) fn finish(self, source: &str, offset: usize) -> Tree {
        Tree { nodes: self.nodes, source: source.into(), offset }
    }
}
