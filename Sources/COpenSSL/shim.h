// OpenSSL's headers, and functions for what is a macro there that Swift does not import.
#ifndef COPENSSL_SHIM_H
#define COPENSSL_SHIM_H

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

// A server's choices that are not a matter of configuration: no renegotiation, no tickets, no compression, its own order of
// ciphers; and a connection that ends without close_notify has just ended, because HTTP/2 knows where its messages end.
static inline void copenssl_set_server_options(SSL_CTX *context) {
    SSL_CTX_set_options(
        context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE |
                     SSL_OP_IGNORE_UNEXPECTED_EOF);
}

// Keeps nothing of the chain of a peer's certificate but the verdict. For SSL_CTX_set_cert_verify_callback.
static inline int copenssl_verify_keeping_no_chain(X509_STORE_CTX *verification, void *unused) {
    (void)unused;
    int result = X509_verify_cert(verification);
    X509_STORE_CTX_set0_verified_chain(verification, NULL);
    return result == 1;
}

// Lets go of the certificates that the peer sent after its own. The stack is the connection's alone where no session is resumed.
static inline void copenssl_drop_peer_chain(SSL *connection) {
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(connection);
    if (chain == NULL) return;
    while (sk_X509_num(chain) > 0) X509_free(sk_X509_pop(chain));
}

static inline EVP_PKEY *copenssl_new_p256_key(void) { return EVP_EC_gen("P-256"); }

// The subject alternative names of a certificate, NULL when it has none; to be freed with copenssl_names_free.
static inline GENERAL_NAMES *copenssl_names(const X509 *certificate) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
}

static inline int copenssl_names_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }

static inline void copenssl_names_free(GENERAL_NAMES *names) { GENERAL_NAMES_free(names); }

// The kind (GEN_URI, GEN_DNS …) of a name, and its text when it is a URI or a DNS name; the text belongs to `names`.
static inline int copenssl_name(const GENERAL_NAMES *names, int index, const unsigned char **text, int *length) {
    const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
    *text = NULL;
    *length = 0;
    if (name->type == GEN_URI || name->type == GEN_DNS) {
        *text = ASN1_STRING_get0_data(name->d.ia5);
        *length = ASN1_STRING_length(name->d.ia5);
    }
    return name->type;
}

#endif
