// What a project that tests against real services asks of Testcontainers.
package containers

import (
	"bufio"
	"context"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/exec"
	"github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"
)

const image = "alpine:latest"

func start(t *testing.T, request testcontainers.ContainerRequest, more ...testcontainers.ContainerCustomizer) testcontainers.Container {
	t.Helper()
	generic := testcontainers.GenericContainerRequest{ContainerRequest: request, Started: true}
	for _, one := range more {
		if err := one.Customize(&generic); err != nil {
			t.Fatal(err)
		}
	}
	container, err := testcontainers.GenericContainer(context.Background(), generic)
	testcontainers.CleanupContainer(t, container)
	if err != nil {
		t.Fatal(err)
	}
	return container
}

func sleeper() testcontainers.ContainerRequest {
	return testcontainers.ContainerRequest{Image: image, Cmd: []string{"sleep", "100"}}
}

func output(t *testing.T, container testcontainers.Container, command ...string) string {
	t.Helper()
	code, reader, err := container.Exec(context.Background(), command, exec.Multiplexed())
	if err != nil || code != 0 {
		t.Fatal(code, err)
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestStoreAnswersThroughItsPort(t *testing.T) {
	request := testcontainers.ContainerRequest{
		Image: "redis:7", ExposedPorts: []string{"6379/tcp"}, WaitingFor: wait.ForListeningPort("6379/tcp"),
	}
	container := start(t, request)
	address, err := container.Endpoint(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	connection, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := connection.Write([]byte("SET a b\r\n")); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(connection).ReadString('\n'); err != nil || line != "+OK\r\n" {
		t.Fatal(line, err)
	}
}

func TestContainerLogsAndExecutes(t *testing.T) {
	request := sleeper()
	request.Cmd = []string{"sh", "-c", "echo ready; sleep 100"}
	request.Env = map[string]string{"A": "1"}
	request.WaitingFor = wait.ForLog("ready").WithStartupTimeout(20 * time.Second)
	container := start(t, request)
	if text := output(t, container, "sh", "-c", "echo $A"); text != "1\n" {
		t.Fatal(text)
	}
	logs, err := container.Logs(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer logs.Close()
	if text, err := io.ReadAll(logs); err != nil || string(text) != "ready\n" {
		t.Fatal(string(text), err)
	}
}

func TestContainersFindEachOtherByAlias(t *testing.T) {
	made, err := network.New(context.Background())
	testcontainers.CleanupNetwork(t, made)
	if err != nil {
		t.Fatal(err)
	}
	start(t, sleeper(), network.WithNetwork([]string{"first"}, made))
	second := start(t, sleeper(), network.WithNetwork([]string{"second"}, made))
	output(t, second, "ping", "-c1", "first")
}

func TestFilesAreCopiedInAndOut(t *testing.T) {
	request := sleeper()
	request.Files = []testcontainers.ContainerFile{
		{Reader: strings.NewReader("before"), ContainerFilePath: "/tmp/before", FileMode: 0o644},
	}
	container := start(t, request)
	ctx := context.Background()
	if err := container.CopyToContainer(ctx, []byte("after"), "/tmp/after", 0o644); err != nil {
		t.Fatal(err)
	}
	if text := output(t, container, "cat", "/tmp/before", "/tmp/after"); text != "beforeafter" {
		t.Fatal(text)
	}
	file, err := container.CopyFileFromContainer(ctx, "/tmp/after")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(file); err != nil || string(text) != "after" {
		t.Fatal(string(text), err)
	}
}

func TestImageIsBuilt(t *testing.T) {
	folder := t.TempDir()
	file := []byte("FROM " + image + "\nARG V\nRUN echo $V > /v\n")
	if err := os.WriteFile(filepath.Join(folder, "Dockerfile"), file, 0o644); err != nil {
		t.Fatal(err)
	}
	one := "1"
	container := start(t, testcontainers.ContainerRequest{
		FromDockerfile: testcontainers.FromDockerfile{Context: folder, BuildArgs: map[string]*string{"V": &one}},
		Cmd:            []string{"sleep", "100"},
	})
	if text := output(t, container, "cat", "/v"); text != "1\n" {
		t.Fatal(text)
	}
}

func TestContainerIsUsedAgain(t *testing.T) {
	request := sleeper()
	request.Name = "tc-go-reused"
	again := testcontainers.CustomizeRequestOption(func(generic *testcontainers.GenericContainerRequest) error {
		generic.Reuse = true
		return nil
	})
	if first, second := start(t, request, again), start(t, request, again); first.GetContainerID() != second.GetContainerID() {
		t.Fatal("two containers")
	}
}

func TestContainerStopsAndStarts(t *testing.T) {
	container := start(t, sleeper())
	ctx, grace := context.Background(), time.Duration(0)
	if err := container.Stop(ctx, &grace); err != nil {
		t.Fatal(err)
	}
	if state, err := container.State(ctx); err != nil || state.Running {
		t.Fatal(state, err)
	}
	if err := container.Start(ctx); err != nil {
		t.Fatal(err)
	}
	output(t, container, "true")
}
