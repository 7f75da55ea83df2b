//! Unsubscribe links of e-mails.

use std::collections::BTreeSet;

use super::Rule;
use crate::event::Priority;
use crate::recipient::preference::Layers;
use crate::recipient::unsubscribe::Scope;

impl Rule {
    /// The scope from which the recipient of this rule's e-mail can unsubscribe with one click. `None` if the e-mail
    /// must not offer that.
    ///
    /// Critical e-mails never offer it, and commercial e-mails always do. Other e-mails offer it if their category is
    /// in `optional` and not locked. All remaining e-mails are transactional.
    #[must_use]
    pub fn unsubscribe_scope(
        &self,
        preferences: &Layers<'_>,
        optional: &BTreeSet<String>,
        has_tenant: bool,
    ) -> Option<Scope> {
        if self.priority == Some(Priority::Critical) {
            return None;
        }
        if self.commercial {
            return Some(Scope::Commercial);
        }
        let is_locked = || preferences.locks_category(&self.category, has_tenant);
        let is_optional = optional.contains(&self.category) && !is_locked();
        is_optional.then(|| Scope::Category(self.category.clone()))
    }
}
