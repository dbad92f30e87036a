"""State of the world: subscriptions, versions, nonces."""

from checks.client import CDS, EDS, LDS, check, names, removed, resources


@check("Basic Protocol Overview")
def only_the_first_request_carries_the_node(server):
    stream = server.sotw()
    stream.ask(CDS)
    assert stream.node is None
    assert stream.ask(LDS).resources


@check("Basic Protocol Overview")
def nonces_are_those_of_one_stream(server):
    stream = server.sotw()
    nonces = [stream.ask(kind).nonce for kind in (CDS, LDS)]
    assert len(set(nonces)) == 2
    # A nonce of another stream says nothing here, and does no harm.
    other = server.sotw()
    other.send(CDS, response_nonce=nonces[0], version_info="another server's")
    assert other.receive().resources


@check("ACK/NACK and resource type instance version")
def an_ack_gets_no_answer(server):
    stream = server.sotw()
    for kind in (CDS, LDS):
        response = stream.ask(kind)
        assert len(response.resources) >= 2 and response.version_info
        stream.ack(response)
    stream.expect_silence("an ACK gets no answer")


@check("ACK/NACK and resource type instance version")
def the_version_is_a_property_of_the_resources(server):
    for kind in (CDS, LDS):
        first, second = (server.sotw().ask(kind) for _ in range(2))
        assert first.version_info == second.version_info
        assert list(first.resources) == list(second.resources)


@check("ACK/NACK and resource type instance version", needs="replica")
def versions_are_those_of_every_replica_and_after_a_restart(server):
    replica = server.replica()
    for kind in (CDS, LDS):
        first, second = server.sotw().ask(kind), replica.sotw().ask(kind)
        assert first.version_info == second.version_info, kind
        assert list(first.resources) == list(second.resources), kind
    clusters = sorted(names(server.sotw().ask(CDS)))
    first, second = (each.sotw().ask(EDS, resource_names=clusters) for each in (server, replica))
    assert first.version_info == second.version_info
    for kind in (CDS, LDS):
        first, second = (each.delta().ask(kind) for each in (server, replica))
        assert {each.name: each.version for each in first.resources} == {each.name: each.version for each in second.resources}


@check("ACK/NACK and resource type instance version")
def a_named_culprit_is_left_out_after_a_nack(server):
    stream = server.sotw()
    first = stream.ask(LDS)
    culprit = sorted(names(first))[0]
    second = stream.ask(LDS, response_nonce=first.nonce, error=f"Error adding/updating listener(s) {culprit}: no")
    assert names(second) == names(first) - {culprit}
    stream.ack(second)
    stream.expect_silence("what was rejected is not sent again")


@check("ACK/NACK and resource type instance version")
def an_unnamed_culprit_is_found(server):
    stream = server.sotw()
    response = stream.ask(LDS)
    everything, culprit = names(response), sorted(names(response))[0]
    for _ in range(64):
        if culprit in names(response):
            response = stream.ask(LDS, response_nonce=response.nonce, error="no")
        elif names(response) == everything - {culprit}:
            return
        else:
            response = stream.ask(LDS, response_nonce=response.nonce, version_info=response.version_info)
    raise AssertionError("the others do not arrive")


@check("ACK and NACK semantics summary")
def a_nack_of_one_type_leaves_the_others_alone(server):
    stream = server.sotw()
    clusters, listeners = stream.ask(CDS), stream.ask(LDS)
    stream.ack(clusters)
    culprit = sorted(names(listeners))[0]
    stream.ask(LDS, response_nonce=listeners.nonce, error=f"{culprit} is wrong")
    one = sorted(names(clusters))[:1]
    assert names(stream.ask(EDS, resource_names=one)) == set(one)


@check("When to send an update")
def nothing_changes_and_nothing_comes(server):
    for stream in server.both():
        clusters, listeners = stream.ask(CDS), stream.ask(LDS)
        stream.ack(clusters)
        stream.ack(listeners)
        stream.expect_silence("without a change there is no update", 1.5)


@check("How the client specifies what resources to return")
def the_legacy_wildcard_and_the_explicit_one_agree(server):
    for kind in (CDS, LDS):
        assert names(server.sotw().ask(kind)) == names(server.sotw().ask(kind, resource_names=["*"]))
        assert names(server.delta().ask(kind)) == names(server.delta().ask(kind, resource_names_subscribe=["*"]))


@check("How the client specifies what resources to return")
def the_documents_own_sequence_in_sotw(server):
    stream = server.sotw()
    everything = stream.ask(LDS)
    name = sorted(names(everything))[0]
    # The wildcard goes on, and a name joins it, twice.
    both = stream.ask(LDS, response_nonce=everything.nonce, version_info=everything.version_info, resource_names=["*", name, name])
    assert names(both) == names(everything)
    # The wildcard goes, the name stays.
    stream.ack(both, resource_names=[name])
    stream.expect_silence("giving up the wildcard gets no answer")
    # The name goes: this is no wildcard any more.
    stream.ack(both)
    stream.expect_silence("an empty list after names is no wildcard")


@check("How the client specifies what resources to return")
def the_documents_own_sequence_in_the_incremental_form(server):
    stream = server.delta()
    everything = stream.ask(LDS)
    name = sorted(names(everything))[0]
    added = stream.ask(LDS, response_nonce=everything.nonce, resource_names_subscribe=[name])
    assert names(added) == {name}, "a subscription is answered though the wildcard covers it"
    stream.ack(added, resource_names_unsubscribe=["*"])
    stream.expect_silence("giving up the wildcard gets no answer")
    again = stream.ask(LDS, resource_names_subscribe=["*"])
    assert names(again) == names(everything)
    stream.ack(again)


@check("How the client specifies what resources to return")
def only_named_resources_come_to_who_names_them(server):
    name = sorted(names(server.sotw().ask(CDS)))[0]
    assert names(server.sotw().ask(CDS, resource_names=[name])) == {name}
    assert names(server.delta().ask(CDS, resource_names_subscribe=[name])) == {name}


@check("How the client specifies what resources to return")
def names_are_sets(server):
    stream = server.sotw()
    clusters = sorted(names(stream.ask(CDS)))
    two = stream.ask(EDS, resource_names=clusters[:2] + clusters[:2])
    assert names(two) == set(clusters[:2])
    stream.ack(two, resource_names=clusters[1::-1])
    stream.expect_silence("the same names in another order get no answer")
    delta = server.delta()
    assert names(delta.ask(EDS, resource_names_subscribe=clusters[:1] * 3)) == set(clusters[:1])


@check("Grouping Resources into Responses")
def endpoint_answers_are_subsets(server):
    stream = server.sotw()
    clusters = sorted(names(stream.ask(CDS)))
    one = stream.ask(EDS, resource_names=clusters[:1])
    assert names(one) == set(clusters[:1])
    two = stream.ask(EDS, response_nonce=one.nonce, version_info=one.version_info, resource_names=clusters[:2])
    assert clusters[1] in names(two)
    stream.ack(two, resource_names=clusters[:1])
    stream.expect_silence("a shorter list gets no answer")
    again = stream.ask(EDS, response_nonce=two.nonce, version_info=two.version_info, resource_names=clusters[:2])
    assert clusters[1] in names(again), "a resubscription is answered though the version matches"


@check("Duplicate Resource Names")
def no_response_has_a_name_twice(server):
    for stream in server.both():
        for kind in (CDS, LDS):
            # `resources` fails on a name that comes twice.
            assert resources(stream.ask(kind))


@check("Knowing When a Requested Resource Does Not Exist")
def a_missing_name_is_absent_in_sotw_and_removed_in_the_incremental_form(server):
    for kind in (CDS, EDS, LDS):
        assert not server.sotw().ask(kind, resource_names=["nobody"]).resources
        response = server.delta().ask(kind, resource_names_subscribe=["nobody"])
        assert removed(response, []) == {"nobody"} and not response.resources


@check("Unsubscribing From Resources")
def phantom_unsubscriptions_do_no_harm(server):
    stream = server.delta()
    everything = stream.ask(CDS)
    stream.ack(everything, resource_names_unsubscribe=["nobody", "nobody else"])
    stream.send(EDS, resource_names_unsubscribe=["nobody"])
    stream.expect_silence("there is nothing to say to a phantom unsubscription")
    assert stream.ask(LDS).resources


@check("Requesting Multiple Resources on a Single Stream")
def requests_sent_without_waiting_are_all_answered(server):
    clusters = sorted(names(server.sotw().ask(CDS)))
    for stream, field in zip(server.both(), ("resource_names", "resource_names_subscribe")):
        stream.send(EDS, **{field: clusters})
        stream.send(LDS)
        stream.send(CDS)
        # Endpoints may come once more after their clusters: a client that updates a cluster waits for them.
        types = {stream.receive().type_url for _ in range(3)}
        assert types == {CDS, EDS, LDS} or types | {stream.receive().type_url} == {CDS, EDS, LDS}, types


@check("Resource updates")
def a_stale_nonce_gets_no_answer(server):
    stream = server.sotw()
    first = stream.ask(CDS)
    clusters = sorted(names(first))
    second = stream.ask(CDS, version_info=first.version_info, response_nonce=first.nonce, resource_names=clusters[:1])
    assert second.nonce != first.nonce
    stream.send(CDS, response_nonce=first.nonce, resource_names=clusters)
    stream.expect_silence("a stale nonce gets no answer")


@check("Resource updates")
def an_ack_may_change_the_subscription(server):
    stream = server.sotw()
    clusters = sorted(names(stream.ask(CDS)))
    one = stream.ask(EDS, resource_names=clusters[:1])
    two = stream.ask(EDS, response_nonce=one.nonce, version_info=one.version_info, resource_names=clusters[:2])
    assert clusters[1] in names(two)
    delta = server.delta()
    one = delta.ask(EDS, resource_names_subscribe=clusters[:1])
    two = delta.ask(EDS, response_nonce=one.nonce, resource_names_subscribe=clusters[1:2])
    assert names(two) == set(clusters[1:2])


@check("Resource Types")
def an_unknown_type_is_answered_empty_and_the_stream_lives(server):
    for stream in server.both():
        response = stream.ask("type.googleapis.com/example.Unknown")
        assert not response.resources
        stream.ack(response)
        assert stream.ask(CDS).resources
        stream.expect_silence("an ACK of an unknown type gets no answer")
