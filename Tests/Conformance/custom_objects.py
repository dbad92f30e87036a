"""Drives VirtualServices and Pods by the `kubernetes` package, as a signalling controller does.

Usage: custom_objects.py KUBECONFIG NAMESPACE. Ends with status 0 when all went as a real API server has it go.
Only relies on what a real server does, too: the definition must be installed.
"""

import sys
import threading

from kubernetes import client, config, watch

GROUP, VERSION, PLURAL = "servicemesh.l7mp.io", "v1", "virtualservices"


def virtual_service(name, port=10000):
    cluster = {
        "name": f"{name}-c",
        "service_discovery": "eds",
        "endpoints": [{"name": "e", "host": {"selector": {"app": "worker"}}, "port": 30000}],
    }
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "VirtualService",
        "metadata": {"name": name, "labels": {"call": name}},
        "spec": {"selector": {"app": "envoy"}, "listeners": [{"name": f"{name}-l", "udp": {"port": port, "cluster": cluster}}]},
    }


def expect(condition, what):
    if not condition:
        raise AssertionError(what)


def expect_status(code, call, what):
    try:
        call()
    except client.ApiException as error:
        expect(error.status == code, f"{what}: {error.status} {error.body}")
        return error
    raise AssertionError(f"{what}: no error")


def custom_objects(namespace):
    api = client.CustomObjectsApi()
    path = dict(group=GROUP, version=VERSION, namespace=namespace, plural=PLURAL)

    created = api.create_namespaced_custom_object(body=virtual_service("call-1"), **path)
    expect(created["metadata"]["generation"] == 1, "a new object has generation 1")
    expect_status(409, lambda: api.create_namespaced_custom_object(body=virtual_service("call-1"), **path), "a second create")
    expect_status(422, lambda: api.create_namespaced_custom_object(body=virtual_service("call-2", port=0), **path), "port 0")

    listed = api.list_namespaced_custom_object(**path, label_selector="call=call-1")
    expect([item["metadata"]["name"] for item in listed["items"]] == ["call-1"], "a label selector")

    seen, ready = [], threading.Event()

    def follow():
        stream = watch.Watch().stream(
            api.list_namespaced_custom_object, **path, resource_version=listed["metadata"]["resourceVersion"], timeout_seconds=8
        )
        ready.set()
        for event in stream:
            seen.append((event["type"], event["object"]["metadata"]["name"]))
            if event["type"] == "DELETED":
                return

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    ready.wait(10)

    patched = api.patch_namespaced_custom_object(name="call-1", body={"metadata": {"finalizers": ["l7mp.io/delete"]}}, **path)
    expect(patched["metadata"]["generation"] == 1, "metadata is no new generation")
    replaced = dict(patched)
    replaced["spec"] = virtual_service("call-1", port=10002)["spec"]
    replaced = api.replace_namespaced_custom_object(name="call-1", body=replaced, **path)
    expect(replaced["metadata"]["generation"] == 2, "a new spec is a new generation")
    expect_status(409, lambda: api.replace_namespaced_custom_object(name="call-1", body=patched, **path), "a stale replace")

    status = {"status": {"conditions": [condition("True")]}}
    api.patch_namespaced_custom_object_status(name="call-1", body=status, **path)
    got = api.get_namespaced_custom_object(name="call-1", **path)
    expect(got["status"]["conditions"][0]["type"] == "Programmed", "the status")
    expect(got["metadata"]["generation"] == 2, "a status is no new generation")

    api.delete_namespaced_custom_object(name="call-1", **path)
    held = api.get_namespaced_custom_object(name="call-1", **path)
    expect(held["metadata"].get("deletionTimestamp"), "a finalizer holds an object")
    api.patch_namespaced_custom_object(name="call-1", body={"metadata": {"finalizers": None}}, **path)
    expect_status(404, lambda: api.get_namespaced_custom_object(name="call-1", **path), "an object without finalizers")

    follower.join(20)
    expect(not follower.is_alive(), f"the watch ends with the deletion: {seen}")
    expect(seen[-1] == ("DELETED", "call-1") and {kind for kind, _ in seen[:-1]} == {"MODIFIED"}, f"the watch: {seen}")


def condition(status):
    return {
        "type": "Programmed", "status": status, "reason": "Acknowledged", "message": "",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def pods(namespace):
    api = client.CoreV1Api()
    container = client.V1Container(name="worker", image="worker:1")
    for index in range(5):
        name = f"worker-{index}"
        api.create_namespaced_pod(
            namespace,
            client.V1Pod(
                metadata=client.V1ObjectMeta(name=name, labels={"app": "worker"}), spec=client.V1PodSpec(containers=[container])
            ),
        )
        ready = {"conditions": [{"type": "Ready", "status": "True"}], "phase": "Running", "podIP": f"127.0.7.{index + 1}"}
        patched = api.patch_namespaced_pod_status(name, namespace, {"status": ready})
        expect(patched.status.pod_ips[0].ip == patched.status.pod_ip, "an address is also in podIPs")

    names, token = [], None
    while True:
        page = api.list_namespaced_pod(namespace, limit=2, _continue=token)
        names += [pod.metadata.name for pod in page.items]
        token = page.metadata._continue
        if not token:
            break
    expect(names == [f"worker-{index}" for index in range(5)], f"pages: {names}")

    events = watch.Watch().stream(api.list_namespaced_pod, namespace, label_selector="app=worker", timeout_seconds=8)
    kinds = [next(events)["type"] for _ in range(5)]
    expect(kinds == ["ADDED"] * 5, f"a watch begins with what is there: {kinds}")
    api.delete_namespaced_pod("worker-0", namespace)
    last = next(events)
    expect((last["type"], last["object"].metadata.name) == ("DELETED", "worker-0"), f"a deletion: {last['type']}")
    api.delete_collection_namespaced_pod(namespace)
    expect(api.list_namespaced_pod(namespace).items == [], "a collection is deleted")


def leases(namespace):
    api = client.CoordinationV1Api()
    spec = client.V1LeaseSpec(holder_identity="a", lease_duration_seconds=15, lease_transitions=0)
    lease = api.create_namespaced_lease(namespace, client.V1Lease(metadata=client.V1ObjectMeta(name="leader"), spec=spec))
    lease.spec.holder_identity = "b"
    api.replace_namespaced_lease("leader", namespace, lease)
    lease.spec.holder_identity = "c"
    expect_status(409, lambda: api.replace_namespaced_lease("leader", namespace, lease), "a stale lease")


def main():
    kubeconfig, namespace = sys.argv[1:]
    config.load_kube_config(config_file=kubeconfig)
    custom_objects(namespace)
    pods(namespace)
    leases(namespace)
    print("conformant")


main()
