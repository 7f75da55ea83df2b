//! One combination of a pattern's fields as a tree of paths, and its evaluation on an event.

use std::cell::RefCell;

use super::Invalid;
use super::facts::{Item, Scalar, What};
use super::operator::Operator;
use super::reading::Field;

type Leaves = [Vec<Operator>];

/// The conditions below one path, sorted by path, as EventBridge evaluates them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Branch(Vec<Child>);

#[derive(Debug, Clone, PartialEq)]
struct Child {
    /// The whole path from the root, joined with dots. A suffix of it is the key in a nested object. A suffix with
    /// dots is tried as well, because `{"a": {"b": 1}}` and `{"a.b": 1}` are the same to EventBridge.
    path: String,
    node: Node,
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    /// The index of a field's list.
    Leaf(usize),
    Branch(Branch),
}

/// The result of a subtree for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    No,
    /// The subtree matches because values are missing, so it selects no array element.
    Absent,
    /// The subtree matches a present value, so an array on the path has its element selected.
    Present,
}

/// The outermost array on the path without a selected element. An absent path must be absent in all of its elements.
struct Scope<'f, 'e> {
    array: Item<'f, 'e>,
    /// The index in a path at which the keys of the array's elements begin.
    from: usize,
    /// The known results of leaves, so that each is evaluated once for all elements.
    known: RefCell<Vec<(usize, bool)>>,
}

impl Branch {
    /// Builds the tree of these fields.
    ///
    /// # Errors
    /// [`Invalid`] if two fields have the same path.
    pub(super) fn build(mut fields: Vec<Field<'_>>) -> Result<Branch, Invalid> {
        fields.sort_by_key(|field| field.path);
        for pair in fields.windows(2) {
            if pair[0].path == pair[1].path {
                let found = "a second constraint on the same path";
                return Err(Invalid::new(pair[1].at, found, "each path once in a combination of $or"));
            }
        }
        Ok(Branch::build_sorted(&fields, 0))
    }

    /// Builds the tree of sorted fields whose paths agree up to `from`. Fields below one key are adjacent.
    fn build_sorted(mut fields: &[Field<'_>], from: usize) -> Branch {
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
            let node = Node::Branch(Branch::build_sorted(below, next));
            children.push(Child { path: first.path[..next - 1].to_owned(), node });
            fields = after;
        }
        Branch(children)
    }

    /// Calls `each` with every path and its leaf, in alphabetical order.
    pub(super) fn leaves<'b>(&'b self, each: &mut impl FnMut(&'b str, usize)) {
        for child in &self.0 {
            match &child.node {
                Node::Leaf(leaf) => each(&child.path, *leaf),
                Node::Branch(branch) => branch.leaves(each),
            }
        }
    }

    /// Whether all conditions of the tree hold for the event.
    pub(super) fn matches(&self, event: Item<'_, '_>, leaves: &Leaves) -> bool {
        self.evaluate(event, 0, None, leaves) != Match::No
    }

    /// Evaluates every child in `object`, whose keys begin at index `from` of the paths.
    fn evaluate(
        &self,
        object: Item<'_, '_>,
        from: usize,
        scope: Option<&Scope<'_, '_>>,
        leaves: &Leaves,
    ) -> Match {
        let mut result = Match::Absent;
        for child in &self.0 {
            // Once a value has matched here, the enclosing arrays have selected this element.
            let scope = scope.filter(|_| result == Match::Absent);
            match child.evaluate(object, from, scope, leaves) {
                Match::No => return Match::No,
                Match::Absent => {}
                Match::Present => result = Match::Present,
            }
        }
        result
    }

    /// Evaluates the objects of an array and returns the best result.
    fn evaluate_array(
        &self,
        array: Item<'_, '_>,
        from: usize,
        scope: Option<&Scope<'_, '_>>,
        leaves: &Leaves,
    ) -> Match {
        let mut best = Match::No;
        for element in array.inside() {
            let result = match element.what() {
                What::Object => self.evaluate(element, from, scope, leaves),
                What::Array => self.evaluate_array(element, from, scope, leaves),
                What::Scalar(_) => Match::No,
            };
            match result {
                Match::Present => return Match::Present,
                Match::Absent => best = Match::Absent,
                Match::No => {}
            }
        }
        best
    }
}

impl Child {
    fn evaluate(
        &self,
        object: Item<'_, '_>,
        from: usize,
        scope: Option<&Scope<'_, '_>>,
        leaves: &Leaves,
    ) -> Match {
        let found = object.get(&self.path[from..]);
        match &self.node {
            Node::Leaf(leaf) => self.evaluate_leaf(*leaf, found, object, from, scope, leaves),
            Node::Branch(branch) => {
                let next = self.path.len() + 1;
                let nested = match found.map(|found| (found, found.what())) {
                    Some((object, What::Object)) => branch.evaluate(object, next, scope, leaves),
                    Some((array, What::Array)) => {
                        let fresh = Scope { array, from: next, known: RefCell::default() };
                        branch.evaluate_array(array, next, scope.or(Some(&fresh)), leaves)
                    }
                    Some((_, What::Scalar(_))) | None => Match::No,
                };
                match nested {
                    Match::Present => Match::Present,
                    // Values that are not below this key may be here under keys with dots, or missing.
                    Match::No | Match::Absent => branch.evaluate(object, from, scope, leaves),
                }
            }
        }
    }

    fn evaluate_leaf(
        &self,
        leaf: usize,
        found: Option<Item<'_, '_>>,
        object: Item<'_, '_>,
        from: usize,
        scope: Option<&Scope<'_, '_>>,
        leaves: &Leaves,
    ) -> Match {
        let operators = &leaves[leaf];
        if found.is_some_and(|item| {
            any_scalar(item, &|scalar| operators.iter().any(|operator| operator.holds(scalar)))
        }) {
            return Match::Present;
        }
        if !operators.contains(&Operator::Absent) {
            return Match::No;
        }
        let present = match scope {
            Some(scope) => scope.has(leaf, &self.path),
            None => has(object, &self.path, from),
        };
        if present { Match::No } else { Match::Absent }
    }
}

impl Scope<'_, '_> {
    fn has(&self, leaf: usize, path: &str) -> bool {
        if let Some((_, answer)) = self.known.borrow().iter().find(|(known, _)| *known == leaf) {
            return *answer;
        }
        let answer = any_has(self.array, path, self.from);
        self.known.borrow_mut().push((leaf, answer));
        answer
    }
}

/// Whether the path from index `from` on leads from `object` to a scalar.
fn has(object: Item<'_, '_>, path: &str, from: usize) -> bool {
    let below = path[from..].match_indices('.').any(|(length, _)| {
        let end = from + length;
        match object.get(&path[from..end]).map(|item| (item, item.what())) {
            Some((inner, What::Object)) => has(inner, path, end + 1),
            Some((array, What::Array)) => any_has(array, path, end + 1),
            Some((_, What::Scalar(_))) | None => false,
        }
    });
    below || object.get(&path[from..]).is_some_and(|item| any_scalar(item, &|_| true))
}

fn any_has(array: Item<'_, '_>, path: &str, from: usize) -> bool {
    array.inside().any(|element| match element.what() {
        What::Object => has(element, path, from),
        What::Array => any_has(element, path, from),
        What::Scalar(_) => false,
    })
}

/// Whether `test` holds for a value, or for any value in an array of any depth. Objects are skipped.
fn any_scalar(value: Item<'_, '_>, test: &impl Fn(&Scalar<'_>) -> bool) -> bool {
    match value.what() {
        What::Array => value.inside().any(|element| any_scalar(element, test)),
        What::Object => false,
        What::Scalar(scalar) => test(scalar),
    }
}
