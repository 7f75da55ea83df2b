use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use domain::catalog::Catalog;
use domain::locale::{self, Languages};
use minijinja::{Environment, Error, UndefinedBehavior, Value};

use crate::extra::Extra;
use crate::failure::{Cause, Unrendered};
use crate::inspect::{self, Mistake};
use crate::limits::{self, Bounded};
use crate::scene::Scene;
use crate::{escape, grammar, speech};

/// Renders the templates of one catalog. Each is compiled when it is first needed, and once.
pub struct Renderer {
    engine: Environment<'static>,
    sources: Arc<BTreeMap<String, String>>,
    /// The files of each template, looked through when the template is first needed.
    shelves: BTreeMap<String, OnceLock<Shelf>>,
    /// The language of those whose own is not known or not written.
    pub(crate) default_locale: String,
}

/// The files of one template: its languages, and in each the name of every part's file.
#[derive(Default)]
struct Shelf {
    files: BTreeMap<String, BTreeMap<String, String>>,
    languages: Languages,
}

impl Renderer {
    #[must_use]
    pub fn new(catalog: &Catalog) -> Renderer {
        let renderer = Renderer::over(Arc::clone(catalog.templates()));
        Renderer { default_locale: catalog.policy().locale.clone(), ..renderer }
    }

    /// `sources` are template texts by path, as the catalog has them.
    #[must_use]
    pub fn of(sources: BTreeMap<String, String>) -> Renderer {
        Renderer::over(Arc::new(sources))
    }

    fn over(sources: Arc<BTreeMap<String, String>>) -> Renderer {
        let shelves =
            templates(&sources).into_iter().map(|template| (template.to_owned(), OnceLock::new())).collect();
        let loader = Arc::clone(&sources);
        let mut engine = limits::engine();
        speech::teach(&mut engine);
        engine.set_loader(move |name| loader.get(name).map(|it| grammar::admit(name, it)).transpose());
        engine.set_auto_escape_callback(escape::of_file);
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        Renderer { engine, sources, shelves, default_locale: locale::DEFAULT.to_owned() }
    }

    /// Compiles one template, to find out whether it parses and keeps to the limits.
    ///
    /// # Errors
    /// [`Unrendered`] with the line and what is wrong there.
    pub fn compile(&self, name: &str) -> Result<(), Unrendered> {
        self.engine.get_template(name).map(drop).map_err(|error| self.unrendered(name, &error))
    }

    /// What a template may ask of an event, as dotted paths: `data.userId`, `recipient.name`. It is read off the text,
    /// so it holds what stands under a condition or has a `default`, and what the files say that are included or
    /// extended by a plain name. The members of what a loop goes over are not known: `data.items` stands for them.
    ///
    /// # Errors
    /// [`Unrendered`] where one of the files cannot be compiled or is not there.
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

    /// What is wrong in the templates whatever an event says, by the name of the file. A file that does not compile is
    /// left to [`Renderer::compile`].
    #[must_use]
    pub fn mistakes(&self) -> Vec<(String, Mistake)> {
        let names = self.sources.iter().filter_map(|(name, source)| inspect::names(name, source).ok());
        let own: BTreeSet<String> = names.flatten().collect();
        let mut mistakes = Vec::new();
        // The grammar refuses what grows without bound: nothing else is tried out.
        for (name, source) in self.sources.iter().filter(|(name, _)| self.compile(name).is_ok()) {
            let locale = parts(name).map(|(_, locale, _)| locale);
            let found = inspect::inspect(&self.engine, name, source, locale, &own);
            mistakes.extend(found.unwrap_or_default().into_iter().map(|it| (name.clone(), it)));
        }
        mistakes
    }

    /// What templates see of one event, made once for all of its orders. `envelope` is its CloudEvents envelope.
    #[must_use]
    pub fn scene<'a>(&'a self, envelope: &'a serde_json::Value) -> Scene<'a> {
        self.scene_with(envelope, Extra::default())
    }

    /// The same, with what the event itself does not say.
    #[must_use]
    pub fn scene_with<'a>(&'a self, envelope: &'a serde_json::Value, extra: Extra<'a>) -> Scene<'a> {
        Scene::new(self, envelope, extra)
    }

    /// The file of a part in one locale.
    pub(crate) fn file(&self, template: &str, locale: &str, part: &str) -> Option<&str> {
        self.shelf(template)?.files.get(locale)?.get(part).map(String::as_str)
    }

    /// The languages of a template that suit a reader, closest first; at the end those of the default language.
    pub(crate) fn languages(&self, template: &str, preferred: Option<&str>) -> Vec<&str> {
        let shelf = self.shelf(template);
        shelf.map_or_else(Vec::new, |shelf| shelf.languages.choices(preferred, &self.default_locale))
    }

    fn shelf(&self, template: &str) -> Option<&Shelf> {
        Some(self.shelves.get(template)?.get_or_init(|| shelf(&self.sources, template)))
    }

    pub(crate) fn render_part(&self, name: &str, values: &Value) -> Result<String, Unrendered> {
        let template = self.engine.get_template(name).map_err(|error| self.unrendered(name, &error))?;
        let mut text = Bounded(Vec::with_capacity(1_024));
        let rendered = template.render_captured_to(values.clone(), &mut text);
        rendered.map_err(|error| self.explained(self.unrendered(name, &error), values))?;
        // The engine writes text only, so nothing is lost here.
        Ok(String::from_utf8(text.0).unwrap_or_default())
    }

    /// The same failure, with the path that leads to no value.
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

/// Every template once.
fn templates(sources: &BTreeMap<String, String>) -> Vec<&str> {
    let mut templates: Vec<&str> = sources.keys().filter_map(|key| Some(parts(key)?.0)).collect();
    templates.dedup();
    templates
}

fn shelf(sources: &BTreeMap<String, String>, template: &str) -> Shelf {
    let mut shelf = Shelf::default();
    let beginning = format!("{template}/");
    let names = sources.range(beginning.clone()..).map(|(name, _)| name);
    for name in names.take_while(|name| name.starts_with(&beginning)) {
        if let Some((of, locale, file)) = parts(name)
            && of == template
        {
            shelf.files.entry(locale.to_owned()).or_default().insert(file.to_owned(), name.clone());
        }
    }
    shelf.languages = Languages::new(shelf.files.keys().map(String::as_str));
    shelf
}

/// The template, the locale and the file of a path. `None` for a layout.
fn parts(name: &str) -> Option<(&str, &str, &str)> {
    let (path, file) = name.rsplit_once('/')?;
    let (template, locale) = path.rsplit_once('/')?;
    Some((template, locale, file))
}

#[cfg(test)]
mod tests;
