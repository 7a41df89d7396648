#!/bin/bash
# systemd-unit-edit keeps what a drop-in takes back, and takes away the ports that a drop-in of a quadlet adds to.
#
# Expected: systemd.exec(5) of Environment: an empty string resets the list, other lines add to it. Podman merges
# `web.container.d/*.conf` by the same rule; PublishPort and Volume are lists too.
# Happens: merge_dropin leaves the empty assignment out, so that the old variables stay beside the new one. What is not
# in its table of lists is replaced: none of the quadlet keys is in it, so one more port is the only port. The
# specifiers %n and %N are each other's (systemd.unit(5): %n is with the suffix), and `5m` is "invalid time unit".
# Versions: systemd-unit-edit 0.1.0 (PyPI), Python 3.11. Seen 2026-11-30: the lines below.
source "$(dirname "$(realpath "$0")")/common.sh"
pip_packages systemd-unit-edit==0.1.0
mkdir web.container.d
cat > web.container << 'EOF'
[Container]
Image=app
PublishPort=8080:80

[Service]
Environment=A=1
EOF
cat > web.container.d/10.conf << 'EOF'
[Container]
PublishPort=8443:443

[Service]
Environment=
Environment=B=2
EOF
cat > merge.py << 'EOF'
import systemd_unit_edit as units

unit = units.SystemdUnit.from_file_with_dropins('web.container')
print(*unit.get_section('Container').get_all('PublishPort'))
print(*unit.get_section('Service').get_all('Environment'))
print(units.SpecifierContext().with_unit_name('web.service').expand('%n %N'))
try:
    print(units.parse_timespan('5m'))
except ValueError as e:
    print(e)
EOF
seen 'ports, environment, names, time' '8443:443
A=1 B=2
web web.service
invalid time unit: m' "$("$python" merge.py)"
