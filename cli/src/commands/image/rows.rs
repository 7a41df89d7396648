//! Images as lists show them: finding, filtering, one row per name.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;

use chrono::{DateTime, Utc};
use coracle_image::{Digest, Image, Reference};
use coracle_view::image::{find, labels, parse_time};

use crate::app::App;
use crate::error::CliError;
use crate::format::{Columns, Row, units};
use coracle_view::filter::{Filters, glob};

const TITLES: &[(&str, &str)] = &[
    ("Repository", "REPOSITORY"),
    ("Tag", "TAG"),
    ("Digest", "DIGEST"),
    ("ID", "IMAGE ID"),
    ("CreatedSince", "CREATED"),
    ("CreatedAt", "CREATED AT"),
    ("Size", "SIZE"),
    ("VirtualSize", "SIZE"),
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

/// An image that passed the filters, with the names that did.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) image: Image,
    /// `None` when no filter chose among the names.
    pub(crate) names: Option<Vec<Reference>>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Digests are wanted in the rows.
    pub(crate) digests: bool,
    /// A repository known by digests alone has a row for each.
    pub(crate) digest_rows: bool,
    pub(crate) full: bool,
}

/// A name as it is repeated to the user: with the tag it implies.
pub(crate) fn with_tag(app: &App, text: &str) -> Result<String, CliError> {
    let name = app.home.names().resolve(text).map_err(|e| CliError::plain(e.to_string()))?;
    Ok(name.with_default_tag().familiar())
}

/// Says what of an archive could not be unpacked as it was.
pub(crate) fn notes(app: &mut App, notes: &[String]) -> std::io::Result<()> {
    for note in notes {
        writeln!(app.ui.status(), "note: {note}")?;
    }
    Ok(())
}

/// How many containers each image has.
pub(crate) fn container_counts(app: &App) -> Result<HashMap<Digest, usize>, CliError> {
    let mut counts = HashMap::new();
    for user in app.home.image_users()? {
        *counts.entry(user.image).or_default() += 1;
    }
    Ok(counts)
}

/// The images that pass the filters, newest first.
pub(crate) fn selected(app: &App, filters: &Filters, all: bool) -> Result<Vec<Selected>, CliError> {
    let store = app.store()?;
    let images = store.images()?;
    let created = |name: &str| -> Result<Option<DateTime<Utc>>, CliError> {
        Ok(parse_time(&find(&app.home, name)?.created))
    };
    let mut before = Vec::new();
    for name in filters.values("before") {
        before.extend(created(name)?);
    }
    let mut since = Vec::new();
    for name in filters.values("since") {
        since.extend(created(name)?);
    }
    before.extend(filters.until(&app.asked())?);
    let dangling = filters.truth("dangling")?;
    let by_label = filters.has("label") || filters.has("label!");
    let parents: Vec<Digest> = images.iter().filter_map(|image| image.parent).collect();
    let mut out = Vec::new();
    for image in images {
        let time = parse_time(&image.created);
        let in_time = before.iter().all(|limit| time.is_some_and(|t| t < *limit))
            && since.iter().all(|limit| time.is_some_and(|t| t > *limit));
        let intermediate = image.is_dangling() && parents.contains(&image.id);
        if !in_time
            || dangling.is_some_and(|wanted| wanted != image.is_dangling())
            || (intermediate && !all)
            || (by_label && !filters.labels(&labels(store, &image)))
        {
            continue;
        }
        let patterns = filters.values("reference");
        if patterns.is_empty() {
            out.push(Selected { image, names: None });
            continue;
        }
        let chosen: Vec<Reference> = image
            .names
            .iter()
            .chain(&image.repo_digests)
            .filter(|name| patterns.iter().any(|pattern| matches_name(pattern, name)))
            .cloned()
            .collect();
        if !chosen.is_empty() {
            out.push(Selected { image, names: Some(chosen) });
        }
    }
    Ok(out)
}

/// A pattern is compared with the whole name and with the repository alone.
fn matches_name(pattern: &str, name: &Reference) -> bool {
    glob(pattern, &name.familiar())
        || glob(pattern, &name.familiar_repository())
        || Reference::parse(pattern).is_ok_and(|wanted| match wanted.is_name_only() {
            true => wanted.repository() == name.repository(),
            false => wanted == *name,
        })
}

/// One row per name; repositories known by digest alone follow those with tags.
pub(crate) fn rows_of(
    image: &Image,
    chosen: Option<&[Reference]>,
    layout: Layout,
    containers: usize,
    now: DateTime<Utc>,
) -> Vec<Row> {
    let all: Vec<Reference> = image.names.iter().chain(&image.repo_digests).cloned().collect();
    let names = chosen.unwrap_or(&all);
    let row = |repository: &str, tag: &str, digest: &str| {
        row(image, [repository, tag, digest], layout.full, containers, now)
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
    image: &Image,
    [repository, tag, digest]: [&str; 3],
    full: bool,
    containers: usize,
    now: DateTime<Utc>,
) -> Row {
    let created = parse_time(&image.created);
    let size = image.size();
    let mut row = Row::new("*formatter.imageContext");
    row.set("Repository", repository)
        .set("Tag", tag)
        .set("Digest", digest)
        .set("ID", if full { image.id.to_string() } else { image.id.short() })
        .set("CreatedSince", created.map(|t| units::ago(t, now)).unwrap_or_default())
        .set("CreatedAt", created.map(units::created_at).unwrap_or_default())
        .set("Size", units::short_size(size))
        .set("Containers", containers.to_string())
        .set("SharedSize", "N/A")
        .set("UniqueSize", "N/A")
        .set("VirtualSize", units::human_size(size));
    row
}

#[cfg(test)]
mod tests {
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
        listing.render(&rows_of(image, None, layout, 0, now)).unwrap()
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
