//! The known roles, topics, categories and rules of a config folder, for checking people.

use std::collections::BTreeSet;
use std::path::Path;

use domain::base::channel::Channel;
use domain::base::suggestions::nearest;
use domain::catalog::CatalogFile;
use domain::recipient::preference::{Kind, Known, Preferences};
use domain::recipient::{Recipient, Settings};

use crate::project;
use crate::terminal::Terminal;

/// The known names. An empty set is not checked.
#[derive(Default)]
pub(super) struct Names {
    is_known: bool,
    roles: BTreeSet<String>,
    topics: BTreeSet<String>,
    categories: BTreeSet<String>,
    rules: BTreeSet<String>,
}

impl Names {
    /// Compiles the config folder. If that fails, a note says that names are not checked.
    pub(super) fn of(config: &Path, terminal: &Terminal) -> Names {
        let why = match config.exists() {
            true => match project::read(config).compile() {
                Ok(compiled) => return Names::in_catalog(&compiled.file),
                Err(_) => "has errors; `carillon check` lists them",
            },
            false => "does not exist; name another by --config",
        };
        let note = "roles, topics, categories and rules were not checked";
        terminal.note(&format!("{note}: the folder {} {why}", config.display()));
        Names::default()
    }

    fn in_catalog(file: &CatalogFile) -> Names {
        let policy = &file.policy;
        let name = |topic: &String| topic.split(':').next().unwrap_or(topic).to_owned();
        Names {
            is_known: true,
            roles: policy.roles.clone(),
            topics: policy
                .topics
                .iter()
                .flat_map(|(topic, fields)| fields.iter().chain([topic]))
                .map(name)
                .collect(),
            categories: file.rules.iter().map(|rule| rule.category.clone()).collect(),
            rules: file.rules.iter().map(|rule| rule.name.clone()).collect(),
        }
    }

    /// Checks the names of a person.
    ///
    /// # Errors
    /// The member, the unknown name, and a suggestion.
    pub(super) fn check(&self, person: &Recipient) -> Result<(), String> {
        if !self.is_known {
            return Ok(());
        }
        for role in &person.roles {
            one_of(&self.roles, &role.role, "roles", "role")?;
        }
        let listed = person.topics.iter().map(|topic| ("topics".to_owned(), topic));
        let of_tenants = person.topics_in.iter().flat_map(|(tenant, topics)| {
            topics.iter().map(move |topic| (format!("topics_in.{tenant}"), topic))
        });
        for (place, topic) in listed.chain(of_tenants) {
            one_of(&self.topics, topic.split(':').next().unwrap_or(topic), &place, "topic")?;
        }
        self.check_set(person.preferences.as_ref(), "preferences")?;
        let mut tenants = person.in_tenants.iter();
        tenants.try_for_each(|(tenant, settings)| {
            self.check_settings(settings, &format!("in_tenants.{tenant}."))
        })
    }

    /// Checks the names of settings. `place` is the prefix of the member in a refusal.
    ///
    /// # Errors
    /// The member, the unknown name, and a suggestion.
    pub(super) fn check_settings(&self, settings: &Settings, place: &str) -> Result<(), String> {
        self.check_set(settings.preferences.as_ref(), &format!("{place}preferences"))
    }

    fn check_set(&self, set: Option<&Preferences>, place: &str) -> Result<(), String> {
        let Some(set) = set.filter(|_| self.is_known) else { return Ok(()) };
        let channels = Channel::ALL.iter().map(|channel| channel.name().to_owned()).collect();
        let known = Known {
            rules: &self.rules,
            categories: &self.categories,
            channel_types: &channels,
            channels: &channels,
        };
        for unknown in set.unknown_names(known) {
            let (names, kind) = match unknown.kind {
                Kind::Rule => (&self.rules, "rule"),
                Kind::Category => (&self.categories, "category"),
                Kind::ChannelType | Kind::Channel => (&channels, "channel"),
            };
            one_of(names, &unknown.name, &format!("{place}.{}", unknown.place), kind)?;
        }
        Ok(())
    }
}

fn one_of(names: &BTreeSet<String>, name: &str, place: &str, kind: &'static str) -> Result<(), String> {
    if names.is_empty() || names.contains(name) {
        return Ok(());
    }
    let known = names.iter().map(String::as_str);
    let wanted = match nearest(name, known.clone()) {
        Some(near) => format!("a {kind} of the config folder; did you mean `{near}`?"),
        None if names.len() <= 12 => {
            format!("a {kind} of the config folder: {}", known.collect::<Vec<_>>().join(", "))
        }
        None => format!("a {kind} of the config folder"),
    };
    let found = match kind {
        "role" => "a role that the policy does not know",
        "topic" => "a topic that the policy does not know",
        "channel" => "a name that is no channel",
        "rule" => "a rule that there is not",
        _ => "a category that no rule has",
    };
    Err(format!("{place}: found {found}, wanted {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::recipient::recipient_changes::person;

    #[test]
    fn unknown_name_is_refused_with_a_suggestion() {
        for (members, expected) in [
            (r#""roles":[{"role":"clinic-staff","in":"a"}],"topics":["project:42"]"#, None),
            (r#""roles":[{"role":"clinic-stuff","in":"a"}]"#, Some("did you mean `clinic-staff`?")),
            (r#""roles":[{"role":"owner","in":"a"}]"#, Some("of the config folder: clinic-staff")),
            (r#""topics":["projekt:42"]"#, Some("did you mean `project`?")),
            (r#""topics_in":{"a":["projekt:42"]}"#, Some("topics_in.a: found a topic")),
            (
                r#""preferences":{"categories":{"nws":false}}"#,
                Some("preferences.categories.nws: found a category"),
            ),
            (r#""preferences":{"workflows":{"weekly":false}}"#, None),
            (
                r#""in_tenants":{"a":{"preferences":{"workflows":{"weakly":false}}}}"#,
                Some("did you mean `weekly`?"),
            ),
        ] {
            let person = person(&format!(r#"{{"id":"ann",{members}}}"#)).unwrap();
            let found = names().check(&person).err();
            match expected {
                Some(part) => assert!(found.as_ref().is_some_and(|text| text.contains(part)), "{found:?}"),
                None => assert_eq!(found, None, "{members}"),
            }
            assert!(Names::default().check(&person).is_ok(), "names are not checked without a config folder");
        }
    }

    fn names() -> Names {
        let set = |name: &str| BTreeSet::from([name.to_owned()]);
        Names {
            is_known: true,
            roles: set("clinic-staff"),
            topics: set("project"),
            categories: set("news"),
            rules: set("weekly"),
        }
    }
}
