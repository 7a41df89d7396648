//! `RUN --device`.

use coracle_words::strconv::parse_bool;

use super::mount::fields;
use crate::similar::{did_you_mean, similar};
use crate::source::Fault;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    pub name: String,
    pub required: bool,
}

pub(super) fn read(text: &str) -> Result<Device, Fault> {
    let mut device = Device::default();
    let fields = fields(text).map_err(|why| why.within("failed to parse csv devices"))?;
    for field in fields {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_lowercase(), Some(value)),
            None => (field.to_lowercase(), None),
        };
        match (key.as_str(), value) {
            ("required", None) => device.required = true,
            ("required", Some(value)) => {
                let invalid = || Fault::new(format!("invalid value for {key}: {value}"));
                device.required = parse_bool(value).ok_or_else(invalid)?;
            }
            ("name", Some(_)) if !device.name.is_empty() => {
                return Err(Fault::new(format!("device name already set to {}", device.name)));
            }
            ("name", Some(value)) => value.clone_into(&mut device.name),
            // `VENDOR/CLASS=NAME` has one too.
            _ if device.name.is_empty() => device.name.clone_from(&field),
            (_, None) => {
                let why = format!("invalid field '{field}' must be a key=value pair");
                return Err(Fault::new(why));
            }
            (_, Some(_)) => {
                let why = format!("unexpected key '{key}' in '{field}'");
                return Err(Fault::new(did_you_mean(why, similar(&key, ["name", "required"]))));
            }
        }
    }
    Ok(device)
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_device_has_a_name_of_its_own_form() {
        let device = read("vendor.com/class=gpu,required").unwrap();
        assert_eq!((device.name.as_str(), device.required), ("vendor.com/class=gpu", true));
        assert_eq!(read("name=x,required=0").unwrap().name, "x");
        assert_eq!(
            read("x,nam=y").unwrap_err().message,
            "unexpected key 'nam' in 'nam=y' (did you mean name?)"
        );
    }
}
