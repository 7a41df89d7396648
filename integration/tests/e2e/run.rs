//! `run` and `create`: what the command line promises.

use coracle_integration::recorded;

recorded! {
    "run.md":
    exit_codes = "Exit codes",
    wrong_use = "Wrong use",
    names_and_failed_starts = "Names and failed starts",
    streams_and_the_cidfile = "Streams and the cidfile",
    create_and_start = "create and start",
    environment = "Environment",
    working_directory = "Working directory",
    users_and_groups = "Users and groups",
    entrypoint = "Entrypoint",
    init_ulimits_read_only_sysctls = "Init, ulimits, read-only, sysctls",
    hostname_hosts_resolv_conf = "Hostname, hosts, resolv.conf",
    capabilities_seccomp_security_options = "Capabilities, seccomp, security options",
    namespace_sharing = "Namespace sharing",
}
