//! Plurals that lack a form of their language.

use std::collections::BTreeSet;

use icu_locale_core::Locale;
use icu_plurals::PluralRules;
use minijinja::machinery::ast::{CallArg, Filter};

use crate::locale_format::CATEGORIES;

/// The range of numbers to check. The French form for millions is not required.
const COUNTED: u32 = 200;

/// The forms of the language that a `plural` or an `ordinal` lacks, as a sentence.
pub(super) fn missing(filter: &Filter<'_>, locale: Option<&str>) -> Option<String> {
    let locale: Locale = locale?.parse().ok()?;
    let rules = match filter.name {
        "plural" => PluralRules::try_new_cardinal(locale.into()),
        "ordinal" if !filter.args.is_empty() => PluralRules::try_new_ordinal(locale.into()),
        _ => return None,
    };
    let rules = rules.ok()?;
    let mut given = BTreeSet::new();
    for arg in &filter.args {
        match arg {
            CallArg::Kwarg(name, _) => drop(given.insert(*name)),
            CallArg::Pos(_) => {}
            CallArg::PosSplat(_) | CallArg::KwargSplat(_) => return None,
        }
    }
    let lacks =
        CATEGORIES.into_iter().filter(|(name, _)| !given.contains(name)).filter_map(|(name, category)| {
            let number = (0..=COUNTED).find(|number| rules.category_for(*number) == category)?;
            Some(format!("`{name}` (such as {number})"))
        });
    let lacks: Vec<String> = lacks.collect();
    (!lacks.is_empty()).then(|| {
        let filter = filter.name;
        format!("`{filter}` has no form for {} in this language, and takes `other`", lacks.join(" and "))
    })
}
