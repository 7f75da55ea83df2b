use super::super::{Place, Terminal};
use super::*;

const COLUMNS: [Column; 3] = [word("TIME"), number("COUNT"), text("TEXT")];

fn table(rows: &[(&str, &str, &str)]) -> Table {
    let mut table = Table::new(COLUMNS);
    for (time, count, text) in rows {
        table.row([Cell::ink(Ink::Quiet, time), count.into(), text.into()]);
    }
    table
}

/// The lines without colours.
fn lines(table: &Table, width: Option<u16>) -> Vec<String> {
    table.lines(width, |_, text| text.to_owned())
}

#[test]
fn pipe_gets_one_line_a_row_without_header_and_cut() {
    let long = "word ".repeat(100);
    let table = table(&[("now", "7", "short"), ("2026-11-30 21:00:00 UTC", "1000", &long)]);
    let expected = [
        "now                         7  short".to_owned(),
        format!("2026-11-30 21:00:00 UTC  1000  {}", long.trim()),
    ];
    assert_eq!(lines(&table, None), expected);
}

#[test]
fn empty_table_has_no_line() {
    for width in [None, Some(80)] {
        assert!(lines(&Table::new(COLUMNS), width).is_empty());
    }
}

#[test]
fn terminal_gets_a_header_and_wrapped_texts() {
    let mut table = table(&[("2026-11-30", "7", "the provider refused the message"), ("now", "12", "ok")]);
    table.note("then  repeat it".into());
    assert_eq!(
        lines(&table, Some(34)),
        [
            "TIME        COUNT  TEXT",
            "2026-11-30      7  the provider",
            "                   refused the",
            "                   message",
            "now            12  ok",
            "    then  repeat it",
        ]
    );
}

#[test]
fn every_line_fits_a_narrow_terminal() {
    let cjk = "注文が支払われました".repeat(4);
    let family = "👨‍👩‍👧‍👦 👋🏽 é ".repeat(8);
    let table =
        table(&[("2026-11-30 21:00:00 UTC", "1", &cjk), ("now", "2", &family), ("now", "3", "שלום עולם")]);
    for width in [30, 40, 60, 80, 200] {
        for line in lines(&table, Some(width)) {
            assert!(comfy_width(&line) <= usize::from(width), "{width}: {line}");
        }
    }
    let whole: String = lines(&table, Some(40)).concat().split_whitespace().collect();
    assert!(whole.contains("注文が支払われました") && whole.contains("👨‍👩‍👧‍👦"), "no character is cut: {whole}");
}

/// The width of a line, measured by a table of one cell.
fn comfy_width(line: &str) -> usize {
    let mut table = comfy_table::Table::new();
    table.add_row([line]);
    table.column_max_content_widths()[0].into()
}

#[test]
fn data_cannot_forge_cells_rows_or_colours() {
    let table = table(&[("a\u{fdd0}b\nc", "\u{1b}[31m1", "x\u{fdd1}\u{202e}y\u{1b}[2J")]);
    for width in [None, Some(80)] {
        let lines = lines(&table, width);
        assert_eq!(
            lines.last().unwrap().split_whitespace().collect::<Vec<_>>(),
            ["a�b␊c", "␛[31m1", "x��y␛[2J"]
        );
        assert_eq!(lines.len(), 1 + usize::from(width.is_some()));
    }
}

#[test]
fn colour_covers_the_text_of_its_cell_only() {
    let terminal = Terminal::new(false, true, None, Place::Hidden);
    let table = table(&[("now", "7", "short"), ("later", "8", "x")]);
    assert_eq!(
        table.lines(None, |ink, text| terminal.ink(ink, text)),
        ["\u{1b}[2mnow\u{1b}[0m    7  short", "\u{1b}[2mlater\u{1b}[0m  8  x"]
    );
}

#[test]
fn thousand_rows_have_the_same_columns() {
    let rows: Vec<(String, String)> = (0..1_000).map(|row| (format!("id-{row}"), format!("{row}"))).collect();
    let rows: Vec<(&str, &str, &str)> =
        rows.iter().map(|(id, row)| (id.as_str(), row.as_str(), "text")).collect();
    let lines = lines(&table(&rows), Some(80));
    assert_eq!(lines.len(), 1_001);
    assert!(lines[1..].iter().all(|line| line.find("text") == lines[1].find("text")));
}
