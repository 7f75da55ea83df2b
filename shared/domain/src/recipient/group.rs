//! Groups of recipients that are addressed together.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{ALL_TENANTS, NO_TENANT, Recipient};

/// All users with a role in a scope, all followers of a tenant's topic, or all webhook endpoints of a tenant.
///
/// A topic belongs to a tenant, as a room does. `project:42` of one tenant differs from `project:42` of another.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    Role {
        scope: String,
        role: String,
    },
    Topic {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
        /// `<name>:<value>`
        name: String,
    },
    Endpoints {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tenant: Option<String>,
    },
}

impl Group {
    /// A topic of a tenant. [`NO_TENANT`] stands for no tenant.
    #[must_use]
    pub fn topic(tenant: Option<&str>, name: &str) -> Group {
        let tenant = tenant.filter(|tenant| *tenant != NO_TENANT).map(str::to_owned);
        Group::Topic { tenant, name: name.to_owned() }
    }
}

impl Recipient {
    /// The groups of this recipient.
    ///
    /// A topic of `topics` is followed in each of the recipient's tenants. A recipient without tenants follows it
    /// without a tenant. All tenants (`*`) cannot be enumerated, so for them `topics` are followed without a tenant
    /// as well, and topics of single tenants are in `topics_in`.
    #[must_use]
    pub fn groups(&self) -> BTreeSet<Group> {
        let roles =
            self.roles.iter().map(|role| Group::Role { scope: role.scope.clone(), role: role.role.clone() });
        let everywhere = self
            .topic_tenants()
            .into_iter()
            .flat_map(|tenant| self.topics.iter().map(move |topic| Group::topic(Some(tenant), topic)));
        // Topics of a tenant that the recipient has left have no effect until they return to the tenant.
        let here = self
            .topics_in
            .iter()
            .filter(|(tenant, _)| *tenant == NO_TENANT || self.belongs_to(Some(tenant)))
            .flat_map(|(tenant, topics)| {
                topics.iter().map(|topic| Group::topic(Some(tenant.as_str()), topic))
            });
        roles.chain(everywhere).chain(here).collect()
    }

    /// Adds a topic in one tenant.
    pub fn join(&mut self, tenant: Option<&str>, topic: &str) {
        let tenant = tenant.unwrap_or(NO_TENANT).to_owned();
        self.topics_in.entry(tenant).or_default().insert(topic.to_owned());
    }

    /// Removes a topic in one tenant. In other tenants the topic is still followed.
    pub fn leave(&mut self, tenant: Option<&str>, topic: &str) {
        self.leave_own(tenant, topic);
        self.leave_listed(tenant, topic);
    }

    /// Removes a topic from `topics_in`.
    pub(crate) fn leave_own(&mut self, tenant: Option<&str>, topic: &str) {
        if let Some(topics) = self.topics_in.get_mut(tenant.unwrap_or(NO_TENANT)) {
            topics.remove(topic);
        }
        self.topics_in.retain(|_, topics| !topics.is_empty());
    }

    /// Removes a topic from `topics`. It is added to `topics_in` for the other tenants in which it was followed.
    pub(crate) fn leave_listed(&mut self, tenant: Option<&str>, topic: &str) {
        let tenant = tenant.unwrap_or(NO_TENANT);
        if !self.follows_everywhere(tenant, topic) {
            return;
        }
        self.topics.remove(topic);
        let others: Vec<String> = self.topic_tenants().into_iter().map(str::to_owned).collect();
        for other in others.into_iter().filter(|other| other != tenant) {
            self.topics_in.entry(other).or_default().insert(topic.to_owned());
        }
    }

    fn follows_everywhere(&self, tenant: &str, topic: &str) -> bool {
        self.topics.contains(topic) && self.topic_tenants().contains(&tenant)
    }

    /// The tenants in which `topics` are followed.
    fn topic_tenants(&self) -> Vec<&str> {
        if self.tenants.is_empty() {
            return vec![NO_TENANT];
        }
        let named = self.tenants.iter().map(String::as_str);
        named.map(|tenant| if tenant == ALL_TENANTS { NO_TENANT } else { tenant }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn topic_is_followed_in_the_recipients_tenants_only() {
        check(json!({ "topics": ["project:42"] }), &[(None, "project:42")]);
        check(
            json!({ "tenants": ["a", "b"], "topics": ["project:42"] }),
            &[(Some("a"), "project:42"), (Some("b"), "project:42")],
        );
        check(
            json!({ "tenants": ["a"], "topics_in": { "a": ["x:1"], "b": ["x:2"], "-": ["x:3"] } }),
            &[(None, "x:3"), (Some("a"), "x:1")],
        );
        check(json!({ "topics_in": { "b": ["x:2"] } }), &[]);
        check(
            json!({ "tenants": ["*"], "topics": ["x:1"], "topics_in": { "b": ["x:2"] } }),
            &[(None, "x:1"), (Some("b"), "x:2")],
        );
    }

    #[test]
    fn join_and_leave_affect_one_tenant() {
        let mut ann = person(json!({ "tenants": ["a", "b"], "topics": ["x:1"] }));
        ann.leave(Some("a"), "x:1");
        assert_eq!(ann.groups(), topics(&[(Some("b"), "x:1")]));
        ann.join(Some("a"), "x:1");
        assert_eq!(ann.groups(), topics(&[(Some("a"), "x:1"), (Some("b"), "x:1")]));
        ann.leave(Some("a"), "x:1");
        ann.leave(Some("b"), "x:1");
        ann.leave(Some("b"), "never:joined");
        assert!(ann.groups().is_empty() && ann.topics_in.is_empty());
        ann.join(None, "x:1");
        assert_eq!(ann.groups(), topics(&[(None, "x:1")]));
    }

    #[test]
    fn role_belongs_to_its_scope() {
        let ann = person(json!({ "roles": [{ "role": "staff", "in": "clinic-7" }] }));
        let group = Group::Role { scope: "clinic-7".into(), role: "staff".into() };
        assert_eq!(ann.groups(), BTreeSet::from([group.clone()]));
        let text = serde_json::to_string(&group).unwrap();
        assert_eq!(text, r#"{"role":{"scope":"clinic-7","role":"staff"}}"#);
        assert_eq!(serde_json::from_str::<Group>(&text).unwrap(), group);
    }

    #[track_caller]
    fn check(members: serde_json::Value, expected: &[(Option<&str>, &str)]) {
        assert_eq!(person(members).groups(), topics(expected));
    }

    fn topics(expected: &[(Option<&str>, &str)]) -> BTreeSet<Group> {
        expected.iter().map(|(tenant, name)| Group::topic(*tenant, name)).collect()
    }

    fn person(mut members: serde_json::Value) -> Recipient {
        members["id"] = "ann".into();
        serde_json::from_value(members).unwrap()
    }
}
