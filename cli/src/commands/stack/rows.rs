//! Stacks as lists show them.

use crate::format::{Columns, Row};

pub(crate) const COLUMNS: Columns = Columns {
    titles: &[("Name", "NAME"), ("Services", "SERVICES")],
    table: "Name Services",
    quiet: "Name",
    raw: "name: {{.Name}}\nservices: {{.Services}}\n",
};

pub(super) fn row(name: &str, services: usize) -> Row {
    let mut row = Row::new("*stack.stackContext");
    row.set("Name", name).set("Services", services.to_string());
    row
}
