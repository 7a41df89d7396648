#!/bin/bash
# A line break within one `auth` of a Docker configuration costs docker-java the whole file and Jib that registry.
#
# Expected: the credential. Docker decodes `auth` with Go's base64, which skips line breaks, so files made by
# `base64` (a break after 76 characters and at the end) are read; docker-py reads them too.
# Happens: both use Java's strict decoder. docker-java decodes all entries when it loads the file, so other
# registries' entries are lost with it; Jib decodes the one that is asked for.
# Versions: docker-java-core 3.5.3, jib-core 0.27.3, Java 17, docker 7.1.0 (PyPI). Seen 2026-11-30:
#   IllegalArgumentException: Illegal base64 character a
source "$(dirname "$(realpath "$0")")/common.sh"
maven_packages com.github.docker-java:docker-java-core:3.5.3 com.google.cloud.tools:jib-core:0.27.3
pip_packages docker==7.1.0
mkdir config
printf '%s\n' '{"auths": {"good.example": {"auth": "YTpi"}, "line.example": {"auth": "YTpi\n"}}}' > config/config.json
cat > Read.java << 'EOF'
import com.fasterxml.jackson.databind.ObjectMapper;
import com.github.dockerjava.core.DockerConfigFile;
import com.google.cloud.tools.jib.api.ImageReference;
import com.google.cloud.tools.jib.frontend.CredentialRetrieverFactory;
import java.nio.file.Path;
import java.util.concurrent.Callable;

public class Read {
    static void tell(String what, Callable<Object> read) {
        try {
            System.out.println(what + ": " + read.call());
        } catch (Exception e) {
            System.out.println(what + ": " + e.getClass().getSimpleName() + ": " + e.getMessage());
        }
    }

    static Object jib(String host) throws Exception {
        return CredentialRetrieverFactory.forImage(ImageReference.of(host, "app", "1"), event -> {})
            .dockerConfig(Path.of("config/config.json")).retrieve().get().getUsername();
    }

    public static void main(String[] none) {
        tell("docker-java good.example", () -> DockerConfigFile.loadConfig(new ObjectMapper(), "config")
            .resolveAuthConfig("good.example").getUsername());
        tell("jib good.example", () -> jib("good.example"));
        tell("jib line.example", () -> jib("line.example"));
    }
}
EOF
javac -cp "$jars" Read.java
seen docker-py a "$("$python" -c '
from docker import auth
print(auth.load_config("config/config.json").resolve_authconfig("line.example")["username"])')"
seen 'docker-java and Jib' 'docker-java good.example: IllegalArgumentException: Illegal base64 character a
jib good.example: a
jib line.example: IllegalArgumentException: Illegal base64 character a' "$(java -cp "$jars" Read 2> /dev/null)"
