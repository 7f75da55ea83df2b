use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use domain::base::locale::{self, Languages};
use domain::catalog::Catalog;
use minijinja::{Environment, Error, UndefinedBehavior, Value};

use crate::extra::Extra;
use crate::failure::{Cause, Unrendered};
use crate::inspect::{self, Mistake};
use crate::limits::{self, Bounded};
use crate::template_context::TemplateContext;
use crate::{escape, grammar, locale_format};

/// Renders the templates of one catalog. Each is compiled once, on first use.
pub struct Renderer {
    engine: Environment<'static>,
    sources: Arc<BTreeMap<String, String>>,
    /// The files of each template, indexed on first use.
    files_by_template: BTreeMap<String, OnceLock<TemplateFiles>>,
    /// The language for recipients without one, or whose language has no files.
    pub(crate) default_locale: String,
}

/// The files of one template: its languages, and for each language the file of every part.
#[derive(Default)]
struct TemplateFiles {
    files: BTreeMap<String, BTreeMap<String, String>>,
    languages: Languages,
}

impl Renderer {
    #[must_use]
    pub fn new(catalog: &Catalog) -> Renderer {
        let renderer = Renderer::over(Arc::clone(catalog.templates()));
        Renderer { default_locale: catalog.policy().locale.clone(), ..renderer }
    }

    /// A renderer for template texts by path, in the catalog's format.
    #[must_use]
    pub fn of(sources: BTreeMap<String, String>) -> Renderer {
        Renderer::over(Arc::new(sources))
    }

    fn over(sources: Arc<BTreeMap<String, String>>) -> Renderer {
        let files_by_template =
            templates(&sources).into_iter().map(|template| (template.to_owned(), OnceLock::new())).collect();
        let loader = Arc::clone(&sources);
        let mut engine = limits::engine();
        locale_format::register(&mut engine);
        engine
            .set_loader(move |name| loader.get(name).map(|source| grammar::admit(name, source)).transpose());
        engine.set_auto_escape_callback(escape::of_file);
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        Renderer { engine, sources, files_by_template, default_locale: locale::DEFAULT.to_owned() }
    }

    /// Compiles one template to check its syntax and limits.
    ///
    /// # Errors
    /// [`Unrendered`] with the line and the problem.
    pub fn compile(&self, name: &str) -> Result<(), Unrendered> {
        self.engine.get_template(name).map(drop).map_err(|error| self.unrendered(name, &error))
    }

    /// The values that a template may read from an event, as dotted paths: `data.userId`, `recipient.name`. Derived
    /// from the text alone: includes paths under a condition or with a `default`, and those of files that are
    /// included or extended by a constant name. Members of a loop's items are not known: `data.items` represents
    /// them.
    ///
    /// # Errors
    /// [`Unrendered`] if one of the files does not compile or is missing.
    pub fn variables(&self, name: &str) -> Result<BTreeSet<String>, Unrendered> {
        let mut variables = BTreeSet::new();
        let (mut open, mut seen) = (vec![name.to_owned()], BTreeSet::new());
        while let Some(name) = open.pop() {
            let Some(source) = self.sources.get(&name) else {
                return Err(Unrendered::missing(name));
            };
            let needs = grammar::needs(&name, source).map_err(|error| self.unrendered(&name, &error))?;
            variables.extend(needs.variables);
            seen.insert(name);
            open.extend(needs.templates.into_iter().filter(|template| !seen.contains(template)));
        }
        Ok(variables)
    }

    /// The mistakes in templates that do not depend on an event, by file name. Files that do not compile are left
    /// to [`Renderer::compile`].
    #[must_use]
    pub fn mistakes(&self) -> Vec<(String, Mistake)> {
        let names = self.sources.iter().filter_map(|(name, source)| inspect::names(name, source).ok());
        let own: BTreeSet<String> = names.flatten().collect();
        let mut mistakes = Vec::new();
        // The grammar refuses unlimited growth, so only compiled files are inspected.
        for (name, source) in self.sources.iter().filter(|(name, _)| self.compile(name).is_ok()) {
            let locale = parts(name).map(|(_, locale, _)| locale);
            let found = inspect::inspect(&self.engine, name, source, locale, &own);
            mistakes.extend(found.unwrap_or_default().into_iter().map(|mistake| (name.clone(), mistake)));
        }
        mistakes
    }

    /// The template context of one event, built once for all of its messages. `envelope` is its CloudEvents
    /// envelope.
    #[must_use]
    pub fn context<'a>(&'a self, envelope: &'a serde_json::Value) -> TemplateContext<'a> {
        self.context_with(envelope, Extra::default())
    }

    /// The template context with additional values.
    #[must_use]
    pub fn context_with<'a>(
        &'a self,
        envelope: &'a serde_json::Value,
        extra: Extra<'a>,
    ) -> TemplateContext<'a> {
        TemplateContext::new(self, envelope, extra)
    }

    /// The file of a part in one locale.
    pub(crate) fn file(&self, template: &str, locale: &str, part: &str) -> Option<&str> {
        self.files_of(template)?.files.get(locale)?.get(part).map(String::as_str)
    }

    /// The languages of a template that suit a reader, closest first, with those of the default language at the
    /// end.
    pub(crate) fn languages(&self, template: &str, preferred: Option<&str>) -> Vec<&str> {
        let files = self.files_of(template);
        files.map_or_else(Vec::new, |files| files.languages.choices(preferred, &self.default_locale))
    }

    fn files_of(&self, template: &str) -> Option<&TemplateFiles> {
        Some(self.files_by_template.get(template)?.get_or_init(|| files_of(&self.sources, template)))
    }

    pub(crate) fn render_part(&self, name: &str, values: &Value) -> Result<String, Unrendered> {
        let template = self.engine.get_template(name).map_err(|error| self.unrendered(name, &error))?;
        let mut text = Bounded(Vec::with_capacity(1_024));
        let rendered = template.render_captured_to(values.clone(), &mut text);
        rendered.map_err(|error| self.explained(self.unrendered(name, &error), values))?;
        // The engine writes valid UTF-8 only, so no text is lost.
        Ok(String::from_utf8(text.0).unwrap_or_default())
    }

    /// Adds the path that leads to no value to the error.
    fn explained(&self, mut failure: Unrendered, values: &Value) -> Unrendered {
        if let (Cause::Missing(path), Some(source)) =
            (&mut failure.cause, self.sources.get(&failure.template))
        {
            *path = inspect::absent(&inspect::paths_on(&failure.template, source, failure.line), values);
        }
        failure
    }

    fn unrendered(&self, name: &str, error: &Error) -> Unrendered {
        let line_of = |template: &str, line: usize| self.sources.get(template)?.lines().nth(line);
        Unrendered::of(name, error, line_of)
    }
}

/// Each template once.
fn templates(sources: &BTreeMap<String, String>) -> Vec<&str> {
    let mut templates: Vec<&str> = sources.keys().filter_map(|key| Some(parts(key)?.0)).collect();
    templates.dedup();
    templates
}

fn files_of(sources: &BTreeMap<String, String>, template: &str) -> TemplateFiles {
    let mut found = TemplateFiles::default();
    let beginning = format!("{template}/");
    let names = sources.range(beginning.clone()..).map(|(name, _)| name);
    for name in names.take_while(|name| name.starts_with(&beginning)) {
        if let Some((of, locale, file)) = parts(name)
            && of == template
        {
            found.files.entry(locale.to_owned()).or_default().insert(file.to_owned(), name.clone());
        }
    }
    found.languages = Languages::new(found.files.keys().map(String::as_str));
    found
}

/// The template, the locale and the file of a path. `None` for a layout.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (path, file) = name.rsplit_once('/')?;
    let (template, locale) = path.rsplit_once('/')?;
    Some((template, locale, file))
}

#[cfg(test)]
mod tests;
