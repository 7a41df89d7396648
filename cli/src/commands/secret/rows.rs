//! Secrets and configs as lists show them, and as text for a person.

use chrono::{DateTime, Utc};
use coracle_swarm::model::Secret;
use coracle_view::secret::Kind;

use crate::format::{Columns, Row, units};

pub(crate) const SECRETS: Columns = Columns {
    titles: &[
        ("ID", "ID"),
        ("Name", "NAME"),
        ("Driver", "DRIVER"),
        ("CreatedAt", "CREATED"),
        ("UpdatedAt", "UPDATED"),
        ("Labels", "LABELS"),
    ],
    table: "ID Name Driver CreatedAt UpdatedAt",
    quiet: "ID",
    raw: "",
};

pub(crate) const CONFIGS: Columns = Columns {
    titles: &[
        ("ID", "ID"),
        ("Name", "NAME"),
        ("CreatedAt", "CREATED"),
        ("UpdatedAt", "UPDATED"),
        ("Labels", "LABELS"),
    ],
    table: "ID Name CreatedAt UpdatedAt",
    quiet: "ID",
    raw: "",
};

pub(crate) fn row(kind: Kind, one: &Secret, now: DateTime<Utc>) -> Row {
    let mut row = Row::new(match kind {
        Kind::Secret => "*secret.secretContext",
        Kind::Config => "*config.configContext",
    });
    row.set("ID", one.id.as_str())
        .set("Name", one.spec.name.as_str())
        .set("CreatedAt", units::ago(one.meta.created_at.datetime(), now))
        .set("UpdatedAt", units::ago(one.meta.updated_at.datetime(), now))
        .set_labels(one.spec.labels.clone());
    if kind == Kind::Secret {
        row.set("Driver", driver(one));
    }
    row
}

fn driver(one: &Secret) -> &str {
    one.spec.driver.as_ref().map_or("", |driver| &driver.name)
}

/// As `secret inspect --pretty` and `config inspect --pretty` print one; `data` is a config's content.
pub(crate) fn pretty(kind: Kind, one: &Secret, data: &str) -> String {
    let mut labels = String::new();
    for (key, value) in &one.spec.labels {
        let is = if value.is_empty() { "" } else { "=" };
        labels.push_str(&format!(" - {key}{is}{value}\n"));
    }
    if !labels.is_empty() {
        labels.insert_str(0, "Labels:\n");
    }
    let at = |time: coracle_words::Timestamp| units::go_time(time.datetime()).to_lowercase();
    let (created, updated) = (at(one.meta.created_at), at(one.meta.updated_at));
    let (id, name) = (&one.id, &one.spec.name);
    match kind {
        Kind::Secret => format!(
            "ID:              {id}\nName:              {name}\n{labels}Driver:            {}\nCreated at:        \
             {created}\nUpdated at:        {updated}\n",
            driver(one)
        ),
        Kind::Config => format!(
            "ID:\t\t\t{id}\nName:\t\t\t{name}\n{labels}Created at:            \t{created}\nUpdated at:            \
             \t{updated}\nData:\n{data}\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use coracle_words::template::Fields as _;

    use super::*;
    use crate::format::Listing;

    fn one() -> Secret {
        let mut one = Secret { id: "oxeymk33cm6k19kxvxzqa81gy".to_owned(), ..Secret::default() };
        one.spec.name = "s2".to_owned();
        one.spec.labels.insert("k".to_owned(), "v".to_owned());
        one.meta.created_at = "2026-11-20T23:57:14.077567463Z".parse().unwrap();
        one.meta.updated_at = one.meta.created_at;
        one
    }

    fn now() -> DateTime<Utc> {
        "2026-11-20T23:57:14.9Z".parse().unwrap()
    }

    #[test]
    fn the_tables_are_the_recorded_ones() {
        let secrets = Listing::new(&SECRETS, None, false).unwrap();
        assert_eq!(
            secrets.render([&row(Kind::Secret, &one(), now())]).unwrap(),
            "ID                          NAME      DRIVER    CREATED                  UPDATED\n\
             oxeymk33cm6k19kxvxzqa81gy   s2                  Less than a second ago   Less than a second ago\n"
        );
        let configs = Listing::new(&CONFIGS, None, false).unwrap();
        assert_eq!(
            configs.render([&row(Kind::Config, &one(), now())]).unwrap(),
            "ID                          NAME      CREATED                  UPDATED\n\
             oxeymk33cm6k19kxvxzqa81gy   s2        Less than a second ago   Less than a second ago\n"
        );
        assert_eq!(
            row(Kind::Secret, &one(), now()).json(),
            r#"{"CreatedAt":"Less than a second ago","Driver":"","ID":"oxeymk33cm6k19kxvxzqa81gy","Labels":"k=v","Name":"s2","UpdatedAt":"Less than a second ago"}"#
        );
    }

    #[test]
    fn the_texts_are_the_recorded_ones() {
        assert_eq!(
            pretty(Kind::Secret, &one(), ""),
            "ID:              oxeymk33cm6k19kxvxzqa81gy\nName:              s2\nLabels:\n - k=v\nDriver:            \n\
             Created at:        2026-11-20 23:57:14.077567463 +0000 utc\n\
             Updated at:        2026-11-20 23:57:14.077567463 +0000 utc\n"
        );
        assert_eq!(
            pretty(Kind::Config, &one(), "abc"),
            "ID:\t\t\toxeymk33cm6k19kxvxzqa81gy\nName:\t\t\ts2\nLabels:\n - k=v\n\
             Created at:            \t2026-11-20 23:57:14.077567463 +0000 utc\n\
             Updated at:            \t2026-11-20 23:57:14.077567463 +0000 utc\nData:\nabc\n"
        );
    }
}
