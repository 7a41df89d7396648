//! A plan as text: a line for each object, and below it what changes and how it rolls. Pure.

use coracle_swarm::model::service::{FailureAction, Order};
use coracle_swarm::plan::{Action, Change, Plan, Rollout, Step};
use coracle_words::duration;

/// Where the second column begins.
const INDENT: &str = "          ";

/// The lines of a plan.
#[must_use]
pub fn lines(plan: &Plan) -> Vec<String> {
    plan.steps.iter().flat_map(step).collect()
}

fn step(step: &Step) -> Vec<String> {
    let mut out = vec![format!("{:<9} {} {}", step.action, step.kind, step.name)];
    if !step.reason.is_empty() {
        out[0].push_str(&format!(": {}", step.reason));
    }
    let is_new = step.action == Action::Create;
    out.extend(step.changes.iter().map(|change| format!("{INDENT}{}", changed(change, is_new))));
    out.extend(step.rollout.as_ref().map(|rollout| format!("{INDENT}{}", rolled(rollout))));
    out
}

fn changed(Change { attribute, old, new }: &Change, is_new: bool) -> String {
    let told = |value: &Option<String>| match value.as_deref() {
        None => "unset".to_owned(),
        Some("") => "\"\"".to_owned(),
        Some(value) => value.to_owned(),
    };
    match is_new {
        true => format!("{attribute}: {}", told(new)),
        false => format!("{attribute}: {} → {}", told(old), told(new)),
    }
}

fn rolled(rollout: &Rollout) -> String {
    let mut how = vec![match rollout.parallelism {
        0 => "all at once".to_owned(),
        number => format!("{number} at a time"),
    }];
    how.push(
        match rollout.order {
            Order::StopFirst => "stop-first",
            Order::StartFirst => "start-first",
        }
        .to_owned(),
    );
    if rollout.delay > 0 {
        how.push(format!("{} between them", duration::format(rollout.delay)));
    }
    how.push(format!("each watched for {}", duration::format(rollout.monitor)));
    how.push(
        match rollout.failure_action {
            FailureAction::Pause => "paused when one fails",
            FailureAction::Continue => "going on when one fails",
            FailureAction::Rollback => "rolled back when one fails",
        }
        .to_owned(),
    );
    format!("rolls {}: {}", rollout.places.join(", "), how.join(", "))
}

#[cfg(test)]
mod tests {
    use coracle_swarm::plan::Kind;

    use super::*;

    #[test]
    fn a_plan_says_what_changes_and_how_it_rolls() {
        let change = |attribute: &str, old: Option<&str>, new: Option<&str>| Change {
            attribute: attribute.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
        };
        let mut plan = Plan::new("shop", false);
        let mut made = Step::new(Action::Create, Kind::Config, "shop_site");
        made.changes.push(change("content", None, Some("abc")));
        let mut rolled = Step::new(Action::Update, Kind::Service, "shop_web");
        rolled.changes.push(change("image", Some("web:1"), Some("web:2")));
        rolled.changes.push(change("env.A", None, Some("")));
        rolled.rollout = Some(Rollout {
            places: vec!["shop_web.2".to_owned(), "shop_web.1".to_owned()],
            parallelism: 1,
            order: Order::StartFirst,
            delay: 10_000_000_000,
            monitor: 5_000_000_000,
            failure_action: FailureAction::Rollback,
        });
        let job =
            Step::new(Action::Update, Kind::Service, "shop_job").because("the job runs again");
        plan.steps = vec![made, rolled, job, Step::new(Action::Keep, Kind::Service, "shop_db")];
        assert_eq!(
            lines(&plan),
            [
                "create    config shop_site",
                "          content: abc",
                "update    service shop_web",
                "          image: web:1 → web:2",
                "          env.A: unset → \"\"",
                "          rolls shop_web.2, shop_web.1: 1 at a time, start-first, 10s between them, \
                 each watched for 5s, rolled back when one fails",
                "update    service shop_job: the job runs again",
                "keep      service shop_db",
            ]
        );
    }
}
