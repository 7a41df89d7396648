"""What a project that tests against real services asks of Testcontainers."""
import pytest
from testcontainers.compose import DockerCompose
from testcontainers.core.container import DockerContainer
from testcontainers.core.image import DockerImage
from testcontainers.core.network import Network
from testcontainers.core.waiting_utils import wait_for_logs
from testcontainers.redis import RedisContainer

IMAGE = "alpine:latest"
REDIS = "redis:7"


@pytest.fixture(scope="module")
def redis():
    with RedisContainer(REDIS) as container:
        yield container.get_client(decode_responses=True)


def test_a_store_is_written_and_read(redis):
    redis.set("a", "b")
    assert redis.get("a") == "b"


def test_a_store_counts(redis):
    assert [redis.incr("n") for _ in range(3)] == [1, 2, 3]


def test_a_container_logs_executes_and_has_a_port():
    container = DockerContainer(IMAGE).with_command('sh -c "echo ready; sleep 100"').with_env("A", "1")
    with container.with_name("tc-one").with_exposed_ports(80) as one:
        wait_for_logs(one, "ready", timeout=20)
        assert one.exec("echo hi") == (0, b"hi\n")
        assert one.exec(["sh", "-c", "echo $A"]).output == b"1\n"
        assert int(one.get_exposed_port(80)) > 0 and one.get_container_host_ip()
        assert one.get_logs()[0] == b"ready\n"


def test_containers_find_each_other_by_alias():
    with Network() as network:
        first = DockerContainer(IMAGE).with_command("sleep 100").with_network(network)
        second = DockerContainer(IMAGE).with_command("sleep 100").with_network(network)
        with first.with_network_aliases("first"), second as asking:
            assert asking.exec("ping -c1 first").exit_code == 0


def test_an_image_is_built(tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nARG V\nRUN echo $V > /v\n")
    with DockerImage(path=tmp_path, tag="tc-image:1", buildargs={"V": "1"}) as image:
        with DockerContainer(str(image)).with_command("sh -c 'cat /v; sleep 100'") as container:
            wait_for_logs(container, "1", timeout=20)


def test_a_folder_is_seen_inside(tmp_path):
    (tmp_path / "f").write_text("here")
    with DockerContainer(IMAGE).with_command("sleep 100").with_volume_mapping(tmp_path, "/w", "ro") as container:
        assert container.exec("cat /w/f").output == b"here"
        assert container.exec("touch /w/g").exit_code != 0


def test_a_file_is_copied():
    with DockerContainer(IMAGE).with_command("sleep 100") as container:
        container.copy_into_container(b"x", "/tmp/x")
        assert container.exec("cat /tmp/x").output == b"x"


def test_a_project_of_compose(tmp_path):
    (tmp_path / "compose.yaml").write_text(f'services: {{r: {{image: "{REDIS}", ports: ["6379"]}}}}\n')
    with DockerCompose(tmp_path) as project:
        assert project.get_service_port("r", 6379)
        assert project.exec_in_container(["echo", "hi"], "r")[0] == "hi\n"
