import COpenSSL

/// A small authority of certificates, for trying out and for tests. Its certificates have keys on the curve P-256.
///
/// It owns its two handles, and is used by one task at a time.
public final class CertificateAuthority {
    private let certificate: OpaquePointer
    private let key: OpaquePointer
    /// Its own certificate and key.
    public let pair: CertificatePair

    /// Makes a new authority with a certificate that it signs itself.
    public convenience init(commonName: String, validFrom: Int64, validUntil: Int64) throws(CertificateError) {
        let template = CertificateTemplate(
            commonName: commonName, usage: .authority, validFrom: validFrom, validUntil: validUntil)
        try self.init(try Self.issue(template, by: nil))
    }

    /// Takes up an authority that was made before.
    public init(_ pair: CertificatePair) throws(CertificateError) {
        ERR_clear_error()
        let read = PEM.withSource(pair.certificate) { PEM_read_bio_X509($0, nil, nil, nil) } ?? nil
        guard let certificate = read else {
            throw CertificateError("the authority's certificate is not in PEM: \(OpenSSLError.take())")
        }
        guard let key = PEM.privateKey(pair.key) else {
            X509_free(certificate)
            throw CertificateError("the authority's key is not in PEM without a passphrase: \(OpenSSLError.take())")
        }
        self.certificate = certificate
        self.key = key
        self.pair = pair
    }

    deinit {
        X509_free(certificate)
        EVP_PKEY_free(key)
    }

    /// Makes a key and signs a certificate for it.
    public func issue(_ template: CertificateTemplate) throws(CertificateError) -> CertificatePair {
        try Self.issue(template, by: (certificate, key))
    }

    private static func issue(
        _ template: CertificateTemplate, by issuer: (certificate: OpaquePointer, key: OpaquePointer)?
    ) throws(CertificateError) -> CertificatePair {
        if let name = template.names.first(where: { !$0.isPlain }) {
            throw CertificateError("\(name) can't stand in a certificate: it has characters that names don't have")
        }
        ERR_clear_error()
        guard let key = copenssl_new_p256_key() else { throw CertificateError("no key: \(OpenSSLError.take())") }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw CertificateError("no certificate: \(OpenSSLError.take())") }
        defer { X509_free(certificate) }
        let issuerCertificate = issuer?.certificate ?? certificate
        guard fill(certificate, template, key: key, issuer: issuerCertificate),
            extend(certificate, template, issuer: issuerCertificate),
            X509_sign(certificate, issuer?.key ?? key, EVP_sha256()) > 0,
            let certificateText = text({ PEM_write_bio_X509($0, certificate) }),
            let keyText = text({ PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
        else { throw CertificateError("no certificate for \(template.commonName): \(OpenSSLError.take())") }
        return CertificatePair(certificate: certificateText, key: keyText)
    }

    private static func fill(
        _ certificate: OpaquePointer, _ template: CertificateTemplate, key: OpaquePointer, issuer: OpaquePointer
    ) -> Bool {
        let subject = X509_get_subject_name(certificate)
        let isNamed = template.commonName.withCString { text in
            text.withMemoryRebound(to: UInt8.self, capacity: template.commonName.utf8.count + 1) {
                X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_FLAG, $0, -1, -1, 0) == 1
            }
        }
        // Version 3 is written as 2; a serial number is positive (RFC 5280 section 4.1.2).
        return isNamed && X509_set_version(certificate, 2) == 1
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), .random(in: 1...UInt64.max >> 1)) == 1
            && ASN1_TIME_set(X509_getm_notBefore(certificate), Int(template.validFrom)) != nil
            && ASN1_TIME_set(X509_getm_notAfter(certificate), Int(template.validUntil)) != nil
            && X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1
            && X509_set_pubkey(certificate, key) == 1
    }

    private static func extend(
        _ certificate: OpaquePointer, _ template: CertificateTemplate, issuer: OpaquePointer
    ) -> Bool {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer, certificate, nil, nil, 0)
        func add(_ kind: CInt, _ value: String) -> Bool {
            guard let entry = X509V3_EXT_conf_nid(nil, &context, kind, value) else { return false }
            defer { X509_EXTENSION_free(entry) }
            return X509_add_ext(certificate, entry, -1) == 1
        }
        let usages =
            switch template.usage {
            case .authority:
                add(NID_basic_constraints, "critical,CA:TRUE") && add(NID_key_usage, "critical,keyCertSign,cRLSign")
            case .server:
                add(NID_basic_constraints, "critical,CA:FALSE") && add(NID_key_usage, "critical,digitalSignature")
                    && add(NID_ext_key_usage, "serverAuth")
            case .client:
                add(NID_basic_constraints, "critical,CA:FALSE") && add(NID_key_usage, "critical,digitalSignature")
                    && add(NID_ext_key_usage, "clientAuth")
            }
        let names = template.names.map(\.description).joined(separator: ",")
        return usages && add(NID_subject_key_identifier, "hash") && add(NID_authority_key_identifier, "keyid")
            && (names.isEmpty || add(NID_subject_alt_name, names))
    }

    private static func text(_ write: (OpaquePointer) -> CInt) -> [UInt8]? {
        guard let sink = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(sink) }
        guard write(sink) == 1 else { return nil }
        var start: UnsafeMutableRawPointer?
        let count = BIO_ctrl(sink, BIO_CTRL_INFO, 0, &start)
        return start.map { Array(UnsafeRawBufferPointer(start: $0, count: count)) }
    }
}
