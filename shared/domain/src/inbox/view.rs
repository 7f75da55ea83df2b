//! How much of what is said to a person somebody gets.

/// What of a person's messages is seen in their inbox or heard at a socket, by the tenant whose events said it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// All of it.
    All,
    /// What this tenant said, and what was said for none.
    Tenant(String),
    /// What this tenant said, and nothing else: for an admin of the tenant, who is not that person. What was said for no
    /// tenant, such as a code to log in with, is nobody's to see but theirs.
    Only(String),
}

impl View {
    /// A person's own view from within a tenant; of everything, where they are in none.
    #[must_use]
    pub fn own(tenant: Option<String>) -> View {
        tenant.map_or(View::All, View::Tenant)
    }

    /// Whether what an event of `tenant` said is in it.
    #[must_use]
    pub fn takes_in(&self, tenant: Option<&str>) -> bool {
        match self {
            View::All => true,
            View::Tenant(own) => tenant.is_none_or(|tenant| tenant == own),
            View::Only(own) => tenant == Some(own),
        }
    }

    /// The tenant from within which it is.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        match self {
            View::All => None,
            View::Tenant(it) | View::Only(it) => Some(it),
        }
    }

    /// Whether somebody else looks on: what a person has seen is not theirs to say.
    #[must_use]
    pub fn looks_on(&self) -> bool {
        match self {
            View::Only(_) => true,
            View::All | View::Tenant(_) => false,
        }
    }
}
