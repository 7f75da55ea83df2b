//! `cli.md`, from the command line definitions of both programs.

use std::fmt::Write as _;

use clap::{Arg, ArgAction, Command};

use super::markdown::{cell, heading_anchor, wrap};

const HEAD: &str = "# Command line

`carillon` is the program of operators and of authors of rules. `carillon-dev` runs the local cloud for developers.
[Commands](commands.md) lists the targets of `make` and the variables. `carillon completion` prints completions for
bash, zsh, fish, elvish and PowerShell. `carillon man --out FOLDER` writes a manual page for each command.

## Exit codes

| code | meaning |
|---|---|
| 0 | the command did its work, and the answer is yes |
| 1 | the command did its work, and the answer is no or a part failed |
| 2 | the command failed; standard error has the reason and the remedy |

The description of a command names the meaning of 1 where it differs.
";

/// The page about these programs.
pub(super) fn page(programs: Vec<Command>) -> String {
    let mut page = HEAD.to_owned();
    for mut program in programs {
        // Copies the global options to the commands, and gives each command its full name.
        program.build();
        let name = program.get_name().to_owned();
        let _ = writeln!(page, "\n## {name}\n\n{}.\n", about(&program));
        page += "| command | purpose |\n|---|---|\n";
        let commands = leaves(&program, &name);
        for (name, command) in &commands {
            let _ = writeln!(
                page,
                "| [`{name}`](#{}) | {} |",
                heading_anchor(name),
                cell(&first_sentence(command))
            );
        }
        let globals: Vec<&Arg> = program.get_arguments().filter(|option| option.is_global_set()).collect();
        page += "\nOptions of all commands:\n\n";
        table(&mut page, &globals);
        for (name, command) in commands {
            describe(&mut page, &name, command);
        }
    }
    while page.contains("\n\n\n") {
        page = page.replace("\n\n\n", "\n\n");
    }
    page
}

/// The commands without subcommands, with their full names.
fn leaves<'a>(command: &'a Command, name: &str) -> Vec<(String, &'a Command)> {
    let children =
        command.get_subcommands().filter(|child| child.get_name() != "help" && !child.is_hide_set());
    let children: Vec<&Command> = children.collect();
    if children.is_empty() {
        return vec![(name.to_owned(), command)];
    }
    children.into_iter().flat_map(|child| leaves(child, &format!("{name} {}", child.get_name()))).collect()
}

fn about(command: &Command) -> String {
    let text = command.get_long_about().or(command.get_about());
    wrap(&text.map(ToString::to_string).unwrap_or_default()).trim_end_matches('.').to_owned()
}

fn first_sentence(command: &Command) -> String {
    command.get_about().map(ToString::to_string).unwrap_or_default()
}

fn describe(page: &mut String, name: &str, command: &Command) {
    let mut renderable = command.clone().bin_name(name);
    let usage = renderable.render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").split_whitespace().collect::<Vec<_>>().join(" ");
    let _ = writeln!(page, "\n### {name}\n\n{}.\n\n```text\n{usage}\n```\n", about(command));
    let aliases: Vec<String> = command.get_visible_aliases().map(|alias| format!("`{alias}`")).collect();
    if !aliases.is_empty() {
        let _ = writeln!(page, "Also {}.\n", aliases.join(", "));
    }
    let own: Vec<&Arg> =
        command.get_arguments().filter(|option| !option.is_global_set() && !option.is_hide_set()).collect();
    let own: Vec<&Arg> =
        own.into_iter().filter(|option| !["help", "version"].contains(&option.get_id().as_str())).collect();
    if !own.is_empty() {
        table(page, &own);
    }
    if let Some(after) = command.get_after_help() {
        examples(page, &after.to_string());
    }
}

fn table(page: &mut String, options: &[&Arg]) {
    *page += "| option | meaning |\n|---|---|\n";
    for option in options.iter().filter(|option| !option.is_hide_set()) {
        let _ = writeln!(page, "| `{}` | {} |", cell(&spelling(option)), meaning(option));
    }
    page.push('\n');
}

fn spelling(option: &Arg) -> String {
    let names = option.get_value_names().unwrap_or_default();
    let value = names.first().map_or_else(|| option.get_id().to_string().to_uppercase(), ToString::to_string);
    let takes_value = option.get_action().takes_values();
    let many = if matches!(option.get_action(), ArgAction::Append) { " …" } else { "" };
    match (option.get_short(), option.get_long()) {
        (_, None) => format!("{value}{many}"),
        (Some(short), Some(long)) if takes_value => format!("-{short}, --{long} {value}{many}"),
        (Some(short), Some(long)) => format!("-{short}, --{long}"),
        (None, Some(long)) if takes_value => format!("--{long} {value}{many}"),
        (None, Some(long)) => format!("--{long}"),
    }
}

fn meaning(option: &Arg) -> String {
    let text = option.get_long_help().or(option.get_help()).map(ToString::to_string).unwrap_or_default();
    let mut parts = vec![cell(&text.replace('<', "&lt;"))];
    let values: Vec<String> = option
        .get_possible_values()
        .iter()
        .filter(|_| option.get_action().takes_values())
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if !values.is_empty() {
        parts.push(format!("One of {}.", values.join(", ")));
    }
    let defaults: Vec<String> =
        option.get_default_values().iter().map(|value| format!("`{}`", value.to_string_lossy())).collect();
    if option.get_action().takes_values() && !defaults.is_empty() && defaults != ["``"] {
        parts.push(format!("Default: {}.", defaults.join(", ")));
    }
    if let Some(variable) = option.get_env() {
        parts.push(format!("Variable: `{}`.", variable.to_string_lossy()));
    }
    if option.is_required_set() {
        parts.push("Required.".to_owned());
    }
    let parts = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    sentences(&parts)
}

/// The parts as sentences.
fn sentences(parts: &[String]) -> String {
    let text = parts.join(". ").replace("..", ".");
    text.trim_end_matches('.').to_owned()
}

/// The examples as a block, and the remarks behind them as paragraphs.
fn examples(page: &mut String, text: &str) {
    let Some((title, rest)) = text.split_once(":\n") else {
        let _ = writeln!(page, "{}", wrap(text));
        return;
    };
    let lines: Vec<&str> =
        rest.lines().take_while(|line| line.starts_with("  ") || line.is_empty()).collect();
    let block: Vec<&str> = lines.iter().map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    let _ = writeln!(page, "{title}:\n\n```sh\n{}\n```", block.join("\n").trim_end());
    let remarks: Vec<&str> = rest.lines().skip(lines.len()).collect();
    if !remarks.is_empty() {
        let _ = writeln!(page, "\n{}", wrap(&remarks.join("\n")));
    }
}
