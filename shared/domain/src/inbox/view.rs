//! The visible part of a person's messages.

/// The messages of a person that an inbox or socket shows, selected by the tenant of their events.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// All messages.
    All,
    /// Messages of this tenant and messages without a tenant.
    Tenant(String),
    /// Messages of this tenant only: the view of a tenant admin for another user. Messages without a tenant, such as
    /// login codes, are visible to the user alone.
    Only(String),
}

impl View {
    /// A person's own view within a tenant; of all messages without a tenant.
    #[must_use]
    pub fn own(tenant: Option<String>) -> View {
        tenant.map_or(View::All, View::Tenant)
    }

    /// Whether the view includes messages of `tenant`.
    #[must_use]
    pub fn takes_in(&self, tenant: Option<&str>) -> bool {
        match self {
            View::All => true,
            View::Tenant(own) => tenant.is_none_or(|tenant| tenant == own),
            View::Only(own) => tenant == Some(own),
        }
    }

    /// The tenant of the view.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        match self {
            View::All => None,
            View::Tenant(tenant) | View::Only(tenant) => Some(tenant),
        }
    }

    /// Whether the viewer is another person, who must not change the user's read states.
    #[must_use]
    pub fn looks_on(&self) -> bool {
        match self {
            View::Only(_) => true,
            View::All | View::Tenant(_) => false,
        }
    }
}
