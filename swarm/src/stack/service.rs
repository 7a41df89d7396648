//! The spec of a service, as `docker stack deploy` makes it of a file.

use serde_json::{Value, json};

use super::{
    IMAGE, StackError, duration, files, flag, labels, mounts, networks, pairs, scoped, task, text,
    texts,
};
use crate::edit;
use crate::model::container::DnsConfig;
use crate::model::service::{FailureAction, Order, Replicated, ReplicatedJob};
use crate::model::{
    ContainerSpec, EndpointMode, EndpointSpec, Mode, PortConfig, PublishMode, ServiceSpec,
    TaskSpec, UpdateConfig,
};

/// What names are looked up in; answers are ids, and the names that the objects have.
pub struct Known<'a> {
    pub secret: &'a dyn Fn(&str) -> Option<(String, String)>,
    pub config: &'a dyn Fn(&str) -> Option<(String, String)>,
}

/// A service of a stack.
#[derive(Debug, Clone, PartialEq)]
pub struct WantedService {
    pub name: String,
    /// Networks are named, not yet by their ids. An error is the engine's, which Docker asks when the service's turn
    /// comes.
    pub spec: Result<ServiceSpec, StackError>,
}

/// The services of a stack, by name.
///
/// # Errors
/// What Docker's client refuses, before any service is made.
pub fn services(
    config: &Value,
    stack: &str,
    known: &Known<'_>,
) -> Result<Vec<WantedService>, StackError> {
    let mut out = Vec::new();
    for (key, service) in config["services"].as_object().into_iter().flatten() {
        let name = scoped(stack, key);
        let spec = match of(key, service, config, stack, known) {
            Err(StackError::Client(words)) => {
                return StackError::client(format!("service {key}: {words}"));
            }
            spec => spec,
        };
        out.push(WantedService { name, spec });
    }
    out.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(out)
}

fn of(
    key: &str,
    service: &Value,
    config: &Value,
    stack: &str,
    known: &Known<'_>,
) -> Result<ServiceSpec, StackError> {
    let deploy = &service["deploy"];
    let secrets = files::secret_uses(service, config, stack, known)?;
    let configs = files::config_uses(service, config, stack, known)?;
    let mode = mode(deploy)?;
    let mounts = mounts::mounts(service, config, stack)?;
    let resources = task::resources(&deploy["resources"])?;
    let restart_policy = task::restart_policy(service);
    // What the client refuses comes before what the engine does.
    if let Err(StackError::Client(words)) = restart_policy {
        return StackError::client(words);
    }
    let healthcheck = task::health(&service["healthcheck"])?;
    let networks = networks::of_service(service, config, stack, key)?;
    let credentials = task::credential_spec(service, stack, &configs)?;
    let mut labels_of_service = labels(&deploy["labels"], stack);
    labels_of_service.insert(IMAGE.to_owned(), text(&service["image"]));
    let mut container = ContainerSpec {
        secrets,
        configs,
        mounts,
        healthcheck,
        privileges: Some(json!({
            "CredentialSpec": credentials, "SELinuxContext": null, "NoNewPrivileges": false,
        })),
        ..container(service, stack)
    };
    edit::capabilities(&mut container, &texts(&service["cap_add"]), &texts(&service["cap_drop"]));
    Ok(ServiceSpec {
        name: scoped(stack, key),
        labels: labels_of_service,
        task_template: TaskSpec {
            container_spec: container,
            resources: Some(resources),
            restart_policy: restart_policy?,
            placement: Some(task::placement(&deploy["placement"])),
            networks,
            log_driver: task::log_driver(&service["logging"]),
            ..TaskSpec::default()
        },
        mode,
        update_config: update(&deploy["update_config"], "update")?,
        rollback_config: update(&deploy["rollback_config"], "rollback")?,
        endpoint_spec: Some(endpoint(deploy, service)?),
    })
}

/// What stands in the file as in the spec.
fn container(service: &Value, stack: &str) -> ContainerSpec {
    ContainerSpec {
        image: task::image(&text(&service["image"])),
        labels: labels(&service["labels"], stack),
        command: texts(&service["entrypoint"]),
        args: texts(&service["command"]),
        hostname: text(&service["hostname"]),
        env: environment(&service["environment"]),
        dir: text(&service["working_dir"]),
        user: text(&service["user"]),
        init: service["init"].as_bool(),
        stop_signal: text(&service["stop_signal"]),
        tty: flag(&service["tty"]),
        open_stdin: flag(&service["stdin_open"]),
        read_only: flag(&service["read_only"]),
        stop_grace_period: duration(&service["stop_grace_period"]),
        hosts: texts(&service["extra_hosts"]).iter().filter_map(|entry| host(entry)).collect(),
        dns_config: Some(DnsConfig {
            nameservers: texts(&service["dns"]),
            search: texts(&service["dns_search"]),
            options: Vec::new(),
        }),
        isolation: text(&service["isolation"]),
        sysctls: pairs(&service["sysctls"]),
        ulimits: task::ulimits(&service["ulimits"]),
        oom_score_adj: service["oom_score_adj"].as_i64().unwrap_or_default(),
        ..ContainerSpec::default()
    }
}

/// `ADDRESS HOST` of `HOST:ADDRESS`.
fn host(entry: &str) -> Option<String> {
    entry.split_once(':').map(|(host, address)| format!("{address} {host}"))
}

/// Sorted; a name without a value is unset in the container.
fn environment(of: &Value) -> Vec<String> {
    let entry = |(name, value): (&String, &Value)| match value.as_str() {
        Some(value) => format!("{name}={value}"),
        None => name.clone(),
    };
    let mut out: Vec<String> = of.as_object().into_iter().flatten().map(entry).collect();
    out.sort();
    out
}

fn mode(deploy: &Value) -> Result<Mode, StackError> {
    let replicas = deploy["replicas"].as_u64();
    let mode = match deploy["mode"].as_str().unwrap_or_default() {
        "replicated" | "" => {
            return Ok(Mode::Replicated(Replicated { replicas: Some(replicas.unwrap_or(1)) }));
        }
        "replicated-job" => {
            let replicas = Some(replicas.unwrap_or(1));
            let job = ReplicatedJob { max_concurrent: replicas, total_completions: replicas };
            return Ok(Mode::ReplicatedJob(job));
        }
        "global" => Mode::Global {},
        "global-job" => Mode::GlobalJob {},
        other => return StackError::client(format!("unknown mode: {other}")),
    };
    match replicas {
        Some(_) => {
            StackError::client("replicas can only be used with replicated or replicated-job mode")
        }
        None => Ok(mode),
    }
}

fn update(of: &Value, what: &str) -> Result<Option<UpdateConfig>, StackError> {
    if !of.is_object() {
        return Ok(None);
    }
    let failure_action = match of["failure_action"].as_str().unwrap_or_default() {
        "" => None,
        "pause" => Some(FailureAction::Pause),
        "continue" => Some(FailureAction::Continue),
        "rollback" => Some(FailureAction::Rollback),
        other => return StackError::engine(format!("unrecognized {what} failure action {other}")),
    };
    let order = match of["order"].as_str().unwrap_or_default() {
        "" => None,
        "stop-first" => Some(Order::StopFirst),
        "start-first" => Some(Order::StartFirst),
        other => return StackError::engine(format!("unrecognized {what} order {other}")),
    };
    Ok(Some(UpdateConfig {
        parallelism: of["parallelism"].as_u64().unwrap_or(1),
        delay: duration(&of["delay"]).unwrap_or_default(),
        failure_action,
        monitor: duration(&of["monitor"]).unwrap_or_default(),
        max_failure_ratio: of["max_failure_ratio"].as_f64().unwrap_or_default(),
        order,
    }))
}

fn endpoint(deploy: &Value, service: &Value) -> Result<EndpointSpec, StackError> {
    let mode = match text(&deploy["endpoint_mode"]).to_lowercase().as_str() {
        "" => None,
        "vip" => Some(EndpointMode::Vip),
        "dnsrr" => Some(EndpointMode::Dnsrr),
        other => return StackError::engine(format!("invalid EndpointSpec mode: {other:?}")),
    };
    let mut ports = Vec::new();
    for port in service["ports"].as_array().into_iter().flatten() {
        let number = |key: &str| port[key].as_u64().unwrap_or_default();
        let small = |key: &str| {
            u16::try_from(number(key))
                .map_err(|_| StackError::Engine(format!("invalid port {key}: {}", number(key))))
        };
        ports.push(PortConfig {
            name: String::new(),
            protocol: text(&port["protocol"]),
            target_port: small("target")?,
            published_port: small("published")?,
            publish_mode: match port["mode"].as_str().unwrap_or_default() {
                "" => None,
                "ingress" => Some(PublishMode::Ingress),
                "host" => Some(PublishMode::Host),
                other => {
                    return StackError::engine(format!("invalid PublishMode of a port: {other:?}"));
                }
            },
        });
    }
    ports.sort_by(|a, b| {
        let key =
            |port: &PortConfig| (port.published_port, port.target_port, port.protocol.clone());
        key(a).cmp(&key(b))
    });
    Ok(EndpointSpec { mode, ports })
}
