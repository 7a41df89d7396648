//! What is stored with every entry: chosen labels and variables, and a tag.

use std::collections::BTreeMap;

use coracle_image::short_id;

use crate::model::Container;

/// The attributes that the options `labels`, `env`, those with `-regex` and `tag` ask for; the
/// error is what is wrong with an expression or the tag.
pub(super) fn attributes(
    options: &BTreeMap<String, String>,
    container: &Container,
) -> Result<BTreeMap<String, String>, String> {
    let mut found = BTreeMap::new();
    let labels = container.config.labels.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let variables = container.config.env.iter().filter_map(|word| word.split_once('='));
    choose(&mut found, options, "labels", labels)?;
    choose(&mut found, options, "env", variables)?;
    if let Some(template) = options.get("tag").filter(|template| !template.is_empty()) {
        found.insert("tag".to_owned(), expand(template, container)?);
    }
    Ok(found)
}

/// Takes what the list `option` names, and what its expression matches.
fn choose<'a>(
    found: &mut BTreeMap<String, String>,
    options: &BTreeMap<String, String>,
    option: &str,
    all: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), String> {
    let expression = options.get(&format!("{option}-regex")).filter(|text| !text.is_empty());
    let expression = expression.map(|text| regex::Regex::new(text)).transpose();
    let expression = expression.map_err(|error| error.to_string())?;
    for (key, value) in all {
        let is_listed = list(options, option).any(|name| name == key);
        if is_listed || expression.as_ref().is_some_and(|it| it.is_match(key)) {
            found.insert(key.to_owned(), value.to_owned());
        }
    }
    Ok(())
}

fn list<'a>(options: &'a BTreeMap<String, String>, name: &str) -> impl Iterator<Item = &'a str> {
    let text = options.get(name).map(String::as_str).unwrap_or_default();
    text.split(',').filter(|word| !word.is_empty())
}

/// Replaces `{{.Field}}` in a tag; nothing else of a template is known here.
fn expand(template: &str, container: &Container) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        let (field, after) =
            after.split_once("}}").ok_or("template: log-tag:1: unclosed action")?;
        text.push_str(before);
        text.push_str(&field_value(field.trim(), container)?);
        rest = after;
    }
    text.push_str(rest);
    Ok(text)
}

fn field_value(field: &str, container: &Container) -> Result<String, String> {
    let image = container.image.strip_prefix("sha256:").unwrap_or(&container.image);
    Ok(match field {
        ".ID" => short_id(&container.id).to_owned(),
        ".FullID" => container.id.clone(),
        ".Name" => container.name.clone(),
        ".ImageID" => short_id(image).to_owned(),
        ".ImageFullID" => container.image.clone(),
        ".ImageName" => container.image_name.to_string(),
        ".DaemonName" => "docker".to_owned(),
        ".Command" => {
            let words = std::iter::once(&container.path).chain(&container.args);
            words.map(String::as_str).collect::<Vec<_>>().join(" ")
        }
        _ => return Err(format!("template: log-tag: the tag cannot have {{{{{field}}}}}")),
    })
}

#[cfg(test)]
mod tests {
    use super::attributes;
    use crate::model::{Config, Container};
    use std::collections::BTreeMap;

    fn read(options: &[(&str, &str)]) -> Result<String, String> {
        let text = |&(k, v): &(&str, &str)| (k.to_owned(), v.to_owned());
        let config = Config {
            env: vec!["E1=v=w".to_owned(), "E2=".to_owned()],
            labels: [("team", "x"), ("other", "y")].iter().map(text).collect(),
            ..Config::default()
        };
        let container = Container {
            id: "7ee1041ab64c4118d287f64290c0a520286ba32b64a2a492fd1c2b6e5fb4aaab".to_owned(),
            name: "l3".to_owned(),
            image: "sha256:0123456789abcdef".to_owned(),
            image_name: "alpine".into(),
            path: "sh".to_owned(),
            args: vec!["-c".to_owned(), "true".to_owned()],
            config,
            ..Container::default()
        };
        let options: BTreeMap<_, _> = options.iter().map(text).collect();
        attributes(&options, &container).map(|found| {
            found.iter().map(|(k, v)| format!("{k}={v}")).collect::<Vec<_>>().join(" ")
        })
    }

    #[test]
    fn chosen_labels_and_variables() {
        assert_eq!(read(&[]), Ok(String::new()));
        assert_eq!(
            read(&[("labels", "team,absent"), ("env", "E1,E2,E3")]),
            Ok("E1=v=w E2= team=x".to_owned())
        );
        assert_eq!(
            read(&[("labels-regex", "^o"), ("env", "E1"), ("env-regex", "2$")]),
            Ok("E1=v=w E2= other=y".to_owned())
        );
        assert!(read(&[("env-regex", "(")]).is_err());
    }

    #[test]
    fn tags() {
        assert_eq!(read(&[("tag", "{{.Name}}/{{ .ID }}")]), Ok("tag=l3/7ee1041ab64c".to_owned()));
        assert_eq!(
            read(&[("tag", "{{.ImageName}}:{{.ImageID}}:{{.Command}}!")]),
            Ok("tag=alpine:0123456789ab:sh -c true!".to_owned())
        );
        assert_eq!(
            read(&[("tag", "{{.Bogus}}")]),
            Err("template: log-tag: the tag cannot have {{.Bogus}}".to_owned())
        );
        assert_eq!(
            read(&[("tag", "{{.ID")]),
            Err("template: log-tag:1: unclosed action".to_owned())
        );
    }
}
