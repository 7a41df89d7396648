#!/bin/bash
# Jib reads `alpine` as library/alpine and `docker.io/alpine` as alpine, and prints both alike.
#
# Expected: one image. The reference grammar's normalization (github.com/distribution/reference) gives
# docker.io/library/alpine for both, and users and Compose files write both.
# Happens: with the registry named, `library/` is not added, so another repository is asked for. toString() leaves out
# the registry, so that its text, read again, is library/alpine. `index.docker.io/alpine` is a registry of its own.
# Versions: jib-core 0.27.3, Java 17. Seen 2026-11-30:
#   alpine -> registry-1.docker.io library/alpine, printed as alpine
#   docker.io/alpine -> registry-1.docker.io alpine, printed as alpine
source "$(dirname "$(realpath "$0")")/common.sh"
maven_packages com.google.cloud.tools:jib-core:0.27.3
cat > Read.java << 'EOF'
import com.google.cloud.tools.jib.api.ImageReference;

public class Read {
    public static void main(String[] names) throws Exception {
        for (String name : names) {
            ImageReference r = ImageReference.parse(name);
            System.out.println(name + " -> " + r.getRegistry() + " " + r.getRepository() + ", printed as " + r);
        }
    }
}
EOF
javac -cp "$jars" Read.java
seen 'one image by three names' 'alpine -> registry-1.docker.io library/alpine, printed as alpine
docker.io/alpine -> registry-1.docker.io alpine, printed as alpine
index.docker.io/alpine -> index.docker.io alpine, printed as index.docker.io/alpine' \
    "$(java -cp "$jars" Read alpine docker.io/alpine index.docker.io/alpine)"
