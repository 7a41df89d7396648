#!/bin/bash
# docker-java drops `rslave`, `rshared` and `rprivate` from a bind mount, and refuses no word at all.
#
# Expected: Docker's reference has six words for propagation: `[r]shared`, `[r]slave`, `[r]private`; the recursive ones
# are the usual ones, `rprivate` is the default. Bind.parse is also what reads `HostConfig.Binds` of an inspection.
# Happens: only `shared`, `slave` and `private` are known; any other word is dropped without an error, so a copy of a
# container's settings mounts without propagation. The write-back of `/a:/b:ro,rslave` is `/a:/b:ro`.
# Versions: docker-java-core 3.5.3, Java 17. Seen 2026-11-30:
#   /a:/b:slave -> /a:/b:rw,slave
#   /a:/b:rslave -> /a:/b:rw
#   /a:/b:ro,rshared -> /a:/b:ro
source "$(dirname "$(realpath "$0")")/common.sh"
maven_packages com.github.docker-java:docker-java-core:3.5.3
cat > Read.java << 'EOF'
import com.github.dockerjava.api.model.Bind;

public class Read {
    public static void main(String[] binds) {
        for (String bind : binds) System.out.println(bind + " -> " + Bind.parse(bind));
    }
}
EOF
javac -cp "$jars" Read.java
seen 'binds read and written' '/a:/b:slave -> /a:/b:rw,slave
/a:/b:rslave -> /a:/b:rw
/a:/b:ro,rshared -> /a:/b:ro' "$(java -cp "$jars" Read /a:/b:slave /a:/b:rslave /a:/b:ro,rshared)"
