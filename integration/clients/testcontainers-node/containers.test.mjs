// What a project that tests against real services asks of Testcontainers.
import assert from 'node:assert';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { RedisContainer } from '@testcontainers/redis';
import { DockerComposeEnvironment, GenericContainer, Network, Wait } from 'testcontainers';

const IMAGE = 'alpine:latest';
const REDIS = 'redis:7';
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tc'));
fs.writeFileSync(`${folder}/Dockerfile`, `FROM ${IMAGE}\nARG V\nRUN echo $V > /v\n`);
fs.writeFileSync(`${folder}/compose.yaml`, `services: {r: {image: "${REDIS}", ports: ["6379"]}}\n`);
const sleeper = () => new GenericContainer(IMAGE).withCommand(['sleep', '100']);

test('a container logs, executes, has a port and starts again', async () => {
  const container = await new GenericContainer(IMAGE)
    .withCommand(['sh', '-c', 'echo ready; exec httpd -f -p 80'])
    .withExposedPorts(80)
    .withWaitStrategy(Wait.forLogMessage('ready'))
    .withCopyContentToContainer([{ content: 'x', target: '/tmp/x' }])
    .start();
  assert.equal((await container.exec(['cat', '/tmp/x'])).output, 'x');
  assert.ok(container.getMappedPort(80));
  (await container.logs()).destroy();
  await container.restart();
  await container.stop();
});

test('ports are waited for', async () => {
  const command = ['httpd', '-f', '-p', '80'];
  const container = await new GenericContainer(IMAGE).withCommand(command).withExposedPorts(80).start();
  await container.stop();
});

test('health is waited for', async () => {
  const container = await sleeper()
    .withHealthCheck({ test: ['CMD', 'true'], interval: 500 })
    .withWaitStrategy(Wait.forHealthCheck())
    .start();
  await container.stop();
});

test('a store', async () => {
  const container = await new RedisContainer(REDIS).start();
  await container.executeCliCmd('SET', ['a', 'b']);
  assert.match(await container.executeCliCmd('GET', ['a']), /b/);
  await container.stop();
});

test('containers find each other by alias', async () => {
  const network = await new Network().start();
  const first = await sleeper().withNetwork(network).withNetworkAliases('first').start();
  const second = await sleeper().withNetwork(network).start();
  assert.equal((await second.exec(['ping', '-c1', 'first'])).exitCode, 0);
  await first.stop();
  await second.stop();
  await network.stop();
});

test('an image is built', async () => {
  const image = await GenericContainer.fromDockerfile(folder).withBuildArgs({ V: '1' }).build();
  const container = await image.withCommand(['sleep', '100']).start();
  assert.equal((await container.exec(['cat', '/v'])).output, '1\n');
  await container.stop();
});

test('an image is built by BuildKit', async () => {
  const image = await GenericContainer.fromDockerfile(folder).withBuildkit().build();
  await (await image.withCommand(['sleep', '100']).start()).stop();
});

test('a container is used again', async () => {
  const first = await sleeper().withReuse().start();
  const second = await sleeper().withReuse().start();
  assert.equal(first.getId(), second.getId());
  await first.stop();
});

test('a container becomes an image', async () => {
  const container = await sleeper().start();
  await container.commit({ repo: 'tcc', tag: '1' });
  await container.stop();
});

test('a missing image is an error', async () => {
  await assert.rejects(new GenericContainer('nosuchimage:1').start());
});

test('files are copied out', async () => {
  const container = await sleeper().start();
  const stream = await container.copyArchiveFromContainer('/etc/hostname');
  stream.resume();
  await new Promise((resolve) => stream.on('end', resolve));
  await container.stop();
});

test('a project of Compose', async () => {
  const project = await new DockerComposeEnvironment(folder, 'compose.yaml').up();
  assert.ok(project.getContainer('r-1').getMappedPort(6379));
  await project.down();
});
