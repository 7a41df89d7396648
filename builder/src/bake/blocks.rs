//! Blocks of files to targets and groups; a matrix to one target for each of its combinations.

use std::collections::BTreeMap;

use super::error::BakeError;
use super::eval::{Evaluator, Locals};
use super::limits::MATRIX_MAX;
use super::syntax::Block;
use super::target::{Target, texts};
use super::value::Value;
use super::{Config, Group};

impl Evaluator<'_> {
    pub(super) fn blocks(&self, config: &mut Config) -> Result<(), BakeError> {
        // What a matrix made of a name.
        let mut renamed: Vec<(String, Vec<String>)> = Vec::new();
        for block in &self.definitions.blocks {
            let fault = |why| BakeError::new(block.place.clone(), why);
            valid_name(&block.label).map_err(fault)?;
            if let Some(inner) = block.body.blocks.first() {
                return Err(fault(super::scope::unexpected(&inner.kind)));
            }
            if block.kind == "group" {
                config.add_group(self.group(block)?);
                continue;
            }
            let mut names = Vec::new();
            for locals in self.matrix(block)? {
                let target = self.target(block, &locals)?;
                if names.contains(&target.name) {
                    return Err(fault(format!("duplicate name {:?}", target.name)));
                }
                names.push(target.name.clone());
                config.add_target(target);
            }
            match renamed.iter_mut().find(|(label, _)| *label == block.label) {
                Some((_, all)) => all.extend(names),
                None => renamed.push((block.label.clone(), names)),
            }
        }
        for (label, mut names) in renamed {
            let mut seen = std::collections::BTreeSet::new();
            names.retain(|name| seen.insert(name.clone()));
            if names != [label.clone()] {
                config.groups.push(Group { name: label, targets: names, ..Group::default() });
            }
        }
        Ok(())
    }

    fn group(&self, block: &Block) -> Result<Group, BakeError> {
        let mut group = Group { name: block.label.clone(), ..Group::default() };
        let mut seen = false;
        for attribute in &block.body.attributes {
            let fault = |why| BakeError::new(attribute.place.clone(), why);
            let value = self.value(&attribute.expression, &Locals::default()).map_err(fault)?;
            match attribute.name.as_str() {
                "targets" => {
                    group.targets = texts("targets", &value).map_err(fault)?;
                    seen = true;
                }
                "description" => group.description = value.text().unwrap_or_default(),
                name @ ("matrix" | "name") => {
                    return Err(fault(format!("{name} is not supported for groups")));
                }
                other => return Err(fault(super::scope::unexpected(other))),
            }
        }
        if !seen {
            let why = "Missing required argument; the argument \"targets\" is required, but no definition was found";
            return Err(BakeError::new(block.place.clone(), why.to_owned()));
        }
        Ok(group)
    }

    /// The names that each target of a block knows.
    fn matrix(&self, block: &Block) -> Result<Vec<Locals<'static>>, BakeError> {
        let Some(attribute) = block.body.get("matrix") else {
            return Ok(vec![Locals::default()]);
        };
        let fault = |why: &str| BakeError::new(attribute.place.clone(), why.to_owned());
        let value = self.value(&attribute.expression, &Locals::default());
        let Value::Map(matrix) = value.map_err(|why| fault(&why))? else {
            return Err(fault("matrix must be a map"));
        };
        let mut all: Vec<BTreeMap<String, Value>> = vec![BTreeMap::new()];
        for (name, values) in matrix {
            let values = values.parts().ok_or_else(|| fault("matrix values must be a list"))?;
            if all.len().saturating_mul(values.len()) > MATRIX_MAX {
                return Err(fault("the matrix has too many combinations"));
            }
            let with = |value: &Value| {
                let name = name.clone();
                let value = value.clone();
                all.iter().map(move |one| {
                    let mut one = one.clone();
                    one.insert(name.clone(), value.clone());
                    one
                })
            };
            all = values.iter().flat_map(with).collect();
        }
        Ok(all.into_iter().map(|values| Locals { outer: None, values }).collect())
    }

    fn target(&self, block: &Block, locals: &Locals<'_>) -> Result<Target, BakeError> {
        let mut target = Target { name: block.label.clone(), ..Target::default() };
        for attribute in &block.body.attributes {
            let fault = |why| BakeError::new(attribute.place.clone(), why);
            if attribute.name == "matrix" {
                continue;
            }
            let value = self.value(&attribute.expression, locals).map_err(fault)?;
            if attribute.name == "name" {
                if block.body.get("matrix").is_none() {
                    return Err(fault("name requires matrix".to_owned()));
                }
                target.name = value.text().ok_or_else(|| fault("name must be text".to_owned()))?;
                valid_name(&target.name).map_err(fault)?;
            }
            target.set(&attribute.name, &value).map_err(fault)?;
        }
        Ok(target)
    }
}

fn valid_name(name: &str) -> Result<(), String> {
    let is_valid = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    if !name.is_empty() && name.chars().all(is_valid) {
        return Ok(());
    }
    Err(format!("Invalid name; only \"[a-zA-Z0-9_-]+\" are allowed, not {name:?}"))
}
