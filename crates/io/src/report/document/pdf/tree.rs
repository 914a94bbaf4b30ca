//! What each mark on a page is: the tags that a reader of the screen follows.

use std::num::NonZeroU16;

use krilla::tagging::{Identifier, ListNumbering, TableHeaderScope, Tag, TagGroup, TagKind, TagTree};

/// What a part of a document is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Section,
    Group,
    /// Level and title.
    Heading(u16, String),
    Paragraph,
    List,
    Item,
    Label,
    Body,
    Table,
    Caption,
    TableHead,
    TableBody,
    Row,
    ColumnHead,
    RowHead,
    Cell,
    /// With what stands for it.
    Figure(String),
}

impl Kind {
    fn tag(self) -> TagKind {
        match self {
            Self::Section => Tag::Section.into(),
            Self::Group => Tag::Div.into(),
            Self::Heading(level, title) => {
                Tag::Hn(NonZeroU16::new(level).unwrap_or(NonZeroU16::MIN), Some(title)).into()
            }
            Self::Paragraph => Tag::P.into(),
            Self::List => Tag::L(ListNumbering::None).into(),
            Self::Item => Tag::LI.into(),
            Self::Label => Tag::Lbl.into(),
            Self::Body => Tag::LBody.into(),
            Self::Table => Tag::Table.into(),
            Self::Caption => Tag::Caption.into(),
            Self::TableHead => Tag::THead.into(),
            Self::TableBody => Tag::TBody.into(),
            Self::Row => Tag::TR.into(),
            Self::ColumnHead => Tag::TH(TableHeaderScope::Column).into(),
            Self::RowHead => Tag::TH(TableHeaderScope::Row).into(),
            Self::Cell => Tag::TD.into(),
            Self::Figure(alt) => Tag::Figure(Some(alt)).into(),
        }
    }
}

/// Parts within parts; a part comes after that which holds it.
#[derive(Debug, Default)]
pub struct Tree {
    nodes: Vec<(Option<usize>, Kind)>,
}

impl Tree {
    /// Adds a part and gives its number.
    pub fn add(&mut self, parent: Option<usize>, kind: Kind) -> usize {
        self.nodes.push((parent, kind));
        self.nodes.len() - 1
    }

    /// The tags, with what was drawn of each part.
    pub fn tags(self, mut drawn: Vec<Vec<Identifier>>) -> TagTree {
        drawn.resize_with(self.nodes.len(), Vec::new);
        let mut children: Vec<Vec<TagGroup>> = self.nodes.iter().map(|_| vec![]).collect();
        let mut roots = Vec::new();
        for (n, (parent, kind)) in self.nodes.into_iter().enumerate().rev() {
            let mut group = TagGroup::new(kind.tag());
            for id in drawn[n].drain(..) {
                group.push(id);
            }
            let below = std::mem::take(&mut children[n]);
            if group.children.is_empty() && below.is_empty() {
                continue;
            }
            for child in below.into_iter().rev() {
                group.push(child);
            }
            match parent {
                Some(p) => children[p].push(group),
                None => roots.push(group),
            }
        }
        let mut tree = TagTree::new().with_lang(Some("en".to_owned()));
        for root in roots.into_iter().rev() {
            tree.push(root);
        }
        tree
    }
}
