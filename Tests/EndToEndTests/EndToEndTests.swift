import Testing

/// Everything that drives real processes. One test at a time: each has an Envoy and an operator, and counts datagrams, which a loaded machine delays.
@Suite(.serialized, .timeLimit(.minutes(2))) enum EndToEndTests {}
