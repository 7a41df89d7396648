package example;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.Container.ExecResult;
import org.testcontainers.containers.ContainerLaunchException;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.Network;
import org.testcontainers.containers.output.WaitingConsumer;
import org.testcontainers.containers.wait.strategy.Wait;
import org.testcontainers.images.builder.ImageFromDockerfile;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.junit.jupiter.Container;
import org.testcontainers.junit.jupiter.Testcontainers;
import org.testcontainers.utility.DockerImageName;

/** What a project that tests against real services asks of Testcontainers. */
@Testcontainers
class ContainersTest {
    private static final DockerImageName IMAGE = DockerImageName.parse("alpine:latest");

    @Container
    private static final GenericContainer<?> REDIS =
            new GenericContainer<>(DockerImageName.parse("redis:7")).withExposedPorts(6379);

    private static GenericContainer<?> sleeper() {
        return new GenericContainer<>(IMAGE).withCommand("sleep", "100");
    }

    private static String ask(String command) throws Exception {
        try (Socket socket = new Socket(REDIS.getHost(), REDIS.getMappedPort(6379))) {
            socket.getOutputStream().write((command + "\r\n").getBytes(StandardCharsets.UTF_8));
            return new BufferedReader(new InputStreamReader(socket.getInputStream())).readLine();
        }
    }

    @Test
    void storeAnswersThroughItsPort() throws Exception {
        assertEquals("+OK", ask("SET a b"));
        assertEquals("$1", ask("GET a"));
    }

    @Test
    void containerLogsAndExecutes() throws Exception {
        try (GenericContainer<?> container = new GenericContainer<>(IMAGE)) {
            container.withEnv("A", "1").withCommand("sh", "-c", "echo ready; sleep 100");
            container.waitingFor(Wait.forLogMessage(".*ready.*", 1)).start();
            ExecResult result = container.execInContainer("sh", "-c", "echo $A; echo err >&2; exit 3");
            assertEquals(3, result.getExitCode());
            assertEquals("1\n", result.getStdout());
            assertEquals("err\n", result.getStderr());
            assertEquals("ready\n", container.getLogs());
        }
    }

    @Test
    void logsAreFollowed() throws Exception {
        WaitingConsumer consumer = new WaitingConsumer();
        try (GenericContainer<?> container = new GenericContainer<>(IMAGE)) {
            container.withCommand("sh", "-c", "sleep 1; echo late; sleep 100").withLogConsumer(consumer).start();
            consumer.waitUntil(frame -> frame.getUtf8String().contains("late"));
        }
    }

    @Test
    void containersFindEachOtherByAlias() throws Exception {
        try (Network network = Network.newNetwork();
                GenericContainer<?> first = sleeper().withNetwork(network).withNetworkAliases("first");
                GenericContainer<?> second = sleeper().withNetwork(network)) {
            first.start();
            second.start();
            assertEquals(0, second.execInContainer("ping", "-c1", "first").getExitCode());
        }
    }

    @Test
    void filesAreCopiedInAndOut() throws Exception {
        try (GenericContainer<?> container = sleeper()) {
            container.withCopyToContainer(Transferable.of("before"), "/tmp/before").start();
            container.copyFileToContainer(Transferable.of("after"), "/tmp/after");
            assertEquals("beforeafter", container.execInContainer("cat", "/tmp/before", "/tmp/after").getStdout());
            String read = container.copyFileFromContainer("/tmp/after", in -> new String(in.readAllBytes()));
            assertEquals("after", read);
        }
    }

    @Test
    void imageIsBuilt() throws Exception {
        ImageFromDockerfile image = new ImageFromDockerfile("tc-java:1")
                .withDockerfileFromBuilder(builder -> builder.from("alpine:latest").run("echo built > /v").build());
        try (GenericContainer<?> container = new GenericContainer<>(image).withCommand("sleep", "100")) {
            container.start();
            assertEquals("built\n", container.execInContainer("cat", "/v").getStdout());
        }
    }

    @Test
    void healthIsWaitedFor() {
        try (GenericContainer<?> container = sleeper()) {
            container.withCreateContainerCmdModifier(command -> command.withHealthcheck(
                    new com.github.dockerjava.api.model.HealthCheck()
                            .withTest(java.util.List.of("CMD", "true")).withInterval(500_000_000L)));
            container.waitingFor(Wait.forHealthcheck()).start();
            assertTrue(container.isHealthy());
        }
    }

    @Test
    void aContainerThatEndsIsAnError() {
        try (GenericContainer<?> container = new GenericContainer<>(IMAGE)) {
            container.withCommand("false").withStartupTimeout(java.time.Duration.ofSeconds(5)).withExposedPorts(80);
            assertThrows(ContainerLaunchException.class, container::start);
        }
    }
}
