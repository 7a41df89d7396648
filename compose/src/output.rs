//! What can be had of a loaded project beside its JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::Loaded;
use crate::stages::print::{Layout, as_written, project};
use crate::text::emit;
use crate::text::variables::{Variable, of_tree};
use crate::tree::{Node, Value as TreeValue};

impl Loaded {
    /// The project as YAML, in the layout of Docker Compose.
    pub fn yaml(&self) -> String {
        if self.typed {
            emit::document(&project(&self.tree, Layout::Yaml))
        } else {
            emit::document(&as_written(&self.tree))
        }
    }

    /// The variables that the files mention, when they were loaded without interpolation.
    pub fn variables(&self) -> BTreeMap<String, Variable> {
        let mut out = BTreeMap::new();
        of_tree(&self.tree, &mut out);
        out
    }

    /// The services, in `project` too, by name.
    pub fn services(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.project["services"].as_object().into_iter().flatten()
    }

    /// The image of a service: its own, or the name under which it is built.
    pub fn image(&self, name: &str, service: &Value) -> String {
        match service["image"].as_str().filter(|image| !image.is_empty()) {
            Some(image) => image.to_owned(),
            None => format!("{}{}{name}", self.name, self.separator()),
        }
    }

    /// What joins the project, the service and the number in names of containers and images.
    pub fn separator(&self) -> char {
        if self.compatibility { '_' } else { '-' }
    }

    /// The platform of services that name none.
    pub fn default_platform(&self) -> Option<&str> {
        let given = self.environment.get("DOCKER_DEFAULT_PLATFORM")?;
        Some(given.as_str()).filter(|platform| !platform.is_empty())
    }

    /// The images of a service's `pre_start` steps that are not its own.
    pub fn step_images(&self, name: &str, service: &Value) -> Vec<String> {
        let own = self.image(name, service);
        let steps = service["pre_start"].as_array().into_iter().flatten();
        let images = steps.filter_map(|step| step["image"].as_str());
        images.filter(|image| !image.is_empty() && *image != own).map(str::to_owned).collect()
    }

    /// Gives images, of services and of their `pre_start` steps, other names.
    pub fn set_images(&mut self, names: &BTreeMap<String, String>) {
        let services = self.tree.get_mut("services").and_then(Node::as_map_mut);
        for service in services.into_iter().flat_map(|map| map.values_mut()) {
            rename_node(service, names);
            if let Some(TreeValue::List(steps)) =
                service.get_mut("pre_start").map(|node| &mut node.value)
            {
                steps.iter_mut().for_each(|step| rename_node(step, names));
            }
        }
        let services = self.project["services"].as_object_mut();
        for service in services.into_iter().flat_map(|map| map.values_mut()) {
            rename_value(service, names);
            let steps = service.get_mut("pre_start").and_then(Value::as_array_mut);
            steps.into_iter().flatten().for_each(|step| rename_value(step, names));
        }
    }

    /// An override file that holds the images of the services and nothing else.
    pub fn images_only(&self) -> Value {
        let image = |(name, service): (&String, &Value)| {
            let mut entry = Map::new();
            entry.extend(service.get("image").map(|image| ("image".to_owned(), image.clone())));
            (name.clone(), Value::Object(entry))
        };
        json!({ "services": self.services().map(image).collect::<Map<_, _>>() })
    }
}

fn rename_node(node: &mut Node, names: &BTreeMap<String, String>) {
    let Some(image) = node.get_mut("image") else { return };
    if let Some(name) = image.as_text().and_then(|name| names.get(name)) {
        image.value = TreeValue::Text(name.clone());
    }
}

fn rename_value(value: &mut Value, names: &BTreeMap<String, String>) {
    let Some(image) = value.get_mut("image") else { return };
    if let Some(name) = image.as_str().and_then(|name| names.get(name)) {
        *image = name.clone().into();
    }
}

/// Any value as YAML.
pub fn to_yaml(value: &Value) -> String {
    emit::document(value)
}
