//! Images as lists show them: one row per name.

use std::collections::BTreeMap;
use std::io::Write as _;

use chrono::{DateTime, Utc};
use coracle_image::Reference;
use coracle_view::image::ImageSummary;

use crate::app::App;
use crate::format::{Columns, Row, units};

const TITLES: &[(&str, &str)] = &[
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("Digest", "DIGEST"),
    ("ID", "IMAGE ID"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("Size", "SIZE"),
    ("SharedSize", "SHARED SIZE"),
    ("UniqueSize", "UNIQUE SIZE"),
    ("Containers", "CONTAINERS"),
];

pub(crate) const PLAIN: Columns = Columns {
    titles: TITLES,
    table: "Repository Tag ID CreatedSince Size",
    quiet: "ID",
    raw: "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\n\
          created_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n",
};

pub(crate) const WITH_DIGEST: Columns =
    Columns { table: "Repository Tag Digest ID CreatedSince Size", ..PLAIN };

const NONE: &str = "<none>";

#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Digests are wanted in the rows.
    pub(crate) digests: bool,
    /// A repository known by digests alone has a row for each.
    pub(crate) digest_rows: bool,
    pub(crate) full: bool,
}

/// Says what of an archive could not be unpacked as it was.
pub(crate) fn notes(app: &mut App, notes: &[String]) -> std::io::Result<()> {
    for note in notes {
        writeln!(app.ui.status(), "note: {note}")?;
    }
    Ok(())
}

/// One row per name; repositories known by digest alone follow those with tags.
pub(crate) fn rows_of(summary: &ImageSummary, layout: Layout, now: DateTime<Utc>) -> Vec<Row> {
    let image = &summary.image;
    let all: Vec<Reference> = image.names.iter().chain(&image.repo_digests).cloned().collect();
    let names = summary.chosen.as_deref().unwrap_or(&all);
    let row = |repository: &str, tag: &str, digest: &str| {
        row(summary, [repository, tag, digest], layout.full, now)
    };
    if names.is_empty() {
        return vec![row(NONE, NONE, NONE)];
    }
    let mut tags: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    let mut digests: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for name in names {
        let repository = name.familiar_repository();
        match (name.digest(), name.tag()) {
            (Some(digest), _) => digests.entry(repository).or_default().push(digest),
            (None, Some(tag)) => tags.entry(repository).or_default().push(tag),
            (None, None) => {}
        }
    }
    // A name chosen by its tag keeps the digests of its repository.
    for name in &image.repo_digests {
        let repository = name.familiar_repository();
        if tags.contains_key(&repository) && !digests.contains_key(&repository) {
            digests.entry(repository).or_default().extend(name.digest());
        }
    }
    let mut rows = Vec::new();
    for (repository, tags) in &tags {
        let known = digests.remove(repository).unwrap_or_default();
        for tag in tags {
            if known.is_empty() || !layout.digests {
                rows.push(row(repository, tag, NONE));
            } else {
                rows.extend(known.iter().map(|digest| row(repository, tag, digest)));
            }
        }
    }
    for (repository, known) in &digests {
        if layout.digest_rows {
            rows.extend(known.iter().map(|digest| row(repository, NONE, digest)));
        } else {
            rows.push(row(repository, NONE, known.first().copied().unwrap_or(NONE)));
        }
    }
    rows
}

fn row(
    summary: &ImageSummary,
    [repository, tag, digest]: [&str; 3],
    full: bool,
    now: DateTime<Utc>,
) -> Row {
    let created = summary.created_at;
    let mut row = Row::new("*formatter.imageContext");
    row.set("Repository", repository)
        .set("Tag", tag)
        .set("Digest", digest)
        .set("ID", if full { summary.id.clone() } else { summary.image.id.short() })
        .set("CreatedSince", created.map(|t| units::ago(t, now)).unwrap_or_default())
        .set("CreatedAt", created.map(units::created_at).unwrap_or_default())
        .set("Size", units::short_size(summary.size + summary.content_size))
        .set("Containers", summary.containers.to_string())
        .set("SharedSize", "N/A")
        .set("UniqueSize", "N/A");
    row
}

#[cfg(test)]
mod tests {
    use coracle_image::{Digest, Image};
    use coracle_view::image::parse_time;

    use crate::commands::image::rows::*;
    use crate::format::Listing;

    fn image(names: &[&str], digests: &[&str]) -> Image {
        let parse = |names: &[&str]| names.iter().map(|n| Reference::parse(n).unwrap()).collect();
        Image {
            id: Digest::from_hex(&"e1f34b438478a61e".repeat(4)).unwrap(),
            names: parse(names),
            repo_digests: parse(digests),
            layers: vec![],
            manifest_digest: Digest::from_hex(&"00".repeat(32)).unwrap(),
            manifest_media_type: String::new(),
            created: "2026-11-20T23:55:58Z".into(),
            os: "linux".into(),
            architecture: "amd64".into(),
            variant: String::new(),
            parent: None,
            last_tag_time: None,
        }
    }

    fn table(image: &Image, digests: bool) -> String {
        let layout = Layout { digests, digest_rows: digests, full: false };
        let now = parse_time("2026-11-20T23:56:06Z").unwrap();
        let columns = if digests { &WITH_DIGEST } else { &PLAIN };
        let listing = Listing::new(columns, None, false).unwrap();
        let summary = ImageSummary::new(image.clone(), None, 0);
        listing.render(&rows_of(&summary, layout, now)).unwrap()
    }

    #[test]
    fn a_row_for_each_name() {
        insta::assert_snapshot!(table(&image(&["alpine:3.20", "alpine:latest"], &[]), false), @r"
        REPOSITORY   TAG       IMAGE ID       CREATED         SIZE
        alpine       3.20      e1f34b438478   8 seconds ago   0B
        alpine       latest    e1f34b438478   8 seconds ago   0B
        ");
    }

    #[test]
    fn digests_stand_beside_the_tags_of_their_repository() {
        let digest = format!("127.0.0.1:5000/h@sha256:{}", "d8".repeat(32));
        let both = image(&["127.0.0.1:5000/h:1", "hist:latest"], &[&digest]);
        insta::assert_snapshot!(table(&both, true), @r"
        REPOSITORY         TAG       DIGEST                                                                    IMAGE ID       CREATED         SIZE
        127.0.0.1:5000/h   1         sha256:d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8d8   e1f34b438478   8 seconds ago   0B
        hist               latest    <none>                                                                    e1f34b438478   8 seconds ago   0B
        ");
        insta::assert_snapshot!(table(&image(&[], &[&digest]), false), @r"
        REPOSITORY         TAG       IMAGE ID       CREATED         SIZE
        127.0.0.1:5000/h   <none>    e1f34b438478   8 seconds ago   0B
        ");
    }

    #[test]
    fn an_image_without_any_name() {
        insta::assert_snapshot!(table(&image(&[], &[]), false), @r"
        REPOSITORY   TAG       IMAGE ID       CREATED         SIZE
        <none>       <none>    e1f34b438478   8 seconds ago   0B
        ");
    }
}
