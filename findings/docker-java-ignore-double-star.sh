#!/bin/bash
# docker-java sends files that .dockerignore excludes: `**/` does not match the top folder, a leading `/` nothing.
#
# Expected: Docker's reference on .dockerignore: `**` stands for any number of folders, also none, so `**/*.go` is about
# the root of the context too; and /foo/bar means what foo/bar means.
# Happens: `**` wants at least one folder, also in the middle (`d/**/*.o` does not match d/e.o), and `/slash` matches
# no file. Testcontainers and the build plugins that use docker-java send such files to the daemon.
# Versions: docker-java-core 3.5.3, Java 17. Seen 2026-11-30 (sent; right would be .dockerignore, Dockerfile, kept):
#   .dockerignore Dockerfile d/e.o kept slash top.log
source "$(dirname "$(realpath "$0")")/common.sh"
maven_packages com.github.docker-java:docker-java-core:3.5.3 org.slf4j:slf4j-nop:1.7.36
mkdir -p context/d/deep
echo 'FROM scratch' > context/Dockerfile
printf '%s\n' '**/*.log' /slash 'd/**/*.o' > context/.dockerignore
touch context/{kept,slash,top.log,d/inner.log,d/e.o,d/deep/f.o}
cat > Pack.java << 'EOF'
import com.github.dockerjava.core.dockerfile.Dockerfile;
import java.io.*;

public class Pack {
    public static void main(String[] none) throws Exception {
        Dockerfile file = new Dockerfile(new File("context/Dockerfile"), new File("context"));
        try (InputStream in = file.parse().buildDockerFolderTar(); OutputStream out = new FileOutputStream("context.tar.gz")) {
            in.transferTo(out);
        }
    }
}
EOF
javac -cp "$jars" Pack.java
java -cp "$jars" Pack
seen 'files of the context' '.dockerignore Dockerfile d/e.o kept slash top.log' \
    "$(python3 -c 'import tarfile; print(*sorted(tarfile.open("context.tar.gz").getnames()))')"
