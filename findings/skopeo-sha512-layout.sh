#!/bin/bash
# skopeo stops with an "Internal error" at an OCI layout whose digests are SHA-512.
#
# Expected: the copy. The image specification registers sha256 and sha512 as digest algorithms; the layout has
# blobs/ALGORITHM/ENCODED for that; and skopeo does find and read the blob by its SHA-512 name.
# Happens: the destination's writer computes SHA-256 whatever the name is and then refuses its own result. To look at
# it (`inspect`) fails by the same comparison, on the configuration.
# Versions: skopeo 1.9.3+ds1-1+b10 (Debian 12). Seen 2026-11-30:
#   Internal error writing blob sha512:D, blob with digest sha512:D saved with digest sha256:E
#   Download config.json digest sha256:… does not match expected sha512:…
source "$(dirname "$(realpath "$0")")/common.sh"
deb_packages skopeo=1.9.3+ds1-1+b10 libgpgme11=1.18.0-3+deb12u1 libassuan0=2.5.5-5 libdevmapper1.02.1=2:1.02.185-2
# Its cache of what it has seen before goes into the temporary folder too; root has it in /var/lib otherwise.
export XDG_DATA_HOME=$work/data _CONTAINERS_ROOTLESS_UID=1000
cat > make.py << 'EOF'
import gzip, hashlib, io, json, os, sys, tarfile
folder, algorithm = sys.argv[1:]
os.makedirs(f'{folder}/blobs/{algorithm}')
OCI = 'application/vnd.oci.image.'
def blob(kind, data):
    name = hashlib.new(algorithm, data).hexdigest()
    open(f'{folder}/blobs/{algorithm}/{name}', 'wb').write(data)
    return {'mediaType': OCI + kind, 'digest': f'{algorithm}:{name}', 'size': len(data)}
tar = io.BytesIO()
with tarfile.open(fileobj=tar, mode='w') as out:
    out.addfile(tarfile.TarInfo(algorithm))
layer = blob('layer.v1.tar+gzip', gzip.compress(tar.getvalue()))
diff = f'{algorithm}:{hashlib.new(algorithm, tar.getvalue()).hexdigest()}'
config = blob('config.v1+json', json.dumps({'architecture': 'amd64', 'os': 'linux', 'config': {},
    'rootfs': {'type': 'layers', 'diff_ids': [diff]}}).encode())
manifest = blob('manifest.v1+json', json.dumps({'schemaVersion': 2, 'mediaType': OCI + 'manifest.v1+json',
    'config': config, 'layers': [layer]}).encode())
manifest['annotations'] = {'org.opencontainers.image.ref.name': 'one'}
json.dump({'schemaVersion': 2, 'manifests': [manifest]}, open(f'{folder}/index.json', 'w'))
json.dump({'imageLayoutVersion': '1.0.0'}, open(f'{folder}/oci-layout', 'w'))
EOF
python3 make.py short sha256
python3 make.py long sha512
skopeo --insecure-policy --tmpdir "$work" copy -q oci:short:one oci:copied:one
seen 'the copy of the SHA-256 one' 3 "$(find copied/blobs -type f | wc -l)"
skopeo --insecure-policy --tmpdir "$work" copy -q oci:long:one oci:refused:one 2> said && echo copied >> said
seen 'the copy of the SHA-512 one' 'Internal error writing blob sha512:D, blob with digest sha512:D saved with digest sha256:D' \
    "$(sed -n 's/[0-9a-f]\{64,128\}/D/g; s/.*\(Internal error.*\)"$/\1/p' said)"
skopeo inspect oci:long:one > /dev/null 2> said || true
seen 'the SHA-512 one inspected' 'Download config.json digest sha256:D does not match expected sha512:D' \
    "$(sed -n 's/[0-9a-f]\{64,128\}/D/g; s/.*\(Download.*\)"$/\1/p' said)"
