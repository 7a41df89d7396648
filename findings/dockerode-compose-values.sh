#!/bin/bash
# dockerode-compose sets `PROXY=null` for a variable without a value, and cuts the label `rule=a=b` to `a`.
#
# Expected: the Compose specification: a variable without a value takes the one of the shell or is not there; a label in
# a list is everything behind the first `=`; a container port alone gets a free port of the host; the configuration of
# a network's addresses is a list.
# Happens: the variable is the text "null"; a label ends at its second `=` (rules of proxies are such labels); port 9000
# alone takes port 9000 of the host, so a second replica has none; the subnet is left out, so fixed addresses do not
# fit. No error, and the containers start.
# Versions: dockerode-compose 1.4.0, dockerode 5.0.1, Node 20. Seen 2026-11-30: the lines at the end of this file.
source "$(dirname "$(realpath "$0")")/common.sh"
npm_packages dockerode-compose@1.4.0 dockerode@5.0.1
cat > compose.yaml << 'EOF'
services:
  web:
    image: app
    environment:
      PROXY:
    labels: ["rule=a=b"]
    ports: ["9000"]
networks:
  back: {ipam: {config: [{subnet: 127.9.0.0/24}]}}
EOF
cat > up.js << 'EOF'
const http = require('http');
const Docker = require('dockerode');
const Compose = require('dockerode-compose');

const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', part => body += part);
    request.on('end', () => {
        const made = JSON.parse(body || '{}');
        if (request.url.startsWith('/networks/create')) console.log('network', JSON.stringify(made.IPAM));
        if (request.url.startsWith('/containers/create')) {
            console.log('Env', ...made.Env);
            console.log('Labels', JSON.stringify(made.Labels));
            console.log('PortBindings', JSON.stringify(made.HostConfig.PortBindings));
        }
        response.setHeader('Content-Type', 'application/json');
        response.statusCode = request.url.endsWith('/start') ? 204 : request.method === 'POST' ? 201 : 200;
        response.end(request.url.endsWith('/start') ? '' : request.method === 'POST' ? '{"Id":"x"}' : '[]');
    });
});
server.listen(0, '127.0.0.1', async () => {
    const docker = new Docker({host: '127.0.0.1', port: server.address().port});
    await new Compose(docker, 'compose.yaml', 'project').up();
    process.exit();
});
EOF
seen 'what is created' 'network {"Config":{}}
Env PROXY=null
Labels {"rule":"a"}
PortBindings {"9000/tcp":[{"HostPort":"9000"}]}' "$(node up.js)"
