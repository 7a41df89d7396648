//! What `service inspect` tells, in Docker's order.

use coracle_swarm::model::{Endpoint, Service, ServiceSpec};
use serde_json::Value;

use super::defaults::{as_told, with_defaults};
use crate::ViewError;
use crate::document::value_of;

/// A service with what holds where nothing was said. What is ours alone is left out.
///
/// # Errors
/// When it has no form in JSON.
pub fn document(service: &Service) -> Result<Value, ViewError> {
    told(service, with_defaults(&service.spec))
}

/// A service with nothing put in: an update of what this says changes nothing else.
///
/// # Errors
/// When it has no form in JSON.
pub fn bare_document(service: &Service) -> Result<Value, ViewError> {
    told(service, as_told(&service.spec))
}

fn told(service: &Service, spec: ServiceSpec) -> Result<Value, ViewError> {
    let mut told = service.clone();
    told.spec = spec;
    // Docker's manager gives an endpoint to what has ports or addresses alone.
    if told.endpoint.ports.is_empty() && told.endpoint.virtual_ips.is_empty() {
        told.endpoint = Endpoint::default();
    }
    if let Some(previous) = &mut told.previous_spec {
        **previous = as_told(previous);
    }
    without_own(value_of(&told)?)
}

/// An object without the member that only we know.
pub(crate) fn without_own(mut document: Value) -> Result<Value, ViewError> {
    if let Value::Object(members) = &mut document {
        members.shift_remove("Coracle");
    }
    Ok(document)
}

#[cfg(test)]
pub(super) mod tests {
    use coracle_swarm::model::{Meta, Mode, Version};
    use serde_json::json;

    use super::*;

    /// A service as a client makes it when nothing but image, arguments and replicas is said.
    pub(in crate::service) fn plain() -> Service {
        let spec = json!({
            "Name": "s1",
            "Labels": {},
            "TaskTemplate": {
                "ContainerSpec": {
                    "Image": "alpine:latest", "Args": ["sleep", "1000"], "Init": false, "DNSConfig": {},
                },
                "Resources": { "Limits": {}, "Reservations": {} },
                "Placement": {},
                "ForceUpdate": 0,
            },
            "Mode": { "Replicated": { "Replicas": 3 } },
            "EndpointSpec": { "Mode": "vip" },
        });
        let moment = "2026-11-20T23:50:54.694969775Z".parse().unwrap();
        let mut service = Service {
            id: "rl2ss5vguf4ir2ljaurfq1grb".to_owned(),
            meta: Meta { version: Version { index: 33 }, created_at: moment, updated_at: moment },
            spec: serde_json::from_value(spec).unwrap(),
            ..Service::default()
        };
        service.own.spec_version = 33;
        service
    }

    #[test]
    fn as_recorded_when_nothing_is_said() {
        let expected = r#"{"ID":"rl2ss5vguf4ir2ljaurfq1grb","Version":{"Index":33},"CreatedAt":"2026-11-20T23:50:54.694969775Z","UpdatedAt":"2026-11-20T23:50:54.694969775Z","Spec":{"Name":"s1","Labels":{},"TaskTemplate":{"ContainerSpec":{"Image":"alpine:latest","Args":["sleep","1000"],"Init":false,"StopGracePeriod":10000000000,"DNSConfig":{},"Isolation":"default"},"Resources":{"Limits":{},"Reservations":{}},"RestartPolicy":{"Condition":"any","Delay":5000000000,"MaxAttempts":0},"Placement":{},"ForceUpdate":0,"Runtime":"container"},"Mode":{"Replicated":{"Replicas":3}},"UpdateConfig":{"Parallelism":1,"FailureAction":"pause","Monitor":5000000000,"MaxFailureRatio":0,"Order":"stop-first"},"RollbackConfig":{"Parallelism":1,"FailureAction":"pause","Monitor":5000000000,"MaxFailureRatio":0,"Order":"stop-first"},"EndpointSpec":{"Mode":"vip"}},"Endpoint":{"Spec":{}}}"#;
        assert_eq!(document(&plain()).unwrap().to_string(), expected);
    }

    #[test]
    fn without_defaults_it_has_what_was_said() {
        let document = bare_document(&plain()).unwrap();
        assert!(document["Spec"].get("UpdateConfig").is_none());
        assert!(document["Spec"]["TaskTemplate"].get("RestartPolicy").is_none());
        assert_eq!(document["Spec"]["TaskTemplate"]["Runtime"], "container");
    }

    #[test]
    fn an_endpoint_without_ports_and_addresses_is_empty() {
        let mut service = plain();
        service.endpoint.spec = service.spec.endpoint_spec.clone().unwrap();
        assert_eq!(document(&service).unwrap()["Endpoint"], json!({ "Spec": {} }));
        service.endpoint.virtual_ips.push(coracle_swarm::model::VirtualIp::default());
        assert_eq!(document(&service).unwrap()["Endpoint"]["Spec"], json!({ "Mode": "vip" }));
    }

    #[test]
    fn the_previous_spec_has_nothing_put_in() {
        let mut service = plain();
        let mut previous = service.spec.clone();
        previous.mode = Mode::Global {};
        service.previous_spec = Some(Box::new(previous));
        let document = document(&service).unwrap();
        let previous = &document["PreviousSpec"];
        assert_eq!(previous["Mode"], json!({ "Global": {} }));
        assert_eq!(previous["TaskTemplate"]["Runtime"], "container");
        assert!(previous.get("UpdateConfig").is_none());
    }
}
