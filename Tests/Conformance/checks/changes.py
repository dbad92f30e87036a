"""What a client sees when objects change; needs the directory of manifests that the server follows."""

from checks.client import CDS, EDS, LDS, check, names, resources
from checks.stage import stage


def order(events, *wanted):
    """The place of the first event of each (type, added name, removed name), in this order."""
    places = []
    for kind, added, gone in wanted:
        found = [i for i, event in enumerate(events) if event[0] == kind and (added in event[1] or gone in event[2])]
        assert found, f"no {kind} with {added or gone} in {events}"
        places.append(found[0])
    return places


@check("Eventual consistency considerations", needs="manifests")
def clusters_then_endpoints_then_listeners_then_removals(server):
    with stage(server) as own:
        for follower in own.followers():
            own.worker("w", "10.0.0.1")
            own.call("a")
            events = follower.until(lambda f: f.has(LDS, "l-a") and f.has(CDS, "c-a") and f.has(EDS, "c-a"), "served")
            cds, eds, lds = order(
                events, ("Cluster", "c-a", 0), ("ClusterLoadAssignment", "c-a", 0), ("Listener", "l-a", 0))
            assert cds < eds and cds < lds, events
            own.remove("a")
            events = follower.until(lambda f: f.has(LDS) and f.has(CDS), "gone")
            lds, cds = order(events, ("Listener", 0, "l-a"), ("Cluster", 0, "c-a"))
            assert lds < cds, events
            follower.stream.close()


@check("Eventual consistency considerations", needs="manifests")
def a_listener_moves_to_a_new_cluster_make_before_break(server):
    with stage(server) as own:
        own.call("a")
        followers = own.followers()
        for follower in followers:
            follower.until(lambda f: f.has(LDS, "l-a"), "served")
        # The old object goes and a new one comes with the same port: in one answer or in two.
        own.remove("a")
        own.call("b")
        for follower in followers:
            events = follower.until(lambda f: f.has(LDS, "l-b") and f.has(CDS, "c-b"), "moved")
            added, used, gone = order(events, ("Cluster", "c-b", 0), ("Listener", "l-b", 0), ("Cluster", 0, "c-a"))
            left = order(events, ("Listener", 0, "l-a"))[0]
            assert added < used and left < gone, events


@check("Resource warming", needs="manifests")
def endpoints_come_again_after_their_cluster_changed(server):
    with stage(server) as own:
        own.worker("w", "10.0.0.1")
        own.call("a")
        followers = own.followers()
        for follower in followers:
            follower.until(lambda f: f.has(LDS, "l-a") and f.has(EDS, "c-a"), "served")
            follower.settle()
        own.call("a", health_check={"interval": 1000, "protocol": "TCP"})
        for follower in followers:
            begin = len(follower.events)

            def warmed(f):
                kinds = [event[0] for event in f.events[begin:]]
                return "Cluster" in kinds and "ClusterLoadAssignment" in kinds[kinds.index("Cluster"):]

            follower.until(warmed, "given endpoints after the cluster")
            order(follower.events[begin:], ("Cluster", "c-a", 0), ("ClusterLoadAssignment", "c-a", 0))


@check("Grouping Resources into Responses", needs="manifests")
def endpoint_updates_carry_only_what_changed(server):
    with stage(server) as own:
        for name, port, group in (("a", 1000, "one"), ("b", 1001, "two")):
            own.worker(f"worker-{group}", f"10.0.0.{port - 999}", group)
            own.call(name, port=port, group=group)
        followers = own.followers()
        for follower in followers:
            follower.until(lambda f: f.has(LDS, "l-a", "l-b") and f.has(EDS, "c-a", "c-b"), "served")
            follower.settle()
        own.worker("another", "10.0.0.9", "one")
        for follower in followers:
            begin = len(follower.events)
            events = follower.until(lambda f: len(f.events) > begin, "told of the worker")
            follower.settle()
            events = follower.events[begin:]
            assert events == [("ClusterLoadAssignment", ["c-a"], [])], events


@check("Grouping Resources into Responses", needs="manifests")
def an_incremental_update_carries_only_what_changed_and_sotw_all(server):
    with stage(server) as own:
        own.call("a", port=1000)
        followers = own.followers()
        for follower in followers:
            follower.until(lambda f: f.has(LDS, "l-a"), "served")
        own.call("b", port=1001)
        for follower in followers:
            events = follower.until(lambda f: f.has(LDS, "l-a", "l-b"), "served")
            listeners = [event for event in events if event[0] == "Listener"][-1]
            assert listeners[1] == (["l-a", "l-b"] if follower.is_sotw else ["l-b"]), events


@check("Deleting Resources", needs="manifests")
def the_last_resource_goes(server):
    with stage(server) as own:
        own.call("a")
        followers = own.followers()
        for follower in followers:
            follower.until(lambda f: f.has(LDS, "l-a") and f.has(CDS, "c-a"), "served")
        own.remove("a")
        for follower in followers:
            follower.until(lambda f: f.has(LDS) and f.has(CDS), "cleared")


@check("Deleting Resources", needs="manifests")
def an_empty_assignment_is_said(server):
    with stage(server) as own:
        own.worker("w", "10.0.0.1")
        own.call("a")
        followers = own.followers()
        for follower in followers:
            follower.until(lambda f: f.has(LDS, "l-a") and f.has(EDS, "c-a"), "served")
            follower.settle()
        own.remove("w")
        for follower in followers:
            begin = len(follower.events)
            follower.until(lambda f: len(f.events) > begin, "told that no worker is left")
            (assignment,) = resources(follower.last[EDS]).values()
            assert not [host for part in assignment.endpoints for host in part.lb_endpoints]


@check("Knowing When a Requested Resource Does Not Exist", needs="manifests")
def a_missing_name_is_remembered_until_it_exists(server):
    with stage(server) as own:
        sotw, delta = server.sotw(own.node), server.delta(own.node)
        assert not sotw.ask(CDS, resource_names=["c-a"]).resources
        assert list(delta.ask(CDS, resource_names_subscribe=["c-a"]).removed_resources) == ["c-a"]
        own.call("a")
        assert names(sotw.receive()) == {"c-a"}
        assert names(delta.receive()) == {"c-a"}


@check("ACK/NACK and resource type instance version", needs="manifests")
def a_rejected_listener_heals_with_its_next_version(server):
    with stage(server) as own:
        own.call("a", port=1000)
        own.call("b", port=1001)
        for stream in server.both(own.node):
            while True:
                response = stream.ask(LDS) if stream.node else stream.receive()
                if names(response) == {"l-a", "l-b"}:
                    break
                stream.ack(response)
            stream.send(LDS, response_nonce=response.nonce, error="Error adding/updating listener(s) l-a: no")
            response = stream.receive()
            assert names(response) == {"l-b"}
            stream.ack(response)
            stream.expect_silence("a rejected listener waits for another version")
            own.call("a", port=1002 if hasattr(response, "removed_resources") else 1003)
            response = stream.receive()
            assert "l-a" in names(response), "another version of it is sent"
            stream.ack(response)
            stream.close()


@check("ACK/NACK and resource type instance version", needs="manifests")
def a_removal_in_a_rejected_response_is_not_lost(server):
    with stage(server) as own:
        own.call("a", port=1000)
        own.call("b", port=1001)
        stream = server.delta(own.node)
        seen = set()
        stream.send(LDS)
        while seen != {"l-a", "l-b"}:
            response = stream.receive()
            seen |= names(response)
            stream.ack(response)
        own.remove("b")
        response = stream.receive()
        assert list(response.removed_resources) == ["l-b"]
        stream.send(LDS, response_nonce=response.nonce, error="something is wrong")
        # A culprit without a name is searched for: the only suspect is the removal, which must not be sent for ever.
        own.call("c", port=1002)
        response = stream.receive()
        if names(response) != {"l-c"}:
            assert list(response.removed_resources) == ["l-b"]
            stream.ack(response)
            response = stream.receive()
        assert names(response) == {"l-c"}


@check("When to send an update", needs="manifests")
def a_client_that_does_not_answer_is_sent_a_bounded_number_of_responses_and_catches_up(server):
    changes = 40
    with stage(server) as own:
        own.call("a", port=1000)
        watcher = own.follow(server.delta(own.node))
        watcher.until(lambda f: f.has(LDS, "l-a"), "served")
        lazy = server.delta(own.node)
        first = lazy.ask(LDS)
        versions = {each.name: each.version for each in first.resources}
        for number in range(changes):
            own.call("a", port=1001 + number)
            begin = dict(watcher.held[LDS])
            watcher.until(lambda f: f.held[LDS] != begin, "up to date")
        unanswered = [first]
        while True:
            try:
                unanswered.append(lazy.receive(timeout=0.5))
            except AssertionError:
                break
        assert len(unanswered) < changes, f"{len(unanswered)} responses without any answer"
        for response in unanswered:
            versions.update({each.name: each.version for each in response.resources})
            lazy.ack(response)
        further = 0
        while versions != watcher.held[LDS]:
            response = lazy.receive()
            further += 1
            versions.update({each.name: each.version for each in response.resources})
            lazy.ack(response)
        assert len(unanswered) + further < changes, "what was missed comes as one"


@check("When to send an update", needs="manifests")
def requests_during_pushes_are_answered(server):
    with stage(server) as own:
        own.call("a", port=1000)
        stream = own.follow(server.delta(own.node))
        stream.until(lambda f: f.has(LDS, "l-a"), "served")
        for number in range(5):
            own.call(f"b{number}", port=2000 + number)
            stream.stream.send(EDS, resource_names_subscribe=[f"nobody-{number}"])
        wanted = {f"l-b{number}" for number in range(5)} | {"l-a"}
        stream.until(lambda f: f.has(LDS, *wanted), "served")
        told = {name for event in stream.events for name in event[2]}
        stream.until(
            lambda f: {f"nobody-{n}" for n in range(5)} <= {name for event in f.events for name in event[2]}, f"told {told}")


@check("Aggregated Discovery Service", needs="manifests")
def a_known_pod_that_nothing_selects_gets_an_empty_answer_at_once(server):
    with stage(server, selected=False) as own:
        own.pod(labels={"conformance": "nothing"})
        for stream in server.both(own.node):
            for kind in (CDS, LDS):
                response = stream.ask(kind)
                assert not response.resources
                stream.ack(response)


@check("Aggregated Discovery Service", needs="manifests")
def a_pod_that_loses_its_labels_loses_its_configuration(server):
    with stage(server) as own:
        own.call("a")
        followers = own.followers()
        for follower in followers:
            follower.until(lambda f: f.has(LDS, "l-a"), "served")
        own.pod(labels={"conformance": "nothing"})
        for follower in followers:
            follower.until(lambda f: f.has(LDS) and f.has(CDS), "cleared")
        own.pod()
        for follower in followers:
            follower.until(lambda f: f.has(LDS, "l-a") and f.has(CDS, "c-a"), "served again")


@check("Aggregated Discovery Service", needs="manifests")
def a_deleted_pod_keeps_its_configuration_until_its_stream_ends(server):
    with stage(server) as own:
        own.call("a")
        followers = own.followers()
        for follower in followers:
            follower.until(lambda f: f.has(LDS, "l-a"), "served")
            follower.settle()
        own.remove("pod")
        for follower in followers:
            follower.stream.expect_silence("a pod that is gone keeps its configuration", 1)


@check("Aggregated Discovery Service", needs="manifests")
def an_unknown_node_waits_until_its_pod_is_known(server):
    with stage(server, selected=False) as own:
        own.call("a")
        streams = server.both(own.node)
        for stream in streams:
            stream.send(LDS)
            stream.expect_silence("an unknown node waits", 1)
        own.pod()
        for stream in streams:
            assert names(stream.receive()) == {"l-a"}
