//! Services as lists show them.

use coracle_swarm::model::Service;
use coracle_swarm::state::State;
use coracle_view::service::{counts, mode_name, published, replicas};
use coracle_view::task::shown_image;

use crate::format::{Columns, Row, units};

pub(crate) const COLUMNS: Columns = Columns {
    titles: &[
        ("ID", "ID"),
        ("Name", "NAME"),
        ("Mode", "MODE"),
        ("Replicas", "REPLICAS"),
        ("Image", "IMAGE"),
        ("Ports", "PORTS"),
    ],
    table: "ID Name Mode Replicas Image Ports",
    quiet: "ID",
    raw: "id: {{.ID}}\nname: {{.Name}}\nmode: {{.Mode}}\nreplicas: {{.Replicas}}\nimage: {{.Image}}\n\
          ports: {{.Ports}}\n",
};

pub(crate) fn row(state: &State, service: &Service) -> Row {
    let mut row = Row::new("*service.serviceContext");
    row.set("ID", units::short_id(&service.id))
        .set("Name", service.spec.name.as_str())
        .set("Mode", mode_name(&service.spec.mode))
        .set("Replicas", replicas(service, counts(state, service)))
        .set("Image", shown_image(&service.spec.task_template.container_spec.image))
        .set("Ports", published(&service.endpoint.ports));
    row
}

#[cfg(test)]
mod tests {
    use coracle_swarm::model::PortConfig;
    use coracle_words::template::Fields as _;

    use super::*;
    use crate::format::Listing;

    fn service() -> Service {
        let mut service =
            Service { id: "dhso80dtyxwdd29o0gou1ffaj".to_owned(), ..Service::default() };
        service.spec.name = "full".to_owned();
        service.spec.task_template.container_spec.image = "alpine:latest".to_owned();
        service.endpoint.ports = vec![PortConfig {
            protocol: "tcp".to_owned(),
            target_port: 80,
            published_port: 8099,
            ..PortConfig::default()
        }];
        service
    }

    #[test]
    fn the_table_is_the_recorded_one() {
        let listing = Listing::new(&COLUMNS, None, false).unwrap();
        assert_eq!(
            listing.render([&row(&State::default(), &service())]).unwrap(),
            "ID             NAME      MODE         REPLICAS   IMAGE           PORTS\n\
             dhso80dtyxwd   full      replicated   0/1        alpine:latest   *:8099->80/tcp\n"
        );
        assert_eq!(
            row(&State::default(), &service()).json(),
            r#"{"ID":"dhso80dtyxwd","Image":"alpine:latest","Mode":"replicated","Name":"full","Ports":"*:8099-\u003e80/tcp","Replicas":"0/1"}"#
        );
    }
}
