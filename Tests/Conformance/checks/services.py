"""The services: their methods, how streams share a connection and end, and what tells about the server."""

import grpc
from envoy.service.discovery.v3 import ads_pb2_grpc, discovery_pb2
from envoy.service.status.v3 import csds_pb2, csds_pb2_grpc
from google.protobuf import descriptor_pool, message_factory
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from checks.client import CDS, EDS, LDS, PATIENCE, check, names


def refused(code, call):
    try:
        call()
    except grpc.RpcError as error:
        assert error.code() == code, error
        assert error.details(), "a refusal says why"
        return
    raise AssertionError(f"not refused with {code}")


@check("RPC Services and Methods for Each Variant")
def separate_streams_answer_as_ads_does(server):
    clusters = sorted(names(server.sotw().ask(CDS)))
    for stub, noun, kind in server.separate():
        stream = server.open(getattr(stub, "Stream" + noun), None, discovery_pb2.DiscoveryRequest)
        delta = server.open(getattr(stub, "Delta" + noun), None, discovery_pb2.DeltaDiscoveryRequest)
        if kind == EDS:
            # Whether the clusters of such clients have endpoints of their own is the server's choice.
            wanted = set(names(stream.ask(kind, resource_names=clusters)))
            assert names(delta.ask(kind, resource_names_subscribe=clusters)) == wanted <= set(clusters)
        else:
            wanted = names(server.sotw().ask(kind))
            assert names(stream.ask(kind)) == wanted
            assert names(delta.ask(kind)) == wanted


@check("RPC Services and Methods for Each Variant")
def separate_streams_let_the_type_be_left_out(server):
    for stub, noun, kind in server.separate():
        stream = server.open(getattr(stub, "Stream" + noun), None, discovery_pb2.DiscoveryRequest)
        stream.send("", resource_names=["nobody"] if kind == EDS else [])
        assert stream.receive().type_url == kind


@check("RPC Services and Methods for Each Variant")
def separate_streams_refuse_other_types(server):
    stub, noun, _ = server.separate()[0]
    stream = server.open(getattr(stub, "Stream" + noun), None, discovery_pb2.DiscoveryRequest)
    refused(grpc.StatusCode.INVALID_ARGUMENT, lambda: stream.ask(LDS))


@check("RPC Services and Methods for Each Variant")
def an_unknown_method_is_unimplemented(server):
    call = server.channel.unary_unary("/envoy.service.discovery.v3.AggregatedDiscoveryService/NoMethod")
    refused(grpc.StatusCode.UNIMPLEMENTED, lambda: call(b"", timeout=PATIENCE))


@check("REST-JSON polling subscriptions")
def the_unary_form_answers_once(server):
    clusters = sorted(names(server.sotw().ask(CDS)))
    for stub, noun, kind in server.separate():
        request = discovery_pb2.DiscoveryRequest(node={"id": server.node}, resource_names=clusters if kind == EDS else [])
        first, second = (getattr(stub, "Fetch" + noun)(request, timeout=PATIENCE) for _ in range(2))
        assert first.type_url == kind and first.version_info == second.version_info
        if kind != EDS:
            assert names(first) == names(server.sotw().ask(kind))


@check("Aggregated Discovery Service")
def many_streams_of_one_connection_end_apart(server):
    streams = [server.delta() for _ in range(40)]
    for stream in streams:
        stream.ask(CDS)
    for stream in streams[::2]:
        stream.close()
    for stream in streams[1::2]:
        assert stream.ask(LDS).resources


@check("Aggregated Discovery Service")
def an_error_ends_its_stream_only(server):
    good = server.delta()
    good.ask(CDS)
    nameless = server.delta(node="")
    nameless.send(CDS)
    assert nameless.end() == grpc.StatusCode.INVALID_ARGUMENT
    garbage = server.channel.stream_stream("/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources")
    refused(grpc.StatusCode.INVALID_ARGUMENT, lambda: next(garbage(iter([b"\xff\xff\xff"]), timeout=PATIENCE)))
    assert good.ask(LDS).resources


@check("Aggregated Discovery Service")
def a_half_closed_stream_ends_in_order(server):
    other = server.delta()
    for stream in server.both():
        stream.ask(CDS)
        stream.half_close()
        assert stream.end() == grpc.StatusCode.OK
    assert other.ask(CDS).resources


@check("Aggregated Discovery Service")
def an_unknown_node_waits(server):
    for stream in server.both("nobody's-node"):
        stream.send(CDS)
        stream.expect_silence("an unknown node waits", 1)


def client_status(server, method="fetch", **request):
    stub = csds_pb2_grpc.ClientStatusDiscoveryServiceStub(server.channel)
    request = csds_pb2.ClientStatusRequest(**request)
    if method == "fetch":
        return stub.FetchClientStatus(request, timeout=PATIENCE).config
    return [response.config for response in stub.StreamClientStatus(iter([request, request]), timeout=PATIENCE)]


def exactly(node):
    return [{"node_id": {"exact": node}}]


def of(streams, configs):
    """What is said of these streams; others may have the same node."""
    return [config for config in configs if config.node.cluster in [stream.cluster for stream in streams]]


def states(config):
    return {(each.type_url, each.name): each for each in config.generic_xds_configs}


@check("Client Status Discovery Service")
def it_says_what_a_client_was_sent_and_answered(server):
    names_of = csds_pb2.ConfigStatus.Name
    for stream in server.both():
        clusters, listeners = stream.ask(CDS), stream.ask(LDS)
        stream.ack(clusters)
        culprit = sorted(names(listeners))[0]
        stream.send(LDS, response_nonce=listeners.nonce, error=f"{culprit} is wrong")
        again = stream.receive()
        for _ in range(100):
            (config,) = of([stream], client_status(server, node_matchers=exactly(server.node)))
            state = states(config)
            if state[LDS, culprit].client_status == 4:
                break
        assert config.node.id == server.node and config.client_scope
        for name in names(clusters):
            each = state[CDS, name]
            assert (names_of(each.config_status), each.client_status) == ("SYNCED", 3), each
            assert each.version_info and each.xds_config.type_url == CDS
        rejected = state[LDS, culprit]
        assert names_of(rejected.config_status) == "ERROR" and rejected.client_status == 4, rejected
        assert rejected.error_state.details == f"{culprit} is wrong" and rejected.error_state.version_info
        assert rejected.error_state.failed_configuration.type_url == LDS
        for name in names(again):
            assert names_of(state[LDS, name].config_status) == "STALE", "sent and not answered yet"
        stream.ack(again)
        stream.close()


@check("Client Status Discovery Service")
def it_leaves_out_contents_and_honours_node_matchers(server):
    streams = server.both()
    for stream in streams:
        stream.ask(CDS)
    configs = of(streams, client_status(server, node_matchers=exactly(server.node), exclude_resource_contents=True))
    assert len(configs) == 2 and all(len(config.generic_xds_configs) >= 2 for config in configs)
    assert not any(each.HasField("xds_config") for config in configs for each in config.generic_xds_configs)
    assert {config.node.id for config in client_status(server)} >= {server.node}
    assert not client_status(server, node_matchers=exactly("nobody"))
    for matcher in ({"prefix": server.node[:3]}, {"suffix": server.node[3:]}, {"contains": server.node[1:-1]},
                    {"exact": server.node.upper(), "ignore_case": True}):
        assert len(of(streams, client_status(server, node_matchers=[{"node_id": matcher}]))) == 2, matcher
    both = client_status(server, "stream", node_matchers=exactly(server.node))
    assert [len(of(streams, each)) for each in both] == [2, 2]
    for matcher in ({"node_id": {"safe_regex": {"regex": ".*"}}}, {"node_metadatas": [{"path": [{"key": "a"}]}]}):
        refused(grpc.StatusCode.INVALID_ARGUMENT, lambda: client_status(server, node_matchers=[matcher]))


@check("Client Status Discovery Service")
def it_shows_who_waits(server):
    stream = server.delta("stranger")
    stream.send(CDS)
    stream.send(EDS, resource_names_subscribe=["wanted"])
    for _ in range(100):
        configs = client_status(server, node_matchers=exactly("stranger"))
        if configs and len(configs[0].generic_xds_configs) == 2:
            break
    state = states(configs[0])
    assert {key: each.client_status for key, each in state.items()} == {(CDS, "*"): 1, (EDS, "wanted"): 1}, state
    assert "wait" in configs[0].client_scope
    stream.close()
    for _ in range(100):
        if not client_status(server, node_matchers=exactly("stranger")):
            return
    raise AssertionError("a stream that has ended is still there")


@check("Health Checking")
def the_server_is_serving(server):
    stub = health_pb2_grpc.HealthStub(server.channel)
    serving = health_pb2.HealthCheckResponse.SERVING
    service = "envoy.service.discovery.v3.AggregatedDiscoveryService"
    for name in ("", service):
        request = health_pb2.HealthCheckRequest(service=name)
        assert stub.Check(request, timeout=PATIENCE).status == serving
        watch = stub.Watch(request, timeout=PATIENCE)
        assert next(watch).status == serving
        watch.cancel()
    unknown = health_pb2.HealthCheckRequest(service="nobody")
    refused(grpc.StatusCode.NOT_FOUND, lambda: stub.Check(unknown, timeout=PATIENCE))
    assert next(stub.Watch(unknown, timeout=PATIENCE)).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    statuses = stub.List(health_pb2.HealthListRequest(), timeout=PATIENCE).statuses
    assert statuses[""].status == serving and statuses[service].status == serving


@check("Server Reflection")
def a_client_without_protos_can_call(server):
    database = ProtoReflectionDescriptorDatabase(server.channel)
    services = set(database.get_services())
    for name in ("envoy.service.discovery.v3.AggregatedDiscoveryService", "grpc.health.v1.Health",
                 "envoy.service.status.v3.ClientStatusDiscoveryService", "grpc.reflection.v1.ServerReflection"):
        assert name in services, services
    pool = descriptor_pool.DescriptorPool(database)
    method = pool.FindMethodByName("envoy.service.status.v3.ClientStatusDiscoveryService.FetchClientStatus")
    request = message_factory.GetMessageClass(method.input_type)(exclude_resource_contents=True)
    answer = message_factory.GetMessageClass(method.output_type)
    stream = server.delta()
    stream.ask(CDS)
    call = server.channel.unary_unary(
        f"/{method.containing_service.full_name}/{method.name}",
        request_serializer=lambda each: each.SerializeToString(), response_deserializer=answer.FromString)
    configs = call(request, timeout=PATIENCE).config
    assert server.node in {config.node.id for config in configs}
    # The contents of an Any can be read, too.
    cluster = message_factory.GetMessageClass(pool.FindMessageTypeByName(CDS.split("/")[1]))
    assert cluster.DESCRIPTOR.fields_by_name["name"].number == 1


@check("Server Reflection")
def every_method_that_is_named_is_there(server):
    database = ProtoReflectionDescriptorDatabase(server.channel)
    pool = descriptor_pool.DescriptorPool(database)
    for service in database.get_services():
        for method in pool.FindServiceByName(service).methods:
            call = server.channel.stream_stream(f"/{service}/{method.name}")(iter([b"\xff\xff\xff"]), timeout=PATIENCE)
            try:
                next(call)
            except grpc.RpcError as error:
                assert error.code() != grpc.StatusCode.UNIMPLEMENTED, (service, method.name)
            except StopIteration:
                pass


@check("Server Reflection")
def both_forms_answer_alike_and_say_what_is_missing(server):
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_by_filename="envoy/service/discovery/v3/ads.proto"),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol="envoy.config.core.v3.Node.id"),
        reflection_pb2.ServerReflectionRequest(file_by_filename="nobody.proto"),
        reflection_pb2.ServerReflectionRequest(all_extension_numbers_of_type="envoy.config.core.v3.Node"),
    ]
    answers = []
    for version in ("v1", "v1alpha"):
        call = server.channel.stream_stream(
            f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString)
        answers.append(list(call(iter(requests), timeout=PATIENCE)))
    assert answers[0] == answers[1] and len(answers[0]) == len(requests)
    kinds = [answer.WhichOneof("message_response") for answer in answers[0]]
    assert kinds == ["list_services_response", "file_descriptor_response", "file_descriptor_response", "error_response",
                     "all_extension_numbers_response"], kinds
    assert answers[0][3].error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]
