// libcurl, and its variadic functions once for each type of argument: Swift imports no variadics.
#ifndef CCURL_SHIM_H
#define CCURL_SHIM_H

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <sys/socket.h>

// Declared here because the Glibc module lacks it.
extern int pipe2(int descriptors[2], int flags);

static inline CURLcode CCurl_setLong(CURL *handle, CURLoption option, long value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode CCurl_setString(CURL *handle, CURLoption option, const char *value) {
    return curl_easy_setopt(handle, option, value);
}

static inline CURLcode CCurl_setPointer(CURL *handle, CURLoption option, void *value) {
    return curl_easy_setopt(handle, option, value);
}

// libcurl copies the bytes.
static inline CURLcode CCurl_setBlob(CURL *handle, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {(void *)bytes, count, CURL_BLOB_COPY};
    return curl_easy_setopt(handle, option, &blob);
}

// libcurl copies the bytes; count is set first, as CURLOPT_COPYPOSTFIELDS requires.
static inline CURLcode CCurl_setBody(CURL *handle, const void *bytes, size_t count) {
    CURLcode code = curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)count);
    return code != CURLE_OK ? code : curl_easy_setopt(handle, CURLOPT_COPYPOSTFIELDS, bytes);
}

typedef size_t (*CCurl_DataCallback)(char *bytes, size_t size, size_t count, void *context);

static inline CURLcode CCurl_setWriteFunction(CURL *handle, CCurl_DataCallback callback, void *context) {
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, context);
    return curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, callback);
}

static inline CURLcode CCurl_setHeaderFunction(CURL *handle, CCurl_DataCallback callback, void *context) {
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, context);
    return curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, callback);
}

// Gives up a connection whose peer acknowledges nothing for that long, which keepalive alone does not while data is under way.
static inline int CCurl_setUserTimeout(void *context, curl_socket_t socket, curlsocktype purpose) {
    unsigned int milliseconds = (unsigned int)(uintptr_t)context;
    setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
    return CURL_SOCKOPT_OK;
}

static inline CURLcode CCurl_setUserTimeoutMilliseconds(CURL *handle, unsigned int milliseconds) {
    curl_easy_setopt(handle, CURLOPT_SOCKOPTDATA, (void *)(uintptr_t)milliseconds);
    return curl_easy_setopt(handle, CURLOPT_SOCKOPTFUNCTION, CCurl_setUserTimeout);
}

static inline CURLcode CCurl_responseCode(CURL *handle, long *code) {
    return curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, code);
}

static inline CURLcode CCurl_messageResult(const CURLMsg *message) {
    return message->data.result;
}

#endif
