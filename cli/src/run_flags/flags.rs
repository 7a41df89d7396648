//! The flags that `run` and `create` share.

use clap::ArgAction;
use coracle_runtime::model::Ulimit;

use super::attachment;
use super::attachment::Attachment;
use super::limits::{CpuFlags, MemoryFlags};
use super::run_values;
use crate::args::values;

// No doc comment: it would replace the description of the command it is part of.
#[derive(Debug, clap::Args)]
pub(crate) struct CreateFlags {
    /// Add a line to /etc/hosts, NAME:IP; host-gateway stands for the host
    #[arg(long, value_name = "list", value_parser = run_values::add_host)]
    pub(crate) add_host: Vec<String>,
    /// Annotation passed to the OCI runtime, key=value
    #[arg(long, value_name = "map")]
    pub(crate) annotation: Vec<String>,
    /// Stream to attach: stdin, stdout or stderr
    #[arg(long, short = 'a', value_name = "list")]
    pub(crate) attach: Vec<String>,
    /// Relative block-IO share, 10..1000; 0 leaves it unset
    #[arg(long, value_name = "uint16", value_parser = values::uint16)]
    pub(crate) blkio_weight: Option<u16>,
    /// Per-device IO weight as DEVICE:WEIGHT
    #[arg(long, value_name = "list")]
    pub(crate) blkio_weight_device: Vec<String>,
    /// Grant a Linux capability (with or without CAP_ prefix; ALL accepted)
    #[arg(long, value_name = "list")]
    pub(crate) cap_add: Vec<String>,
    /// Take away a Linux capability (ALL accepted)
    #[arg(long, value_name = "list")]
    pub(crate) cap_drop: Vec<String>,
    /// Cgroup under which the container cgroup is created (not supported)
    #[arg(long, value_name = "string")]
    pub(crate) cgroup_parent: Option<String>,
    /// Cgroup namespace: host or private; empty means the engine default
    #[arg(long, value_name = "string")]
    pub(crate) cgroupns: Option<String>,
    /// File that receives the new container id; refused when it already exists
    #[arg(long, value_name = "string")]
    pub(crate) cidfile: Option<String>,
    /// Number of CPUs (Windows containers only) (not supported)
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) cpu_count: Option<i64>,
    /// CPU percentage (Windows containers only) (not supported)
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) cpu_percent: Option<i64>,
    #[command(flatten)]
    pub(crate) cpu: CpuFlags,
    /// Host device as HOST[:CONTAINER[:rwm]] or a CDI name
    #[arg(long, value_name = "list")]
    pub(crate) device: Vec<String>,
    /// Raw device-cgroup allow rule such as "c 42:* rmw" (not supported)
    #[arg(long, value_name = "list")]
    pub(crate) device_cgroup_rule: Vec<String>,
    /// Read rate cap as DEVICE:RATE in bytes per second
    #[arg(long, value_name = "list")]
    pub(crate) device_read_bps: Vec<String>,
    /// Read rate cap as DEVICE:N in operations per second
    #[arg(long, value_name = "list")]
    pub(crate) device_read_iops: Vec<String>,
    /// Write rate cap as DEVICE:RATE in bytes per second
    #[arg(long, value_name = "list")]
    pub(crate) device_write_bps: Vec<String>,
    /// Write rate cap as DEVICE:N in operations per second
    #[arg(long, value_name = "list")]
    pub(crate) device_write_iops: Vec<String>,
    /// Name server address
    #[arg(long, value_name = "list", value_parser = run_values::ip)]
    pub(crate) dns: Vec<String>,
    /// Resolver option such as ndots:2
    #[arg(long, value_name = "list")]
    pub(crate) dns_option: Vec<String>,
    /// Search domain (. empties the list)
    #[arg(long, value_name = "list")]
    pub(crate) dns_search: Vec<String>,
    /// NIS domain name inside the UTS namespace
    #[arg(long, value_name = "string")]
    pub(crate) domainname: Option<String>,
    /// Replaces the ENTRYPOINT of the image; empty string clears it
    #[arg(long, value_name = "string")]
    pub(crate) entrypoint: Option<String>,
    /// Environment variable KEY=VALUE; a bare KEY takes the value from here
    #[arg(long, short = 'e', value_name = "list", value_parser = run_values::env)]
    pub(crate) env: Vec<String>,
    /// File of KEY=VALUE lines, later files win, --env wins over files
    #[arg(long, value_name = "list")]
    pub(crate) env_file: Vec<String>,
    /// Port or range recorded as exposed but not published
    #[arg(long, value_name = "list")]
    pub(crate) expose: Vec<String>,
    /// GPU request: all, a count, or device=/count=/capabilities= fields
    #[arg(long, value_name = "gpu-request")]
    pub(crate) gpus: Option<String>,
    /// Supplementary group name or id
    #[arg(long, value_name = "list")]
    pub(crate) group_add: Vec<String>,
    /// Shell command that replaces the image health test
    #[arg(long, value_name = "string")]
    pub(crate) health_cmd: Option<String>,
    /// Pause between two probes; 0 inherits from the image or 30s
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) health_interval: Option<i64>,
    /// Consecutive failures that turn the state unhealthy; 0 inherits or 3
    #[arg(long, value_name = "int", value_parser = values::int)]
    pub(crate) health_retries: Option<i64>,
    /// Probe interval while inside the start period; 0 inherits or 5s
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) health_start_interval: Option<i64>,
    /// Initial grace in which failures do not count; 0 inherits or 0s
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) health_start_period: Option<i64>,
    /// Longest time for one probe; 0 inherits or 30s
    #[arg(long, value_name = "duration", value_parser = values::duration)]
    pub(crate) health_timeout: Option<i64>,
    /// Host name inside the container
    #[arg(long, short = 'h', value_name = "string")]
    pub(crate) hostname: Option<String>,
    /// Put a small init as PID 1 that reaps children and forwards signals
    #[arg(long)]
    pub(crate) init: bool,
    /// Keep standard input open
    #[arg(long, short = 'i')]
    pub(crate) interactive: bool,
    /// System-drive bandwidth cap (Windows containers only) (not supported)
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) io_maxbandwidth: Option<i64>,
    /// System-drive IOPS cap (Windows containers only) (not supported)
    #[arg(long, value_name = "uint64", value_parser = values::int)]
    pub(crate) io_maxiops: Option<i64>,
    /// Fixed IPv4 address on a user-defined network
    #[arg(long, value_name = "ip", value_parser = run_values::own_ip)]
    pub(crate) ip: Option<String>,
    /// Fixed IPv6 address on a user-defined network
    #[arg(long, value_name = "ip", value_parser = run_values::own_ip)]
    pub(crate) ip6: Option<String>,
    /// IPC namespace: none, private, shareable, host or container:NAME
    #[arg(long, value_name = "string")]
    pub(crate) ipc: Option<String>,
    /// Isolation technology (default, process, hyperv; only default on Linux)
    #[arg(long, value_name = "string")]
    pub(crate) isolation: Option<String>,
    /// Label KEY=VALUE
    #[arg(long, short = 'l', value_name = "list")]
    pub(crate) label: Vec<String>,
    /// File of label lines
    #[arg(long, value_name = "list")]
    pub(crate) label_file: Vec<String>,
    /// Legacy link NAME[:ALIAS]
    #[arg(long, value_name = "list")]
    pub(crate) link: Vec<String>,
    /// Link-local address for the endpoint (not supported)
    #[arg(long, value_name = "list")]
    pub(crate) link_local_ip: Vec<String>,
    /// Log driver name
    #[arg(long, value_name = "string")]
    pub(crate) log_driver: Option<String>,
    /// Log driver option key=value
    #[arg(long, value_name = "list")]
    pub(crate) log_opt: Vec<String>,
    /// MAC address of the endpoint
    #[arg(long, value_name = "string")]
    pub(crate) mac_address: Option<String>,
    #[command(flatten)]
    pub(crate) memory: MemoryFlags,
    /// Kernel swappiness 0..100; -1 leaves the default (not supported)
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) memory_swappiness: Option<i64>,
    /// Mount in the form type=bind|volume|tmpfs,source=...,target=...[,readonly]
    #[arg(long, value_name = "mount", value_parser = run_values::mount)]
    pub(crate) mount: Vec<String>,
    /// Container name; generated when absent
    #[arg(long, value_name = "string")]
    pub(crate) name: Option<String>,
    /// Network: NAME, bridge, none, host, container:NAME, or name=…,alias=…,ip=…
    #[arg(long, value_name = "network", value_parser = attachment::network)]
    pub(crate) network: Vec<Attachment>,
    /// Extra DNS name of the container on the joined network
    #[arg(long, value_name = "list")]
    pub(crate) network_alias: Vec<String>,
    /// Switch off the health test, also one from the image
    #[arg(long)]
    pub(crate) no_healthcheck: bool,
    /// Exempt from the OOM killer (cgroup v1 only) (not supported)
    #[arg(long)]
    pub(crate) oom_kill_disable: bool,
    /// OOM score adjustment, -1000..1000
    #[arg(long, value_name = "int", value_parser = values::int)]
    pub(crate) oom_score_adj: Option<i64>,
    /// PID namespace: host or container:NAME
    #[arg(long, value_name = "string")]
    pub(crate) pid: Option<String>,
    /// Process-count cap; -1 is unlimited
    #[arg(long, value_name = "int64", value_parser = values::int)]
    pub(crate) pids_limit: Option<i64>,
    /// Platform to pull and run, os[/arch[/variant]]
    #[arg(long, value_name = "string")]
    pub(crate) platform: Option<String>,
    /// All capabilities and devices, no confinement
    #[arg(long)]
    pub(crate) privileged: bool,
    /// Publish a port: [IP:][HOST:]CONTAINER[/PROTO], ranges allowed
    #[arg(long, short = 'p', value_name = "list")]
    pub(crate) publish: Vec<String>,
    /// Publish each exposed port on a free host port
    #[arg(long, short = 'P')]
    pub(crate) publish_all: bool,
    /// When to pull: always, missing, never
    #[arg(long, value_name = "string")]
    pub(crate) pull: Option<String>,
    /// No pull progress
    #[arg(long, short = 'q')]
    pub(crate) quiet: bool,
    /// Mount the root filesystem read-only
    #[arg(long)]
    pub(crate) read_only: bool,
    /// Restart policy: no, on-failure[:N], always, unless-stopped
    #[arg(long, value_name = "string")]
    pub(crate) restart: Option<String>,
    /// Remove container and anonymous volumes at exit
    #[arg(long)]
    pub(crate) rm: bool,
    /// OCI runtime name
    #[arg(long, value_name = "string")]
    pub(crate) runtime: Option<String>,
    /// Security option: seccomp=, no-new-privileges, systempaths=unconfined
    #[arg(long, value_name = "list")]
    pub(crate) security_opt: Vec<String>,
    /// Size of /dev/shm; 0 means the engine default (64m)
    #[arg(long, value_name = "bytes", value_parser = values::bytes)]
    pub(crate) shm_size: Option<i64>,
    /// Signal sent first when stopping (image value or SIGTERM)
    #[arg(long, value_name = "string")]
    pub(crate) stop_signal: Option<String>,
    /// Seconds before SIGKILL when stopping (unset: 10; -1 waits for ever)
    #[arg(long, value_name = "int", value_parser = values::int)]
    pub(crate) stop_timeout: Option<i64>,
    /// Storage-driver option key=value (not supported)
    #[arg(long, value_name = "list")]
    pub(crate) storage_opt: Vec<String>,
    /// Namespaced kernel parameter key=value
    #[arg(long, value_name = "map", value_parser = run_values::sysctl)]
    pub(crate) sysctl: Vec<String>,
    /// In-memory mount PATH[:OPTIONS]
    #[arg(long, value_name = "list")]
    pub(crate) tmpfs: Vec<String>,
    /// Allocate a pseudo-terminal
    #[arg(long, short = 't')]
    pub(crate) tty: bool,
    /// Resource limit of a process, NAME=SOFT[:HARD]
    #[arg(long, value_name = "ulimit", value_parser = run_values::ulimit)]
    pub(crate) ulimit: Vec<Ulimit>,
    /// Mount the engine socket and registry credentials into the container (experimental) (not supported)
    #[arg(long)]
    pub(crate) use_api_socket: bool,
    /// User the process runs as, NAME or UID with optional :GROUP or :GID
    #[arg(long, short = 'u', value_name = "string")]
    pub(crate) user: Option<String>,
    /// User namespace: host, or empty for the engine default
    #[arg(long, value_name = "string")]
    pub(crate) userns: Option<String>,
    /// UTS namespace: host, or empty for a private one
    #[arg(long, value_name = "string")]
    pub(crate) uts: Option<String>,
    /// Mount [SOURCE:]TARGET[:OPTIONS]; path source is a bind, name is a volume
    #[arg(long, short = 'v', value_name = "list")]
    pub(crate) volume: Vec<String>,
    /// Driver for volumes made by -v
    #[arg(long, value_name = "string")]
    pub(crate) volume_driver: Option<String>,
    /// Copy the mounts of another container, NAME[:ro|rw]
    #[arg(long, value_name = "list")]
    pub(crate) volumes_from: Vec<String>,
    /// Working directory for the process
    #[arg(long, short = 'w', value_name = "string")]
    pub(crate) workdir: Option<String>,
    /// Hidden synonym of --dns-option
    #[arg(long, hide = true)]
    pub(crate) dns_opt: Vec<String>,
    /// Hidden synonym of --network
    #[arg(long, value_parser = attachment::network, hide = true)]
    pub(crate) net: Vec<Attachment>,
    /// Hidden synonym of --network-alias
    #[arg(long, hide = true)]
    pub(crate) net_alias: Vec<String>,
    /// Ignored, no effect (deprecated)
    #[arg(long, value_parser = values::bytes, hide = true)]
    pub(crate) kernel_memory: Option<i64>,
    /// Ignored, no effect (deprecated)
    #[arg(long, hide = true, default_value_t = true, action = ArgAction::Set)]
    pub(crate) disable_content_trust: bool,
}
