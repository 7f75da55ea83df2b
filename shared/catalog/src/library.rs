//! Template checks: every file has a known place, every rule its template, and every language all parts.

use std::collections::{BTreeMap, BTreeSet};

use domain::base::channel::Channel;
use domain::base::locale::{self, Languages};
use domain::catalog::rule::{Outside, Rule, Selector, Step};
use templates::{Cause, Renderer};

use crate::advice::advice;
use crate::problem::{POLICY, Problem, TEMPLATES};
use crate::reference::references;
use crate::rule::Draft;
use crate::suggestions::{listed, nearest, suggestion};
use crate::wording::OpenFiles;

/// The folder of layouts, which are not templates themselves.
const LAYOUTS: &str = "layouts";

/// The warning about a template without a rule.
pub(crate) const UNUSED: &str = "no rule uses this template";

/// Template files by template, locale and part.
struct Library<'a> {
    templates: BTreeMap<&'a str, Locales<'a>>,
    /// The default language, for recipients without a language of their own.
    default: &'a str,
}

type Locales<'a> = BTreeMap<String, BTreeSet<&'a str>>;

/// Checks template sources, by path below `templates/`, against each other and the rules. Returns warnings.
pub(crate) fn check(
    sources: &BTreeMap<String, String>,
    default: &str,
    drafts: &[Draft<'_>],
    problems: &mut Vec<Problem>,
) -> Vec<Problem> {
    let library = Library::sort(sources, default, problems);
    library.check_use(drafts, problems);
    for (template, locales) in &library.templates {
        check_locales(template, locales, default, &channels_of(template, drafts), problems);
    }
    let mut warnings = check_sources(sources, &OpenFiles::of(sources, drafts), problems);
    warnings.extend(library.unused(drafts));
    warnings.extend(drafts.iter().filter_map(|draft| library.silence(draft, sources)));
    warnings
}

impl<'a> Library<'a> {
    /// Sorts the files by template, locale and part, and reports unknown ones.
    fn sort(
        sources: &'a BTreeMap<String, String>,
        default: &'a str,
        problems: &mut Vec<Problem>,
    ) -> Library<'a> {
        let parts: Vec<&str> =
            Channel::ALL.iter().flat_map(|channel| channel.parts()).map(|part| part.file).collect();
        let mut library = BTreeMap::<&str, Locales<'_>>::new();
        let mut misnamed = BTreeSet::new();
        for path in sources.keys() {
            match path.split('/').collect::<Vec<&str>>()[..] {
                [LAYOUTS, _] => {}
                [template, folder, part] if template != LAYOUTS => {
                    let normalized = locale::normalized(folder);
                    if normalized.as_deref() != Some(folder) && misnamed.insert((template, folder)) {
                        problems.push(not_a_locale(template, folder, normalized.as_deref()));
                    }
                    // A locale in another spelling is checked under its normalised name.
                    let locale = normalized.unwrap_or_else(|| folder.to_owned());
                    library.entry(template).or_default().entry(locale).or_default().insert(part);
                    if !parts.contains(&part) {
                        let what = format!("no channel sends `{part}`");
                        problems.push(Problem::of_file(&in_folder(path), what, suggestion(part, &parts)));
                    }
                }
                [..] => {
                    let fix =
                        "move it to `templates/<template>/<locale>/<part>` or `templates/layouts/<name>`";
                    problems.push(Problem::of_file(&in_folder(path), "no template is read here", fix));
                }
            }
        }
        Library { templates: library, default }
    }

    /// Reports rules without a template.
    fn check_use(&self, drafts: &[Draft<'_>], problems: &mut Vec<Problem>) {
        for draft in drafts {
            for (name, at) in draft.templates.all().filter(|(name, _)| !self.templates.contains_key(name)) {
                let fix = match nearest(name, self.templates.keys().copied()) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("write `templates/{name}/{}/…`", self.default),
                };
                problems.push(draft.problem(at, format!("there is no template `{name}`"), fix));
            }
        }
    }

    /// A warning for a rule that sends digests with a template for single events.
    fn silence(&self, draft: &Draft<'_>, sources: &BTreeMap<String, String>) -> Option<Problem> {
        let rule = draft.rule.as_ref()?;
        let locales = self.templates.get(rule.template.as_str())?;
        let default = default_of(locales, self.default)?;
        let parts = locales.get(&default)?;
        let mut silent = Vec::new();
        for channel in told_at_once(rule) {
            let mut files = channel.parts().iter().filter(|part| parts.contains(part.file)).peekable();
            let path = |file: &str| format!("{}/{default}/{file}", rule.template);
            if files.peek().is_some() && !files.any(|file| speaks_of_digest(&path(file.file), sources)) {
                silent.push(channel.name());
            }
        }
        let what = format!(
            "the rule sends digests, and the template `{}` never mentions `digest` on {}",
            rule.template,
            listed(&silent)
        );
        let fix = "write `{% if digest is defined %}{{ digest.total_activities }} …{% else %}…{% endif %}`";
        let at = draft.templates.own.as_ref().map_or(draft.name_at, |(_, at)| *at);
        (!silent.is_empty()).then(|| draft.problem(at, what, fix))
    }

    fn unused(&self, drafts: &[Draft<'_>]) -> Vec<Problem> {
        let used: BTreeSet<&str> =
            drafts.iter().flat_map(|draft| draft.templates.all()).map(|(name, _)| name).collect();
        let unused = self.templates.keys().filter(|key| !used.contains(*key));
        unused
            .map(|unused| Problem::of_file(&in_folder(unused), UNUSED, "use it, or delete the folder"))
            .collect()
    }
}

/// The channels for which rules need a template, each with the first rule that needs it.
fn channels_of<'a>(template: &str, drafts: &'a [Draft<'_>]) -> BTreeMap<Channel, Option<&'a str>> {
    let mut channels = BTreeMap::new();
    for draft in drafts.iter().filter(|draft| draft.templates.has(template)) {
        for channel in &draft.channels {
            channels.entry(*channel).or_insert(draft.name.as_deref());
        }
    }
    channels
}

/// The channels on which the rule may send a digest. Rooms never get one.
fn told_at_once(rule: &Rule) -> Vec<Channel> {
    let people = rule.to.iter().any(|selector| match selector {
        Selector::User(_) | Selector::Role { .. } | Selector::Topic { .. } | Selector::Address { .. } => true,
        Selector::Room { .. } | Selector::Endpoints(_) => false,
    });
    let first = rule.steps.iter().position(|step| matches!(step, Step::Digest(_)));
    let mut channels = Vec::new();
    for (at, step) in rule.steps.iter().enumerate().filter(|_| people) {
        let Step::Send(send) = step else { continue };
        for channel in send.all() {
            let held_back = rule.outside == Outside::Digest && channel.disturbs();
            // An endpoint gets each event on its own.
            if channel.reaches_endpoints() {
                continue;
            }
            if (first.is_some_and(|first| first < at) || held_back) && !channels.contains(&channel) {
                channels.push(channel);
            }
        }
    }
    channels
}

/// Whether a template, or a file that it includes or extends, mentions `digest`.
fn speaks_of_digest(path: &str, sources: &BTreeMap<String, String>) -> bool {
    let mut waiting = vec![path];
    let mut seen = BTreeSet::new();
    while let Some(path) = waiting.pop() {
        let Some(source) = sources.get(path).filter(|_| seen.insert(path)) else { continue };
        if source.contains("digest") {
            return true;
        }
        waiting.extend(references(source).into_iter().map(|reference| reference.name));
    }
    false
}

/// The language of a template that serves as the default: `pt` may serve for `pt-BR`.
fn default_of(locales: &Locales<'_>, default: &str) -> Option<String> {
    Languages::new(locales.keys().map(String::as_str)).closest(default).map(str::to_owned)
}

/// Checks the parts of each locale. The default locale has every part that a rule needs. Another has all parts of a
/// channel or none, so that no message mixes languages.
fn check_locales(
    template: &str,
    locales: &Locales<'_>,
    default: &str,
    used: &BTreeMap<Channel, Option<&str>>,
    problems: &mut Vec<Problem>,
) {
    let fallback = default_of(locales, default);
    if fallback.is_none() {
        let what = format!("the template has no locale `{default}`, which everybody falls back to");
        let written = locales.keys().next().map_or(default, String::as_str);
        let fix = format!(
            "write `templates/{template}/{default}/…`, or name the language that all templates have in \
             {POLICY}: `locale: {written}`"
        );
        problems.push(Problem::of_file(&in_folder(template), what, fix));
    }
    for (locale, parts) in locales {
        for channel in Channel::ALL {
            let missing: Vec<&str> = channel
                .parts()
                .iter()
                .filter(|part| part.required && !parts.contains(part.file))
                .map(|part| part.file)
                .collect();
            let begun = channel.parts().iter().any(|part| parts.contains(part.file));
            let rule = used.get(&channel).filter(|_| Some(locale) == fallback.as_ref());
            if missing.is_empty() || (!begun && rule.is_none()) {
                continue;
            }
            let what = format!("for the channel `{}`, {} is missing", channel.name(), listed(&missing));
            let fix = match (rule, begun) {
                (Some(_), _) => "write it, or take the channel out of the rule",
                (None, _) => {
                    "write it, or delete the channel's other files, so that no message mixes languages"
                }
            };
            let folder = in_folder(&format!("{template}/{locale}"));
            problems.push(Problem::of_file(&folder, what, fix).of_rule(rule.copied().flatten()));
        }
    }
}

/// Checks the syntax and references of all sources. Returns warnings.
fn check_sources(
    sources: &BTreeMap<String, String>,
    open: &OpenFiles,
    problems: &mut Vec<Problem>,
) -> Vec<Problem> {
    let renderer = Renderer::of(sources.clone());
    for (path, source) in sources {
        if let Err(error) = renderer.compile(path) {
            let line = (error.line > 0).then_some(error.line);
            let fix = advice(&error.cause);
            problems.push(Problem::of_file(&in_folder(&error.template), error.problem, fix).at_line(line));
            continue;
        }
        for reference in references(source) {
            if !sources.contains_key(reference.name) {
                let fix = match nearest(reference.name, sources.keys().map(String::as_str)) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("write `templates/{}`", reference.name),
                };
                let what = format!("there is no template file `{}`", reference.name);
                problems.push(Problem::of_file(&in_folder(path), what, fix).at_line(Some(reference.line)));
            }
        }
    }
    let mut warnings = Vec::new();
    for (path, mistake) in renderer.mistakes() {
        let is_variable = matches!(&mistake.cause, Cause::Variable(name) if !name.contains('.'));
        if is_variable && open.may_have(&path, mistake.is_warning) {
            continue;
        }
        let lacks_form = mistake.is_warning && mistake.cause == Cause::Argument;
        let fix = if lacks_form { "write the form too".to_owned() } else { advice(&mistake.cause) };
        let problem = Problem::of_file(&in_folder(&path), mistake.problem, fix).at_line(Some(mistake.line));
        (if mistake.is_warning { &mut warnings } else { &mut *problems }).push(problem);
    }
    warnings
}

fn not_a_locale(template: &str, folder: &str, normalized: Option<&str>) -> Problem {
    let fix = match normalized {
        Some(normalized) => format!("rename the folder to `{normalized}`"),
        None => "name the folder by a language tag, such as `de` or `pt-BR`".to_owned(),
    };
    let what = format!("`{folder}` is not how a locale is written");
    Problem::of_file(&in_folder(&format!("{template}/{folder}")), what, fix)
}

fn in_folder(path: &str) -> String {
    format!("{TEMPLATES}/{path}")
}

#[cfg(test)]
mod tests;
