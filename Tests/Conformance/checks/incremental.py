"""The incremental form: subscriptions, reconnecting, errors."""

from checks.client import CDS, EDS, LDS, check, names


@check("Incremental xDS")
def a_reconnecting_client_gets_only_what_differs(server):
    first = server.delta().ask(CDS)
    versions = {resource.name: resource.version for resource in first.resources}
    kept, lost = sorted(versions)[:2]
    known = {name: version for name, version in versions.items() if name != lost} | {"gone": "1"}
    stream = server.delta()
    second = stream.ask(CDS, initial_resource_versions=known)
    assert kept not in names(second) and lost in names(second)
    gone = set(second.removed_resources)
    if not gone:
        stream.ack(second)
        gone = set(stream.receive().removed_resources)
    assert gone == {"gone"}


@check("Incremental xDS")
def a_reconnecting_client_that_has_all_of_it_hears_nothing(server):
    first = server.delta()
    versions = {kind: {each.name: each.version for each in first.ask(kind).resources} for kind in (CDS, LDS)}
    second = server.delta()
    for kind in (CDS, LDS):
        second.send(kind, initial_resource_versions=versions[kind])
    second.expect_silence("equal versions need no answer", 1.5)


@check("Incremental xDS")
def a_reconnecting_client_is_answered_for_names_it_subscribes_to(server):
    first = server.delta()
    clusters = sorted(names(first.ask(CDS)))
    versions = {each.name: each.version for each in first.ask(EDS, resource_names_subscribe=clusters).resources}
    # Its clusters may be warming, and wait.
    second = server.delta().ask(EDS, resource_names_subscribe=clusters, initial_resource_versions=versions)
    assert names(second) == set(clusters)


@check("Incremental xDS")
def a_reconnect_with_40000_names(server):
    listeners = {each.name: each.version for each in server.delta().ask(LDS).resources}
    ghosts = {f"gone-{number:05}-{'x' * 90}": f"{number:032x}" for number in range(40_000)}
    stream = server.delta()
    stream.send(LDS, initial_resource_versions=listeners | ghosts)
    gone = set()
    while len(gone) < len(ghosts):
        response = stream.receive()
        assert response.type_url == LDS and not response.resources
        gone |= set(response.removed_resources)
        stream.ack(response)
    assert gone == set(ghosts)


@check("Incremental xDS")
def a_large_subscription_is_answered_name_by_name(server):
    clusters = sorted(names(server.delta().ask(CDS)))
    ghosts = [f"nobody-{number:05}-{'x' * 90}" for number in range(40_000)]
    stream = server.delta()
    response = stream.ask(EDS, resource_names_subscribe=clusters + ghosts)
    assert names(response) == set(clusters)
    assert set(response.removed_resources) == set(ghosts)


@check("Incremental xDS")
def a_subscription_counts_though_its_nonce_is_stale(server):
    stream = server.delta()
    clusters = sorted(names(stream.ask(CDS)))
    response = stream.ask(EDS, response_nonce="stale", resource_names_subscribe=clusters[:1])
    assert names(response) == set(clusters[:1])


@check("Incremental xDS")
def a_culprit_is_withheld_after_a_nack_and_the_others_flow(server):
    stream = server.delta()
    response = stream.ask(LDS)
    culprit, *others = sorted(names(response))
    stream.send(LDS, response_nonce=response.nonce, error=f"Error adding/updating listener(s) {culprit}: no")
    # The response may have been applied in part: the others are in doubt, and come again.
    again = stream.receive()
    assert names(again) == set(others)
    stream.ack(again)
    stream.expect_silence("what was rejected is not sent again")


@check("Subscribing to Resources")
def a_resubscription_is_answered_though_nothing_changed(server):
    stream = server.delta()
    name = sorted(names(stream.ask(CDS)))[0]
    first = stream.ask(EDS, resource_names_subscribe=[name])
    second = stream.ask(EDS, response_nonce=first.nonce, resource_names_subscribe=[name])
    assert names(second) == {name}


@check("Unsubscribing from Resources")
def a_name_given_up_under_the_wildcard_is_answered(server):
    stream = server.delta()
    everything = stream.ask(CDS, resource_names_subscribe=["*"])
    name = sorted(names(everything))[0]
    both = stream.ask(CDS, response_nonce=everything.nonce, resource_names_subscribe=[name, "nobody"])
    assert names(both) == {name} and list(both.removed_resources) == ["nobody"]
    # It must learn whether the wildcard covers what it gives up.
    answer = stream.ask(CDS, response_nonce=both.nonce, resource_names_unsubscribe=[name, "nobody"])
    assert names(answer) == {name}
    assert list(answer.removed_resources) == ["nobody"]


@check("Unsubscribing from Resources")
def an_unsubscription_gets_no_answer(server):
    stream = server.delta()
    clusters = sorted(names(stream.ask(CDS)))
    response = stream.ask(EDS, resource_names_subscribe=clusters)
    stream.ack(response, resource_names_unsubscribe=clusters[:1])
    stream.expect_silence("an unsubscription gets no answer")


@check("Knowing When a Requested Resource Does Not Exist")
def missing_names_come_beside_those_that_exist(server):
    stream = server.delta()
    clusters = sorted(names(stream.ask(CDS)))
    response = stream.ask(EDS, resource_names_subscribe=["nobody", clusters[0]])
    assert names(response) == {clusters[0]} and list(response.removed_resources) == ["nobody"]
