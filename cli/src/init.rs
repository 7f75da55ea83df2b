//! `carillon init`: creates a project.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use crate::args::Init;
use crate::error::{Done, Error};
use crate::packs::with_needs;
use crate::terminal::{Ink, Terminal};

/// The files of a new project with their texts. `{packs}`, `{folder}`, `{absolute}`, `{version}` and `{repository}` are
/// replaced.
const FILES: [(&str, &str); 14] = [
    ("carillon.yaml", include_str!("../starter/carillon.yaml")),
    ("policy.yaml", include_str!("../starter/policy.yaml")),
    ("rules/orders.yaml", include_str!("../starter/rules/orders.yaml")),
    (
        "templates/order-shipped/en/email.subject.txt",
        include_str!("../starter/templates/order-shipped/en/email.subject.txt"),
    ),
    (
        "templates/order-shipped/en/email.html",
        include_str!("../starter/templates/order-shipped/en/email.html"),
    ),
    ("templates/order-shipped/en/email.txt", include_str!("../starter/templates/order-shipped/en/email.txt")),
    (
        "templates/order-shipped/en/socket.title.txt",
        include_str!("../starter/templates/order-shipped/en/socket.title.txt"),
    ),
    (
        "templates/order-shipped/en/socket.txt",
        include_str!("../starter/templates/order-shipped/en/socket.txt"),
    ),
    ("events/order.shipped.json", include_str!("../starter/events/order.shipped.json")),
    ("schemas/order.shipped/1.0.json", include_str!("../starter/schemas/order.shipped/1.0.json")),
    ("people.json", include_str!("../starter/people.json")),
    ("tests/orders.yaml", include_str!("../starter/tests/orders.yaml")),
    (".github/workflows/carillon.yaml", include_str!("../starter/github/carillon.yaml")),
    ("README.md", include_str!("../starter/README.md")),
];

pub(crate) fn run(args: &Init, terminal: &Terminal) -> Done {
    let mut packs = Vec::new();
    for name in &args.packs {
        with_needs(name, &mut packs)?;
    }
    let folder = args.folder.display().to_string();
    let absolute = std::path::absolute(&args.folder).map_err(|error| Error::read(&args.folder, error))?;
    let values = BTreeMap::from([
        ("{packs}", packs.join(", ")),
        ("{folder}", folder.clone()),
        ("{absolute}", absolute.display().to_string()),
        ("{version}", env!("CARGO_PKG_VERSION").to_owned()),
        ("{repository}", env!("CARGO_PKG_REPOSITORY").to_owned()),
    ]);
    let texts: Vec<(&str, String)> = FILES
        .iter()
        .map(|(name, text)| {
            (*name, values.iter().fold((*text).to_owned(), |text, (key, value)| text.replace(key, value)))
        })
        .collect();
    write_new(&args.folder, &texts)?;
    let names: Vec<&str> = texts.iter().map(|(name, _)| *name).collect();
    if terminal.json {
        terminal.say_json(&serde_json::json!({ "folder": folder, "packs": packs, "files": names }));
    } else {
        names.iter().for_each(|name| terminal.say(&format!("   {folder}/{name}")));
        let good = terminal.ink(Ink::Good, "ok");
        terminal.say(&format!("{good} a project in {folder}; next: carillon check {folder} --strict"));
    }
    Ok(true)
}

/// Writes files into a folder. If one of them exists, none is written.
///
/// # Errors
/// A file exists, or cannot be written.
pub(crate) fn write_new(folder: &Path, texts: &[(impl AsRef<str>, String)]) -> Result<(), Error> {
    if let Some(existing) =
        texts.iter().map(|(name, _)| folder.join(name.as_ref())).find(|path| path.exists())
    {
        let what = format!("{} exists already, and no file was written", existing.display());
        return Err(Error::usage(what, "move it, or name another folder"));
    }
    for (name, text) in texts {
        let path = folder.join(name.as_ref());
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(|error| Error::write(parent, error))?;
        }
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.map_err(|error| Error::write(&path, error))?;
    }
    Ok(())
}
