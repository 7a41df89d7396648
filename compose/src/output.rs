//! What can be had of a loaded project beside its JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::Loaded;
use crate::stages::print::{Layout, as_written, project};
use crate::text::emit;
use crate::text::variables::{Variable, of_tree};
use crate::tree::Node;

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

    /// Names another image for a service.
    pub fn set_image(&mut self, service: &str, image: &str) {
        let node = self.tree.get_mut("services").and_then(|services| services.get_mut(service));
        if let Some(map) = node.and_then(Node::as_map_mut) {
            map.insert("image".to_owned(), Node::text(Default::default(), image));
        }
        if let Value::Object(map) = &mut self.project["services"][service] {
            map.insert("image".to_owned(), image.into());
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

/// Any value as YAML.
pub fn to_yaml(value: &Value) -> String {
    emit::document(value)
}
