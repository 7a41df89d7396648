//! The tests of Docker's peers and of Docker itself, replayed: `recorded/peers/*.md`.
//!
//! Which of their tests stand where, and which do not and why, is told by those files and
//! `recorded/peers/rest.tsv`; `scripts/peers` counts them.

mod terminals;

mod moby_run {
    use coracle_integration::recorded;

    recorded! {
        "peers/moby-run.md":
        echo_exit_codes_and_ids = "Echo, exit codes and ids",
        standard_input = "Standard input",
        working_directory_and_users = "Working directory and users",
        environment = "Environment",
        hostname_hosts_and_resolv_conf = "Hostname, hosts and resolv.conf",
        capabilities = "Capabilities",
        what_is_read_only = "What is read-only",
        bind_mounts = "Bind mounts",
        volumes = "Volumes",
        volumes_and_images = "Volumes and images",
        special_files_are_not_in_the_image = "Special files are not in the image",
        devices = "Devices",
        limits_shm_and_tmpfs = "Limits, shm and tmpfs",
        seccomp = "Seccomp",
        stop_signal = "Stop signal",
        networks_of_containers = "Networks of containers",
        networks_shared = "Networks shared",
        namespaces_of_others = "Namespaces of others",
        ports = "Ports",
    }
}

mod moby_containers {
    use coracle_integration::recorded;

    recorded! {
        "peers/moby-containers.md":
        ps_order_limits_since_and_before = "ps: order, limits, since and before",
        ps_filters = "ps: filters",
        ps_images_ports_and_mounts = "ps: images, ports and mounts",
        port = "port",
        create = "create",
        exec = "exec",
        start_and_attach = "start and attach",
    }
}

mod moby_images {
    use coracle_integration::recorded;

    recorded! {
        "peers/moby-images.md":
        rmi_tags_and_force = "rmi: tags and force",
        save_and_load = "save and load",
        commit = "commit",
        events = "Events",
        inspect = "inspect",
        volumes = "Volumes",
    }
}

mod moby_networks {
    use coracle_integration::recorded;

    recorded! {
        "peers/moby-networks.md":
        networks_names_filters_removal = "Networks: names, filters, removal",
        networks_connect_and_disconnect = "Networks: connect and disconnect",
        networks_addresses_names_and_reach = "Networks: addresses, names and reach",
        cp_out_of_a_container = "cp out of a container",
        cp_into_a_container = "cp into a container",
    }
}

mod compose_lifecycle {
    use coracle_integration::recorded;

    recorded! {
        "peers/compose-lifecycle.md":
        start_and_stop = "Start and stop",
        start_stop_and_dependencies = "Start, stop and dependencies",
        services_of_other_files = "Services of other files",
        restart = "Restart",
        the_first_that_ends = "The first that ends",
        what_up_shows = "What up shows",
        what_follows = "What follows",
        ctrl_c = "Ctrl-C",
    }
}

mod compose_rest {
    use coracle_integration::recorded;

    recorded! {
        "peers/compose-rest.md":
        up = "Up",
        without_dependencies = "Without dependencies",
        orphans_and_containers_of_run = "Orphans and containers of run",
        hooks = "Hooks",
        wait = "Wait",
        scale = "Scale",
        profiles = "Profiles",
        watch = "Watch",
        more_of_it = "More of it",
    }
}

mod compose_files {
    use coracle_integration::recorded;

    recorded! {
        "peers/compose-files.md":
        builds = "Builds",
        variables = "Variables",
        configs_secrets_and_volumes = "Configs, secrets and volumes",
        networks_and_namespaces = "Networks and namespaces",
        run_copy_list = "Run, copy, list",
    }
}

mod podman_run {
    use coracle_integration::recorded;

    recorded! {
        "peers/podman-run.md":
        run_basics = "run: basics",
        run_files_limits_and_options = "run: files, limits and options",
        signals_to_run_start_and_attach = "Signals to run, start and attach",
        logs = "logs",
        ps_start_stop = "ps, start, stop",
        rm_kill_pause_wait = "rm, kill, pause, wait",
    }
}

mod podman_rest {
    use coracle_integration::recorded;

    recorded! {
        "peers/podman-rest.md":
        images_and_tags = "Images and tags",
        cp = "cp",
        exec_and_top = "exec and top",
        volumes_and_mounts = "Volumes and mounts",
        networks = "Networks",
        load_import_export_diff = "Load, import, export, diff",
        events_health_checks_update = "Events, health checks, update",
        command_lines_and_formats = "Command lines and formats",
    }
}

mod nerdctl {
    use coracle_integration::recorded;

    recorded! {
        "peers/nerdctl.md":
        attach_exec_and_terminals = "attach, exec and terminals",
        cp_and_read_only_places = "cp and read-only places",
        inspect = "inspect",
        logs = "logs",
        life_of_a_container = "Life of a container",
        run_users_groups_capabilities = "run: users, groups, capabilities",
        run_the_command_line = "run: the command line",
        mounts = "Mounts",
        networks_and_names = "Networks and names",
        images = "Images",
    }
}
