//! Compose: up, down, ps, ls, logs, the verbs between, plan and why.

use coracle_integration::recorded;

recorded! {
    "compose.md":
    up_and_down = "up and down",
    ps_and_ls = "ps and ls",
    verbs = "start, stop, restart, pause, kill, rm, create, scale",
    recreate_rules = "recreate rules",
    depends_on_conditions = "depends_on conditions",
    attached_up_and_logs = "attached up and logs",
    failures_during_up = "failures during up",
    secrets_and_configs = "secrets and configs",
    plan = "plan",
}
