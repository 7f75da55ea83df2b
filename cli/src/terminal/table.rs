//! Tables of list commands.
//!
//! On a terminal a table has a header, and long texts are wrapped to its width. In a pipe every row is one line without a
//! header, a border or a cut, and two spaces or more separate the cells.

use comfy_table::{
    CellAlignment, ColumnConstraint, ContentArrangement, ContentLineStyle, LineStyle, TableStyle, Width,
};

use super::{Ink, plain};

/// The separators of cells and of rows in the layout. They are noncharacters, which [`plain`] replaces in texts.
const CELL: char = '\u{fdd0}';
const ROW: char = '\u{fdd1}';

const STYLE: TableStyle = TableStyle::new()
    .header_lines(ContentLineStyle::none().junction(CELL))
    .header_separator(LineStyle::none().fill(ROW))
    .content_lines(ContentLineStyle::none().junction(CELL))
    .row_separator(LineStyle::none().fill(ROW));

/// The least width of a wrapped column, with its gap.
const MIN_WIDTH: u16 = 14;

/// The indentation of notes below a row.
const INDENT: &str = "    ";

/// A column.
#[derive(Clone, Copy)]
pub struct Column {
    name: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A time, an id or a word, which stays in one piece while the terminal is wide enough.
    Word,
    /// A number, to the right.
    Number,
    /// A text, which is wrapped.
    Text,
}

/// A column of times, ids or words.
pub const fn word(name: &'static str) -> Column {
    Column { name, kind: Kind::Word }
}

/// A column of numbers.
pub const fn number(name: &'static str) -> Column {
    Column { name, kind: Kind::Number }
}

/// A column of texts.
pub const fn text(name: &'static str) -> Column {
    Column { name, kind: Kind::Text }
}

/// A cell. Its text is untrusted.
pub struct Cell {
    text: String,
    ink: Option<Ink>,
}

impl Cell {
    /// A cell in a colour.
    pub fn ink(ink: Ink, text: impl AsRef<str>) -> Cell {
        Cell { text: plain(text.as_ref()), ink: Some(ink) }
    }
}

impl<T: AsRef<str>> From<T> for Cell {
    fn from(text: T) -> Cell {
        Cell { text: plain(text.as_ref()), ink: None }
    }
}

/// A line below a row.
struct Note {
    cell: Cell,
    is_wrapped: bool,
}

/// The rows of a list.
pub struct Table {
    columns: Vec<Column>,
    has_header: bool,
    rows: Vec<(Vec<Cell>, Vec<Note>)>,
}

impl Table {
    /// An empty table.
    pub fn new<const N: usize>(columns: [Column; N]) -> Table {
        Table { columns: columns.into(), has_header: true, rows: Vec::new() }
    }

    /// An empty table without a header, for names and values.
    pub fn bare<const N: usize>(columns: [Column; N]) -> Table {
        Table { columns: columns.into(), has_header: false, rows: Vec::new() }
    }

    /// Adds a row.
    pub fn row<const N: usize>(&mut self, cells: [Cell; N]) {
        self.rows.push((cells.into(), Vec::new()));
    }

    /// Adds a note below the last row.
    pub fn note(&mut self, cell: Cell) {
        if let Some((_, notes)) = self.rows.last_mut() {
            notes.push(Note { cell, is_wrapped: true });
        }
    }

    /// Adds a text below the last row that can be copied, because no line break is put into it.
    pub fn copyable(&mut self, cell: Cell) {
        if let Some((_, notes)) = self.rows.last_mut() {
            notes.push(Note { cell, is_wrapped: false });
        }
    }

    /// The lines. `width` is that of a terminal, and `paint` colours a text.
    pub(super) fn lines(&self, width: Option<u16>, paint: impl Fn(Ink, &str) -> String) -> Vec<String> {
        if self.rows.is_empty() {
            return Vec::new();
        }
        let paint = |ink: Option<Ink>, text: &str| match ink {
            Some(ink) if !text.is_empty() => paint(ink, text),
            Some(_) | None => text.to_owned(),
        };
        let mut lines = Vec::new();
        let mut parts = self.layout(width).into_iter();
        if self.has_header && width.is_some() {
            lines.extend(
                parts
                    .next()
                    .into_iter()
                    .flatten()
                    .map(|line| painted(&line, |_, text| paint(Some(Ink::Quiet), text))),
            );
        }
        for (part, (cells, notes)) in parts.zip(&self.rows) {
            let ink = |index: usize| cells.get(index).and_then(|cell| cell.ink);
            lines.extend(part.iter().map(|line| painted(line, |index, text| paint(ink(index), text))));
            for Note { cell, is_wrapped } in notes {
                let wrapped = wrapped(&cell.text, width.filter(|_| *is_wrapped));
                lines.extend(wrapped.iter().map(|line| format!("{INDENT}{}", paint(cell.ink, line))));
            }
        }
        lines
    }

    /// The lines of each row, on a terminal those of the header first. Cells are padded and separated by [`CELL`].
    fn layout(&self, width: Option<u16>) -> Vec<Vec<String>> {
        let mut table = comfy_table::Table::new();
        table.load_style(STYLE);
        if self.has_header && width.is_some() {
            table.set_header(self.columns.iter().map(|column| column.name));
        }
        for (cells, _) in &self.rows {
            table.add_row(cells.iter().map(|cell| cell.text.as_str()));
        }
        let most = table.column_max_content_widths();
        for (column, layout) in self.columns.iter().zip(table.column_iter_mut()) {
            // With the separator, two spaces are between two columns.
            layout.set_padding((0, 1));
            if column.kind == Kind::Number {
                layout.set_cell_alignment(CellAlignment::Right);
            }
        }
        if let Some(width) = width {
            let widths = self.columns.iter().zip(&most);
            let least: u16 = widths
                .map(|(column, most)| match column.kind {
                    Kind::Word | Kind::Number => most.saturating_add(2),
                    Kind::Text => most.saturating_add(2).min(MIN_WIDTH),
                })
                .fold(0, u16::saturating_add);
            // Words are wrapped, too, on a terminal that is too narrow for them.
            let keeps_words = least <= width;
            for (column, layout) in self.columns.iter().zip(table.column_iter_mut()) {
                layout.set_constraint(match column.kind {
                    Kind::Number => ColumnConstraint::ContentWidth,
                    Kind::Word if keeps_words => ColumnConstraint::ContentWidth,
                    Kind::Text if keeps_words => ColumnConstraint::LowerBoundary(Width::Fixed(MIN_WIDTH)),
                    Kind::Word | Kind::Text => ColumnConstraint::LowerBoundary(Width::Fixed(1)),
                });
            }
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
        }
        let mut rows = vec![Vec::new()];
        for line in table.lines() {
            match (line.starts_with(ROW), rows.last_mut()) {
                (false, Some(row)) => row.push(line),
                (true, _) | (false, None) => rows.push(Vec::new()),
            }
        }
        rows
    }
}

/// A line with its cells painted, and without spaces behind the last one.
fn painted(line: &str, paint: impl Fn(usize, &str) -> String) -> String {
    let mut painted = String::with_capacity(line.len());
    let mut gap = String::new();
    for (index, cell) in line.split(CELL).enumerate() {
        let left = cell.trim_start_matches(' ');
        let text = left.trim_end_matches(' ');
        gap.push_str(&cell[..cell.len() - left.len()]);
        if !text.is_empty() {
            painted.push_str(&gap);
            painted.push_str(&paint(index, text));
            gap.clear();
        }
        gap.push_str(&left[text.len()..]);
        gap.push(' ');
    }
    painted
}

/// A note in lines of the terminal's width.
fn wrapped(text: &str, width: Option<u16>) -> Vec<String> {
    let Some(width) = width else { return vec![text.to_owned()] };
    let indent = u16::try_from(INDENT.len()).unwrap_or(0);
    let mut table = comfy_table::Table::new();
    table.load_style(TableStyle::new()).add_row([text]);
    table.column_iter_mut().for_each(|column| {
        column.set_padding((0, 0));
    });
    table
        .set_content_arrangement(ContentArrangement::Dynamic)
        .set_width(width.saturating_sub(indent).max(MIN_WIDTH));
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

#[cfg(test)]
mod tests;
