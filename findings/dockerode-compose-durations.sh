#!/bin/bash
# dockerode-compose runs a health check of `interval: 30s` every three seconds, and one of `timeout: 10s` for one second.
#
# Expected: 30 and 10 seconds. The Compose specification's durations are numbers with the units us, ms, s, m and h.
# Happens: only `XmYs` is read. From any other duration the last two characters are taken off, as if all units were
# `ms`, and what is left is seconds: 30s is 3, 100s is 10, 5s is nothing, so null, which is the daemon's own 30 seconds
# (the same for 1m and 1h). `stop_grace_period: 30s` becomes the text "3", which an Engine refuses: it wants a number.
# Versions: dockerode-compose 1.4.0, dockerode 5.0.1, Node 20. Seen 2026-11-30 (in seconds):
#   30s 3, 10s 1, 100s 10, 1m30s 90, 5s null, 1m null, 1h null; stop_grace_period 30s "3"
source "$(dirname "$(realpath "$0")")/common.sh"
npm_packages dockerode-compose@1.4.0 dockerode@5.0.1
cat > up.js << 'EOF'
const fs = require('fs');
const http = require('http');
const Docker = require('dockerode');
const Compose = require('dockerode-compose');

let made;
const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', part => body += part);
    request.on('end', () => {
        if (request.url.startsWith('/containers/create')) made = JSON.parse(body);
        response.setHeader('Content-Type', 'application/json');
        response.statusCode = request.url.endsWith('/start') ? 204 : request.method === 'POST' ? 201 : 200;
        response.end(request.url.endsWith('/start') ? '' : request.method === 'POST' ? '{"Id":"x"}' : '[]');
    });
});
server.listen(0, '127.0.0.1', async () => {
    const docker = new Docker({host: '127.0.0.1', port: server.address().port});
    const up = async service => {
        fs.writeFileSync('compose.yaml', JSON.stringify({services: {web: {image: 'app', ...service}}}));
        await new Compose(docker, 'compose.yaml', 'project').up();
    };
    for (const time of ['30s', '10s', '100s', '1m30s', '5s', '1m', '1h']) {
        await up({healthcheck: {test: ['CMD', 'true'], interval: time, timeout: time, start_period: time, retries: 3}});
        const check = made.Healthcheck;
        if (check.Interval !== check.Timeout || check.Interval !== check.StartPeriod) throw new Error('not all alike');
        console.log(time, check.Interval === null ? null : check.Interval / 1e9);
    }
    await up({stop_grace_period: '30s'});
    console.log('stop_grace_period 30s', JSON.stringify(made.StopTimeout));
    process.exit();
});
EOF
seen 'seconds of each duration' '30s 3
10s 1
100s 10
1m30s 90
5s null
1m null
1h null
stop_grace_period 30s "3"' "$(node up.js)"
