//! Renders one notification: `render <engine> <times>`, counted under Callgrind by `run.sh`.

use std::collections::BTreeMap;
use std::env;
use std::hint::black_box;

use askama::Template;
use domain::catalog::Rule;
use domain::decide::{Order, Target};
use domain::event::Priority;
use domain::delivery::job::SocketTarget;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value};
use serde_json::json;
use templates::Renderer;

const TEXT: &str = include_str!("../templates/notice.html");

/// The same template in Handlebars.
const HANDLEBARS: &str = "<p>Hello {{name}},</p>
<p>your order {{id}} of {{day}} is on its way to {{city}}. It holds:</p>
<ul>
{{#each items}}<li>{{this}}</li>
{{/each}}</ul>
{{#if express}}<p>It comes with {{carrier}}.</p>{{/if}}";

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    name: &'a str,
    id: &'a str,
    day: &'a str,
    city: &'a str,
    items: &'a [String],
    express: bool,
    carrier: &'a str,
}

fn main() {
    let args: Vec<String> = env::args().collect();
    let times: usize = args.get(2).and_then(|arg| arg.parse().ok()).unwrap_or(1);
    match args.get(1).map(String::as_str) {
        Some("ours") => ours(times, false),
        Some("ours-cold") => ours(times, true),
        Some("ours-scene") => scenes(times),
        Some("hostile") => hostile(times),
        Some("minijinja") => minijinja(times, false),
        Some("minijinja-cold") => minijinja(times, true),
        Some("handlebars") => handlebars(times, false),
        Some("handlebars-cold") => handlebars(times, true),
        Some("askama") => askama(times),
        Some(_) | None => {
            panic!("name an engine: ours, ours-cold, ours-scene, minijinja, handlebars or askama")
        }
    }
}

fn data() -> serde_json::Value {
    json!({
        "name": "Ann Lee", "id": "A-1042", "day": "3 November", "city": "Porto", "items": ["tea", "cups & saucers", "a pot"],
        "express": true, "carrier": "Hermes",
    })
}

/// Renders one part through a message with an empty title, including order, language and locale format.
fn ours(times: usize, cold: bool) {
    let text =
        TEXT.replace("{{ ", "{{ data.").replace("data.item ", "item ").replace("in items", "in data.items");
    let text = text.replace("if express", "if data.express");
    let sources = BTreeMap::from([
        ("t/en/socket.title.txt".to_owned(), String::new()),
        ("t/en/socket.txt".to_owned(), format!("{{% autoescape true %}}{text}{{% endautoescape %}}")),
    ]);
    let rule: Rule = serde_json::from_value(json!({
        "rule": "r", "when": { "detail-type": ["a.b"] }, "category": "c", "channels": ["socket"], "to": [], "template": "t", "expose": [],
    }))
    .expect("the rule is written here");
    let envelope =
        json!({ "specversion": "1.0", "id": "1", "source": "/shop", "type": "a.b", "data": data() });
    let target = Target::Socket(SocketTarget::Room("a".to_owned()));
    let order = Order { rule: &rule, person: None, target, priority: Priority::Normal, expires_at: None };
    let renderer = Renderer::of(sources.clone());
    let context = renderer.context(&envelope);
    context.render(&order).expect("the event has all values");
    for _ in 0..times {
        if cold {
            let renderer = Renderer::of(sources.clone());
            black_box(renderer.context(&envelope).render(black_box(&order)).is_ok());
        } else {
            black_box(context.render(black_box(&order)).is_ok());
        }
    }
}

/// Renders hostile template number `nth` over an event of about 200 KB: `time render hostile 3`.
fn hostile(nth: usize) {
    let texts = [
        "{% set x = 'xxxx' %}DOUBLE".replace("DOUBLE", &"{% set x %}{{ x }}{{ x }}{% endset %}".repeat(90)),
        format!(
            "{{% set x %}}{{% for i in range(2000) %}}{}{{% endfor %}}{{% endset %}}",
            "x".repeat(100_000)
        ),
        "{% for i in range(2000) %}{% if data.list in data.lists %}{% endif %}{% endfor %}".to_owned(),
        "{% for i in range(2000) %}{% if data in 'x' %}{% endif %}{% endfor %}".to_owned(),
        "{% for i in range(2000) %}{% if data.text[::-1] == '' %}{% endif %}{% endfor %}".to_owned(),
        "{% for i in range(2000) %}{% set x = data.list | sort %}{% endfor %}".to_owned(),
        "{% for i in range(2000) %}{% set x = data.lists | sort %}{% endfor %}".to_owned(),
        "{% set x %}{% for i in range(2000) %}{{ data.quotes }}{{ data.quotes }}{% endfor %}{% endset %}"
            .to_owned(),
        "{% for i in range(2000) %}{{ 1.5 | money('EUR') }}{{ 0 | datetime(zone='Asia/Tokyo') }}{% endfor %}"
            .to_owned(),
        "{% for i in range(2000) %}{% set x = data.list | list %}{% endfor %}".to_owned(),
        "{% for i in range(2000) %}{% if data.lists == data.copy %}{% endif %}{% endfor %}".to_owned(),
    ];
    let sources = BTreeMap::from([
        ("t/en/socket.title.txt".to_owned(), String::new()),
        ("t/en/socket.txt".to_owned(), format!("{{% autoescape true %}}{}{{% endautoescape %}}", texts[nth])),
    ]);
    let rule: Rule = serde_json::from_value(json!({
        "rule": "r", "when": { "detail-type": ["a.b"] }, "category": "c", "channels": ["socket"], "to": [], "template": "t",
        "expose": [],
    }))
    .expect("the rule is written here");
    let lists = vec![vec!["a word"; 50]; 100];
    let data = json!({
        "text": "x".repeat(60_000), "quotes": "'".repeat(250), "list": vec!["a word"; 2_000], "lists": lists, "copy": lists,
    });
    let envelope = json!({ "specversion": "1.0", "id": "1", "source": "/shop", "type": "a.b", "data": data });
    let target = Target::Socket(SocketTarget::Room("a".to_owned()));
    let order = Order { rule: &rule, person: None, target, priority: Priority::Normal, expires_at: None };
    let outcome = Renderer::of(sources).context(&envelope).render(&order);
    println!("{}", outcome.err().map_or("rendered".to_owned(), |item| item.problem.chars().take(60).collect()));
}

/// Measures the conversion of an event to a template context.
fn scenes(times: usize) {
    let renderer = Renderer::of(BTreeMap::new());
    let envelope =
        json!({ "specversion": "1.0", "id": "1", "source": "/shop", "type": "a.b", "data": data() });
    for _ in 0..times {
        black_box(renderer.context(black_box(&envelope)));
    }
}

fn minijinja(times: usize, cold: bool) {
    let engine = || {
        let mut engine = Environment::new();
        engine.set_undefined_behavior(UndefinedBehavior::Strict);
        engine.set_auto_escape_callback(|_| AutoEscape::Html);
        engine.add_template("t", TEXT).expect("the template compiles");
        engine
    };
    let warm = engine();
    let data = data();
    let values = Value::from(minijinja::value::Serde(&data));
    for _ in 0..times {
        let cold = cold.then(&engine);
        let template = cold.as_ref().unwrap_or(&warm).get_template("t").expect("it was added");
        black_box(template.render(black_box(values.clone())).is_ok());
    }
}

fn handlebars(times: usize, cold: bool) {
    let engine = || {
        let mut engine = handlebars::Handlebars::new();
        engine.register_template_string("t", HANDLEBARS).expect("the template compiles");
        engine
    };
    let warm = engine();
    let data = data();
    for _ in 0..times {
        let cold = cold.then(&engine);
        black_box(cold.as_ref().unwrap_or(&warm).render("t", black_box(&data)).is_ok());
    }
}

fn askama(times: usize) {
    let items = ["tea", "cups & saucers", "a pot"].map(str::to_owned);
    let notice = Notice {
        name: "Ann Lee",
        id: "A-1042",
        day: "3 November",
        city: "Porto",
        items: &items,
        express: true,
        carrier: "Hermes",
    };
    for _ in 0..times {
        black_box(black_box(&notice).render().is_ok());
    }
}
