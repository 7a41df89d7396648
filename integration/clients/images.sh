#!/bin/bash
# usage: images.sh FOLDER
# Makes the images that the clients' tests ask for, of Debian's static BusyBox and the Debian roots in FOLDER, and
# gives them the names they are asked for by: there is no registry behind these tests.
set -euo pipefail
roots=$1
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

# A root as Alpine's: BusyBox, a few users, and a command with which `FROM` alone can run.
mkdir -p "$root"/{bin,dev,etc,home,proc,root,run,sys,tmp,var/{lib/postgresql,opt}}
chmod 755 "$root"
chmod 1777 "$root/tmp"
cp /bin/busybox "$root/bin/busybox"
for applet in $(/bin/busybox --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
ln -s bin "$root/sbin"
mkdir -p "$root/usr"
ln -s ../bin "$root/usr/bin"
ln -s ../bin "$root/usr/sbin"
cat > "$root/etc/passwd" << 'END'
root:x:0:0:root:/root:/bin/sh
postgres:x:70:70:postgres:/var/lib/postgresql:/bin/sh
nobody:x:65534:65534:nobody:/:/bin/false
END
printf '%s\n' root:x:0: postgres:x:70: nobody:x:65534: > "$root/etc/group"
printf '%s\n' 'NAME="Alpine-like"' ID=alpine-like > "$root/etc/os-release"
tar -C "$root" --owner=0 --group=0 -c . |
    coracle import --change 'CMD ["/bin/sh"]' --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' - alpine:latest
for name in alpine:3.10 busybox:latest; do coracle tag alpine:latest "$name"; done
coracle run --rm coracle.local/hello > /dev/null
coracle tag coracle.local/hello hello-world:latest
coracle import --change 'CMD ["bash"]' "$roots/ubuntu.tar" ubuntu:latest
coracle import --change 'CMD ["redis-server", "--protected-mode", "no", "--save", ""]' --change 'EXPOSE 6379' \
    "$roots/redis.tar" redis:7
