//! `carillon pack ls`.

use serde_json::json;

use crate::args::PackLs;
use crate::error::Done;
use crate::project;
use crate::terminal::{Cell, Ink, Table, Terminal, text, word};

use super::{about, copy_folder, diff, names};

pub(super) fn run(args: &PackLs, terminal: &Terminal) -> Done {
    let project = project::read(&args.config);
    let enabled = project.packs();
    let mut table = Table::new([word("PACK"), word("USE"), text("CONTENT")]);
    for name in names() {
        let (about, place) = (about(name), copy_folder(&args.config, &project, name));
        let is_copied = project.is_project() && place.is_dir();
        let differs = is_copied && diff::of(name, &place)?.differs();
        if terminal.json {
            terminal.say_json(&json!({
                "pack": name, "about": about.about, "replaces": about.replaces, "needs": about.needs,
                "enabled": enabled.contains(&name), "copy": is_copied.then(|| place.display().to_string()),
                "differs": differs,
            }));
            continue;
        }
        let state = match (enabled.contains(&name), is_copied, differs) {
            (true, true, true) => "used, a copy that differs",
            (true, true, false) => "used, a copy",
            (true, false, _) => "used",
            (false, true, _) => "a copy, not used",
            (false, false, _) => "-",
        };
        let replaces = about.replaces.map(|system| format!(" Replaces {system}.")).unwrap_or_default();
        let content = format!("{}{replaces}", about.about);
        table.row([Cell::ink(Ink::Strong, name), Cell::ink(Ink::Quiet, state), content.into()]);
    }
    terminal.table(&table);
    Ok(true)
}
