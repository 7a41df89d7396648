//! Entries of the cache as rows, as lines, and one below the other.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use coracle_builder::exec::Usage;
use coracle_view::build_cache::{is_mutable, shown_id, shown_parent};

use crate::format::{Columns, Row, units};

pub(super) const COLUMNS: Columns = Columns {
    titles: &[
        ("ID", "ID"),
        ("Reclaimable", "RECLAIMABLE"),
        ("Size", "SIZE"),
        ("LastUsedAt", "LAST ACCESSED"),
        ("CreatedAt", "CREATED AT"),
        ("Description", "DESCRIPTION"),
        ("Mutable", "MUTABLE"),
        ("Parents", "PARENTS"),
        ("Shared", "SHARED"),
        ("Type", "TYPE"),
        ("UsageCount", "USAGE"),
    ],
    table: "ID Reclaimable Size LastUsedAt",
    quiet: "ID",
    raw: "",
};

/// `in_table`: with the marks of BuildKit's table: `*` for what changes, and for a size that images have too.
pub(super) fn row(entry: &Usage, now: DateTime<Utc>, in_table: bool) -> Row {
    let mark = |marks: bool| if marks && in_table { "*" } else { "" };
    let size = units::human_size(entry.size);
    let mut row = Row::new("*formatter.usageContext");
    row.set("ID", format!("{}{}", shown_id(entry), mark(is_mutable(entry))))
        .set("Reclaimable", !entry.in_use)
        .set("Size", format!("{size}{}", mark(entry.shared)))
        .set("LastUsedAt", last_used(entry, now).unwrap_or_default())
        .set("CreatedAt", units::go_time(entry.created.datetime()))
        .set("Description", entry.description.clone())
        .set("Mutable", is_mutable(entry))
        .set("Parents", shown_parent(entry).map(|parent| vec![parent]))
        .set("Shared", entry.shared)
        .set("Type", entry.kind.name())
        .set("UsageCount", entry.uses);
    row
}

fn last_used(entry: &Usage, now: DateTime<Utc>) -> Option<String> {
    entry.last_used.map(|used| units::ago(used.datetime(), now))
}

/// All there is to say of an entry, a line each, and an empty one.
pub(super) fn whole(entry: &Usage, now: DateTime<Utc>) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        writeln!(out, "{:13} {value}", format!("{name}:")).unwrap_or_default();
    };
    line("ID", &shown_id(entry));
    if let Some(parent) = shown_parent(entry) {
        line("Parents", &parent);
    }
    line("Created at", &units::go_time(entry.created.datetime()));
    line("Mutable", &is_mutable(entry).to_string());
    line("Reclaimable", &(!entry.in_use).to_string());
    line("Shared", &entry.shared.to_string());
    line("Size", &units::human_size(entry.size));
    line("Description", &crate::format::visible(&entry.description));
    line("Usage count", &entry.uses.to_string());
    if let Some(used) = last_used(entry, now) {
        line("Last used", &used);
    }
    line("Type", entry.kind.name());
    out + "\n"
}

/// What went, as `prune` lists it.
pub(super) fn pruned(entries: &[Usage], now: DateTime<Utc>) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mut out = "ID\t\t\t\t\t\tRECLAIMABLE\tSIZE\t\tLAST ACCESSED\n".to_owned();
    for (index, entry) in entries.iter().enumerate() {
        let id = format!("{}{}", shown_id(entry), if is_mutable(entry) { "*" } else { "" });
        let shared = if entry.shared { "*" } else { "" };
        let size = format!("{}{shared}", units::human_size(entry.size));
        let used = last_used(entry, now).unwrap_or_default();
        // Only the first is as wide as the titles.
        let tab = if index == 0 { "\t\t" } else { "\t" };
        out += &format!("{id:40}\t{:5}{tab}{size:10}\t{used}\n", !entry.in_use);
    }
    out
}
