"""Sets up and tears down calls by the `kubernetes` package, as a signalling controller does, with an operator and an Envoy.

Usage: signalling_controller.py KUBECONFIG NAMESPACE PORT WORKER_PORT. Ends with status 0 when each call was programmed
in time, and gone in time although it had the finalizer.
"""

import sys

from kubernetes import client, config, watch

GROUP, VERSION, PLURAL = "servicemesh.l7mp.io", "v1", "virtualservices"


def virtual_service(name, port, worker_port):
    cluster = {
        "name": f"{name}-c",
        "service_discovery": "eds",
        "hash_key": name,
        "endpoints": [{"name": "e", "host": {"selector": {"app": "worker"}}, "port": worker_port}],
    }
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "VirtualService",
        "metadata": {"name": name},
        "spec": {"selector": {"app": "envoy-ingress"}, "listeners": [{"name": f"{name}-l", "udp": {"port": port, "cluster": cluster}}]},
    }


def is_programmed(service):
    conditions = service.get("status", {}).get("conditions", [])
    generation = service["metadata"]["generation"]
    return any(
        c["type"] == "Programmed" and c["status"] == "True" and c["observedGeneration"] == generation for c in conditions
    )


def follow(api, path, name, version, until):
    """Watches from a version until an event satisfies `until`, and returns its object."""
    stream = watch.Watch().stream(
        api.list_namespaced_custom_object, **path, field_selector=f"metadata.name={name}", resource_version=version,
        timeout_seconds=40,
    )
    for event in stream:
        if until(event):
            return event["object"]
    raise AssertionError(f"{name} has not come to {until.__name__} in time")


def programmed(event):
    return is_programmed(event["object"])


def gone(event):
    return event["type"] == "DELETED"


def main():
    kubeconfig, namespace, port, worker_port = sys.argv[1:]
    config.load_kube_config(config_file=kubeconfig)
    api = client.CustomObjectsApi()
    path = dict(group=GROUP, version=VERSION, namespace=namespace, plural=PLURAL)
    for call in ["call-1", "call-2"]:
        created = api.create_namespaced_custom_object(body=virtual_service(call, int(port), int(worker_port)), **path)
        last = follow(api, path, call, created["metadata"]["resourceVersion"], programmed)
        # As the seed's controllers do before they delete.
        patched = api.patch_namespaced_custom_object(name=call, body={"metadata": {"finalizers": ["l7mp.io/delete"]}}, **path)
        assert last["status"]["envoys"] == "1/1", last["status"]
        api.delete_namespaced_custom_object(name=call, **path)
        # The next one takes the same port.
        follow(api, path, call, patched["metadata"]["resourceVersion"], gone)
    print("two calls set up and torn down")


main()
