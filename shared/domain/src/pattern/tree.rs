//! One combination of a pattern's fields as a tree of paths, and the walk of it through an event.

use std::cell::RefCell;

use super::Invalid;
use super::facts::{Item, Scalar, What};
use super::operator::Operator;
use super::reading::Field;

type Leaves = [Vec<Operator>];

/// What has to hold below one path, in the order of EventBridge: by the paths, alphabetically.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Branch(Vec<Child>);

#[derive(Debug, Clone, PartialEq)]
struct Child {
    /// The whole path from the root, joined with dots. A tail of it is its key in an object further down; a tail with
    /// dots is also looked for, because to EventBridge `{"a": {"b": 1}}` and `{"a.b": 1}` are one.
    path: String,
    node: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// A field's list, as an index.
    Leaf(usize),
    Branch(Branch),
}

/// How a part of the tree fares in an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    No,
    /// It holds because values are missing, so it ties nothing to an element of an array.
    Absent,
    /// It holds, and a value was seen: an array on the way to it has its element chosen.
    Held,
}

/// The outermost array on the way here of which no element is chosen yet: what is absent must be absent in all of it.
struct Scope<'f, 'e> {
    array: Item<'f, 'e>,
    /// Where in a path the keys of its elements begin.
    from: usize,
    /// What is known of each leaf already, lest every element asks anew.
    known: RefCell<Vec<(usize, bool)>>,
}

impl Branch {
    /// The tree of these fields.
    ///
    /// # Errors
    /// [`Invalid`] for a path that two of them share.
    pub(super) fn plant(mut fields: Vec<Field<'_>>) -> Result<Branch, Invalid> {
        fields.sort_by_key(|field| field.path);
        for pair in fields.windows(2) {
            if pair[0].path == pair[1].path {
                let found = "a second constraint on the same path";
                return Err(Invalid::new(pair[1].at, found, "each path once in a combination of $or"));
            }
        }
        Ok(Branch::grow(&fields, 0))
    }

    /// The tree of sorted fields whose paths agree up to `from`. Those below one key stand side by side.
    fn grow(mut fields: &[Field<'_>], from: usize) -> Branch {
        let mut children = Vec::new();
        while let Some(first) = fields.first() {
            let Some(length) = first.path[from..].find('.') else {
                children.push(Child { path: first.path.to_owned(), node: Node::Leaf(first.leaf) });
                fields = &fields[1..];
                continue;
            };
            let next = from + length + 1;
            let count = fields.iter().take_while(|field| field.path.starts_with(&first.path[..next])).count();
            let (below, after) = fields.split_at(count);
            let node = Node::Branch(Branch::grow(below, next));
            children.push(Child { path: first.path[..next - 1].to_owned(), node });
            fields = after;
        }
        Branch(children)
    }

    /// Calls `each` with every path and its leaf, alphabetically.
    pub(super) fn leaves<'b>(&'b self, each: &mut impl FnMut(&'b str, usize)) {
        for child in &self.0 {
            match &child.node {
                Node::Leaf(leaf) => each(&child.path, *leaf),
                Node::Branch(branch) => branch.leaves(each),
            }
        }
    }

    /// Whether everything in it holds for the event.
    pub(super) fn grows_in(&self, event: Item<'_, '_>, leaves: &Leaves) -> bool {
        self.judge(event, 0, None, leaves) != Verdict::No
    }

    /// Judges every child in `object`, whose keys begin at `from` in the paths.
    fn judge(
        &self,
        object: Item<'_, '_>,
        from: usize,
        scope: Option<&Scope<'_, '_>>,
        leaves: &Leaves,
    ) -> Verdict {
        let mut verdict = Verdict::Absent;
        for child in &self.0 {
            // Once a value was seen here, the arrays around this object have their element: this one.
            let scope = scope.filter(|_| verdict == Verdict::Absent);
            match child.judge(object, from, scope, leaves) {
                Verdict::No => return Verdict::No,
                Verdict::Absent => {}
                Verdict::Held => verdict = Verdict::Held,
            }
        }
        verdict
    }

    /// Judges the objects of an array and takes the best verdict.
    fn judge_any(
        &self,
        array: Item<'_, '_>,
        from: usize,
        scope: Option<&Scope<'_, '_>>,
        leaves: &Leaves,
    ) -> Verdict {
        let mut best = Verdict::No;
        for element in array.inside() {
            let verdict = match element.what() {
                What::Object => self.judge(element, from, scope, leaves),
                What::Array => self.judge_any(element, from, scope, leaves),
                What::Scalar(_) => Verdict::No,
            };
            match verdict {
                Verdict::Held => return Verdict::Held,
                Verdict::Absent => best = Verdict::Absent,
                Verdict::No => {}
            }
        }
        best
    }
}

impl Child {
    fn judge(
        &self,
        object: Item<'_, '_>,
        from: usize,
        scope: Option<&Scope<'_, '_>>,
        leaves: &Leaves,
    ) -> Verdict {
        let found = object.get(&self.path[from..]);
        match &self.node {
            Node::Leaf(leaf) => self.judge_leaf(*leaf, found, object, from, scope, leaves),
            Node::Branch(branch) => {
                let next = self.path.len() + 1;
                let nested = match found.map(|found| (found, found.what())) {
                    Some((object, What::Object)) => branch.judge(object, next, scope, leaves),
                    Some((array, What::Array)) => {
                        let fresh = Scope { array, from: next, known: RefCell::default() };
                        branch.judge_any(array, next, scope.or(Some(&fresh)), leaves)
                    }
                    Some((_, What::Scalar(_))) | None => Verdict::No,
                };
                match nested {
                    Verdict::Held => Verdict::Held,
                    // What is not below this key may be here, under keys with dots, or nowhere.
                    Verdict::No | Verdict::Absent => branch.judge(object, from, scope, leaves),
                }
            }
        }
    }

    fn judge_leaf(
        &self,
        leaf: usize,
        found: Option<Item<'_, '_>>,
        object: Item<'_, '_>,
        from: usize,
        scope: Option<&Scope<'_, '_>>,
        leaves: &Leaves,
    ) -> Verdict {
        let operators = &leaves[leaf];
        if found.is_some_and(|found| {
            any_scalar(found, &|found| operators.iter().any(|operator| operator.holds(found)))
        }) {
            return Verdict::Held;
        }
        if !operators.contains(&Operator::Absent) {
            return Verdict::No;
        }
        let present = match scope {
            Some(scope) => scope.has(leaf, &self.path),
            None => has(object, &self.path, from),
        };
        if present { Verdict::No } else { Verdict::Absent }
    }
}

impl Scope<'_, '_> {
    fn has(&self, leaf: usize, path: &str) -> bool {
        if let Some((_, answer)) = self.known.borrow().iter().find(|(it, _)| *it == leaf) {
            return *answer;
        }
        let answer = any_has(self.array, path, self.from);
        self.known.borrow_mut().push((leaf, answer));
        answer
    }
}

/// Whether a path, from `from` on, leads from `object` to a value that is neither an object nor an array.
fn has(object: Item<'_, '_>, path: &str, from: usize) -> bool {
    let below = path[from..].match_indices('.').any(|(length, _)| {
        let end = from + length;
        match object.get(&path[from..end]).map(|it| (it, it.what())) {
            Some((inner, What::Object)) => has(inner, path, end + 1),
            Some((array, What::Array)) => any_has(array, path, end + 1),
            Some((_, What::Scalar(_))) | None => false,
        }
    });
    below || object.get(&path[from..]).is_some_and(|it| any_scalar(it, &|_| true))
}

fn any_has(array: Item<'_, '_>, path: &str, from: usize) -> bool {
    array.inside().any(|it| match it.what() {
        What::Object => has(it, path, from),
        What::Array => any_has(it, path, from),
        What::Scalar(_) => false,
    })
}

/// Whether `test` holds for a value, or for any value in an array, however nested. Objects are passed over.
fn any_scalar(value: Item<'_, '_>, test: &impl Fn(&Scalar<'_>) -> bool) -> bool {
    match value.what() {
        What::Array => value.inside().any(|it| any_scalar(it, test)),
        What::Object => false,
        What::Scalar(scalar) => test(scalar),
    }
}
