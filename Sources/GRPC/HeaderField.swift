/// One field of a header or trailer section, pseudo-fields included; the name in lower case (RFC 9113 section 8.2).
public typealias HeaderField = (name: String, value: String)
