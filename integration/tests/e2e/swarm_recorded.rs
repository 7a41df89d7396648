//! Swarm mode as Docker was recorded in it.

mod begin {
    use coracle_integration::recorded;

    recorded! {
        "swarm-begin.md":
        before_init = "Before init",
        init = "init",
        node = "node",
        secrets_and_configs = "Secrets and configs",
        one_per_reference = "One secret or config per reference",
    }
}

mod stacks {
    use coracle_integration::recorded;

    recorded! {
        "swarm-stacks.md":
        stacks = "Stacks",
    }
}

mod more_stacks {
    use coracle_integration::recorded;

    recorded! {
        "swarm-stacks-more.md":
        create_without_a_registry = "service create, with a registry that is not there",
        stacks = "Stacks, the rest",
        named_volume = "A stack with a named volume",
    }
}

mod settings {
    use coracle_integration::recorded;

    recorded! {
        "swarm-settings.md":
        making = "Making the cluster",
        locking = "Locking managers",
        settings = "Certificates and swarm update",
    }
}

mod one_node {
    use coracle_integration::recorded;

    recorded! {
        "swarm.md":
        create_ls_ps_inspect = "service create, ls, ps, inspect",
        templates_jobs_global = "Templates, jobs, global",
        unsatisfiable = "Unsatisfiable placement and reservations",
        failures = "Image and command failures",
        networks = "Networks and endpoint modes",
        leaving = "Leaving",
        names = "Names in overlay networks",
    }
}

mod changes {
    use coracle_integration::recorded;

    recorded! {
        "swarm-update.md":
        scale_update_rollback = "logs, scale, update, rollback, history",
        health_and_restart = "Health checks and restart policy",
        availability = "Node availability",
    }
}

mod machines {
    use coracle_integration::recorded;

    recorded! {
        "swarm-machines.md":
        making = "Making the cluster",
        managers = "Several managers",
        anew = "--force-new-cluster",
        locking = "Locking managers",
        leaving = "Leaving",
    }
}

mod nodes {
    use coracle_integration::recorded;

    recorded! {
        "swarm-nodes.md":
        node_commands = "node commands over several nodes",
        which_node = "Which node gets which replica",
        constraints = "Constraints",
        spread = "Spread preferences, limits per node, reservations",
        drain_and_pause = "Drain, pause, active",
        global = "Global services",
        jobs = "Jobs over nodes",
        killed = "A task container is killed on its node",
        managers = "Several managers",
    }
}

mod overlay {
    use coracle_integration::recorded;

    recorded! {
        "swarm-overlay.md":
        overlay = "One overlay network over three nodes",
        which_node = "Which node gets which replica",
        drain = "Drain, pause, active",
        killed = "A task container is killed on its node",
        node_commands = "node commands",
        addresses = "Addresses and ways out",
    }
}

mod registry {
    use coracle_integration::{
        TestEnv, case,
        registry::{Door, Registry},
        skip,
        skip::program,
    };

    const RECORDED: &str =
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/recorded/swarm-registry.md"));

    #[test]
    fn digests_and_credentials() {
        if program("docker-registry").is_none() {
            skip!("docker-registry is not installed");
        }
        let env = TestEnv::new();
        let open = Registry::start(&env, Door::Plain);
        let closed = Registry::start(&env, Door::Password);
        let text = RECORDED.replace("OPEN", open.address()).replace("CLOSED", closed.address());
        let [section] = case::sections(&text)[..] else { panic!("it has one section") };
        case::run_section(&env, &text, section);
    }
}

mod labs {
    use coracle_integration::recorded;

    recorded! {
        "swarm-labs.md":
        stack = "A stack over nodes",
        ports_and_volumes = "Host-mode ports, volumes and bind mounts",
        labels = "Labels with dots, a secret on workers, redeploy",
    }
}
