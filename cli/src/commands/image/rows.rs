//! Images as lists show them: finding, filtering, one row per name.

use std::collections::{BTreeMap, HashMap};
use std::io::Write as _;

use chrono::{DateTime, Utc};
use coracle_image::{Digest, Image, ImageError, Platform, Reference, Store};
use coracle_runtime::damage::{Damaged, in_one_line};
use coracle_runtime::model::Container;

use crate::app::App;
use crate::error::CliError;
use crate::filters::{Filters, glob};
use crate::format::{Columns, Row, units};

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

/// Finds an image by what the user typed, with aliases and search registries.
pub(crate) fn find(app: &App, text: &str) -> Result<Image, CliError> {
    Ok(app.store()?.find(&stored_name(app, text))?)
}

/// The name under which the store has an image; the text itself when it has none.
pub(crate) fn stored_name(app: &App, text: &str) -> String {
    let Ok(store) = app.store() else { return text.to_owned() };
    if !matches!(store.find(text), Err(ImageError::NoSuchImage { .. })) {
        return text.to_owned();
    }
    app.home
        .names()
        .candidates(text)
        .unwrap_or_default()
        .into_iter()
        .map(|name| name.to_string())
        .find(|name| store.find(name).is_ok())
        .unwrap_or_else(|| text.to_owned())
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

/// What the store says; `None`, with a warning, when its index cannot be read, for commands
/// that have more to tell.
pub(crate) fn readable<T>(app: &App, read: Result<T, ImageError>) -> Result<Option<T>, CliError> {
    match read {
        Err(error) if error.is_index_unreadable() => {
            app.engine()?.damage.note(Damaged {
                kind: "image",
                id: "index".to_owned(),
                why: in_one_line(&error),
                cure: error.hint().unwrap_or_default(),
            });
            Ok(None)
        }
        read => Ok(Some(read?)),
    }
}

/// Which name leads to which image now, read once for a whole list.
#[derive(Debug)]
pub(crate) struct ImageNames(Option<HashMap<String, Digest>>);

impl ImageNames {
    pub(crate) fn read(app: &App) -> Result<Self, CliError> {
        let mut names = HashMap::new();
        let Some(images) = readable(app, app.store()?.images())? else { return Ok(Self(None)) };
        for image in images {
            for name in image.names.iter().chain(&image.repo_digests) {
                names.insert(name.to_string(), image.id);
            }
        }
        Ok(Self(Some(names)))
    }

    /// The image of a container as it was named, or its id when that name has
    /// moved to another image.
    pub(crate) fn shown(&self, container: &Container, full: bool) -> String {
        let typed = container.image_name.as_str();
        let Some(names) = &self.0 else { return typed.to_owned() };
        let Ok(name) = Reference::parse(typed) else { return typed.to_owned() };
        let complete = name.clone().with_default_tag().to_string();
        match names.get(&complete) {
            Some(id) if id.to_string() == container.image => match name.digest() {
                Some(_) if !full => name.familiar_repository(),
                _ => typed.to_owned(),
            },
            // A beginning of the id, as typed.
            _ if !typed.is_empty() && hex_of(&container.image).starts_with(typed) => {
                typed.to_owned()
            }
            _ if full => container.image.clone(),
            _ => units::short_id(&container.image).to_owned(),
        }
    }
}

fn hex_of(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

pub(crate) fn parse_time(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.to_utc())
}

/// The labels of an image; none when its configuration cannot be read.
pub(crate) fn labels(store: &Store, image: &Image) -> BTreeMap<String, String> {
    store.config(&image.id).ok().and_then(|config| config.config.labels).unwrap_or_default()
}

/// `--platform` of commands that look at one image.
pub(crate) fn find_for(app: &App, text: &str, wanted: Option<&str>) -> Result<Image, CliError> {
    let Some(wanted) = platform(wanted)? else { return find(app, text) };
    if let Some(image) = app.store()?.find_variant(&stored_name(app, text), &wanted)? {
        return Ok(image);
    }
    let own = find(app, text)?.platform();
    Err(CliError::engine(format!(
        "image with reference {text} was found but its platform ({own}) \
         does not match the specified platform ({wanted})"
    )))
}

/// The value of a `--platform` flag; an empty one is as good as none.
pub(crate) fn platform(text: Option<&str>) -> Result<Option<Platform>, CliError> {
    let given = text.filter(|text| !text.is_empty());
    given.map(str::parse).transpose().map_err(|e| CliError::plain(format!("{e}")))
}

/// The images that pass the filters, newest first.
pub(crate) fn selected(app: &App, filters: &Filters, all: bool) -> Result<Vec<Selected>, CliError> {
    let store = app.store()?;
    let images = store.images()?;
    let created = |name: &str| -> Result<Option<DateTime<Utc>>, CliError> {
        Ok(parse_time(&find(app, name)?.created))
    };
    let mut before = Vec::new();
    for name in filters.values("before") {
        before.extend(created(name)?);
    }
    let mut since = Vec::new();
    for name in filters.values("since") {
        since.extend(created(name)?);
    }
    before.extend(filters.until()?);
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
