#!/bin/bash
# docker-java cannot list the services of a swarm once one of them was created with `--group`.
#
# Expected: the list. Groups has been a list in the API since services can have it (1.25), and what its models do not
# know docker-java keeps as raw values, so that the same service without a group comes back with every field.
# Happens: `Groups` is a String in its ContainerSpec, and Jackson refuses the list: inspectServiceCmd for this service,
# and listServicesCmd for all of them, since one exception ends the reading of the array. A cluster volume of a service
# (mount type `cluster`, API 1.42) does the same: MountType has no such value.
# Versions: docker-java-core 3.5.3, Java 17. Seen 2026-11-30:
#   none: 2 services
#   group: MismatchedInputException ["Groups"]
#   cluster: InvalidFormatException ["Type"]
source "$(dirname "$(realpath "$0")")/common.sh"
maven_packages com.github.docker-java:docker-java-core:3.5.3 org.slf4j:slf4j-nop:1.7.36
cat > Read.java << 'EOF'
import com.fasterxml.jackson.databind.*;
import com.github.dockerjava.api.model.Service;
import com.github.dockerjava.core.DefaultDockerClientConfig;

public class Read {
    static final ObjectMapper mapper = DefaultDockerClientConfig.createDefaultConfigBuilder().build().getObjectMapper();

    static void list(String name, String fields) {
        String services = "[{'ID': 'a'}, {'ID': 'b', 'Spec': {'TaskTemplate': {'ContainerSpec': {'Image': 'app'" + fields + "}}}}]";
        try {
            System.out.println(name + ": " + mapper.readValue(services.replace('\'', '"'), Service[].class).length + " services");
        } catch (Exception e) {
            String message = e.getMessage();
            System.out.println(name + ": " + e.getClass().getSimpleName() + " " + message.substring(message.lastIndexOf('[')).replace(")", ""));
        }
    }

    public static void main(String[] none) {
        list("none", "");
        list("group", ", 'Groups': ['10']");
        list("cluster", ", 'Mounts': [{'Type': 'cluster', 'Source': 'group:g', 'Target': '/data'}]");
    }
}
EOF
javac -cp "$jars" Read.java
seen 'lists read' 'none: 2 services
group: MismatchedInputException ["Groups"]
cluster: InvalidFormatException ["Type"]' "$(java -cp "$jars" Read)"
